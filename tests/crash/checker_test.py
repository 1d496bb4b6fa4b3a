"""That the checker finds what it is there to find."""

import unittest

from checker import check


def event(sequence, kind, **more):
    return {"t": sequence, "what": "event", "batch_id": "b", "reader": "r", "sequence": sequence,
            "kind": kind, "bytes": f"{sequence}", **more}


def result(sequence, job, state="SUCCEEDED", attempts=1):
    return event(sequence, "result", job=job, state="JOB_STATE_" + state, attempts=attempts)


def history(*events, ended=True):
    """One batch of two jobs, with these events."""
    submit = {"op": "submit", "id": "1", "request_id": "q", "jobs": 2}
    entries = [{"t": 0, "what": "invoke", **submit}, {"t": 0, "what": "ok", **submit, "batch_id": "b"},
               *events]
    if ended:
        entries.append({"t": 9, "what": "end", "batch_id": "b", "reader": "r"})
    entries.append({"t": 10, "what": "truth", "batches": [
        {"id": "b", "state": "BATCH_STATE_SUCCEEDED", "succeeded": 2, "failed": 0, "cancelled": 0}]})
    return entries


FINISHED = event(3, "batch_finished", state="BATCH_STATE_SUCCEEDED", succeeded=2, failed=0)


class CheckerTest(unittest.TestCase):
    def assert_found(self, rule, entries):
        faults = check(entries)
        self.assertTrue([fault for fault in faults if fault.startswith(rule + ":")], faults)

    def good(self):
        return history(result(1, 0), result(2, 1), FINISHED)

    def test_a_good_history_has_no_fault(self):
        self.assertEqual(check(self.good()), [])

    def test_a_job_without_a_result(self):
        self.assert_found("I1", history(result(1, 0), {**FINISHED, "sequence": 2}))

    def test_a_job_with_two_results(self):
        self.assert_found("I1", history(result(1, 0), result(2, 1), result(3, 1)))

    def test_a_batch_that_was_acknowledged_and_lost(self):
        self.assert_found("I1", history(ended=False))

    def test_a_batch_that_nobody_submitted(self):
        entries = self.good()
        entries[-1]["batches"].append({**entries[-1]["batches"][0], "id": "another"})
        self.assert_found("I2", entries)

    def test_an_event_that_changed(self):
        again = {**result(1, 0), "reader": "s", "bytes": "other"}
        self.assert_found("I3", [*self.good(), again])

    def test_a_gap_and_a_duplicate(self):
        self.assert_found("I4", history(result(1, 0), result(3, 1)))
        self.assert_found("I4", history(result(1, 0), result(1, 0), result(2, 1)))

    def test_too_many_attempts(self):
        self.assert_found("I5", history(result(1, 0, attempts=7), result(2, 1), FINISHED))

    def test_a_cancel_that_was_forgotten(self):
        cancel = {"t": 1, "what": "ok", "op": "cancel", "id": "2", "batch_id": "b"}
        partly = {**FINISHED, "state": "BATCH_STATE_FAILED", "succeeded": 1}
        self.assert_found("I7", [*history(result(1, 0), result(2, 1, "CANCELLED"), partly), cancel])

    def test_counts_that_are_not_those_of_the_log(self):
        self.assert_found("I10", history(result(1, 0), result(2, 1, "FAILED"), FINISHED))

    def test_a_request_that_made_two_batches(self):
        entries = self.good()
        self.assert_found("I11", [*entries, {**entries[1], "batch_id": "c"}, {**entries[0]}])

    def test_a_batch_that_never_ends(self):
        entries = self.good()
        entries[-1]["batches"][0]["state"] = "BATCH_STATE_RUNNING"
        self.assert_found("I12", entries)
        self.assert_found("I12", entries[:-1])


if __name__ == "__main__":
    unittest.main()
