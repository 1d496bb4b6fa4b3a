"""That the checker finds what it is there to find."""

import unittest

from checker import check
from plans import KEY, REQUEST_LABEL
from seen import Seen
from starts import Start

# One batch, "b", of these jobs; the second is a command, and has a delay.
PLAN = {"request": "q", "parent": None, "keys": [KEY + "0", KEY + "1"], "max_attempts": 2,
        "max_lost_attempts": 1, "backoff": [1, 2, 10, 0.1], "delays": {"1": 2}, "deadlines": {},
        "commands": [1], "remote": [], "retention": None}
CREATED = 1000


def event(sequence, kind, time=1003, **more):
    return {"t": sequence, "what": "event", "batch": "b", "reader": "r", "sequence": sequence,
            "kind": kind, "time": time, "digest": f"{sequence}", "run_time": 0, "output": "",
            **more}


def result(sequence, job, state="SUCCEEDED", attempts=1, **more):
    return event(sequence, "result", **{"job": job, "key": f"{KEY}{job}", "attempts": attempts,
                                        "state": "JOB_STATE_" + state, "result": f"of {job}",
                                        "reason": "REASON_UNSPECIFIED", **more})


def error(sequence, job, attempt=1, reason="EXIT_CODE", **more):
    return event(sequence, "attempt_error", **{"job": job, "key": f"{KEY}{job}", "attempt": attempt,
                                               "reason": "REASON_" + reason, "next": 1004.0,
                                               **more})


def finished(sequence=3, state="SUCCEEDED", counts=(2, 0, 0)):
    return event(sequence, "batch_finished", state="BATCH_STATE_" + state, counts=list(counts))


def look(began, t, state="RUNNING", counts=(0, 0, 0), waiting=(2, 0, 0), last_sequence=0):
    return {"t": t, "what": "look", "batch": "b", "began": began,
            "state": "BATCH_STATE_" + state, "total": 2, "counts": list(counts),
            "waiting": list(waiting), "last_sequence": last_sequence}


def job_look(began, **more):
    return {"t": began, "what": "job", "batch": "b", "job": 0, "began": began, "attempts": 1,
            "state": "JOB_STATE_SUCCEEDED", "result": "of 0", **more}


def listed(**more):
    return {"id": "b", "parent": "", "labels": {REQUEST_LABEL: "q"}, "total": 2,
            "state": "BATCH_STATE_SUCCEEDED", "counts": [2, 0, 0], "waiting": [0, 0, 0],
            "last_sequence": 3, **more}


GOOD = (result(1, 0), result(2, 1), finished())


def history(*more, events=GOOD, ended=True, truth=(listed(),), plan=()):
    """The batch, with these events and entries."""
    submit = {"op": "submit", "id": "1", "request": "q"}
    entries = [{"t": 0, "what": "plan", **PLAN, **dict(plan)},
               {"t": 0, "what": "life", "began": 999},
               {"t": 0, "what": "invoke", **submit},
               {"t": 0, "what": "ok", **submit, "batch": "b", "created": CREATED, "wall": CREATED},
               *events]
    if ended:
        entries.append({"t": 9, "what": "end", "batch": "b", "reader": "r"})
    entries += [*more, {"t": 20, "what": "truth", "batches": list(truth)}]
    return sorted(entries, key=lambda entry: entry["t"])


def start(attempt=1, time=1002.5, token="1002.5-7", life=1, job=1):
    return Start("b", job, attempt, life, token, time)


def remote(attempt=1, time=1002.5, token="b/1/1.0.7", life=1, sent=1002.4, worker="w"):
    """A start of the second job, where that is a remote worker's."""
    return Start("b", 1, attempt, life, token, time, worker, sent)


REMOTE = {"commands": [], "remote": [1]}


class CheckerTest(unittest.TestCase):
    def assert_found(self, rule, entries, starts=(), remote_starts=()):
        faults = check(Seen(entries, starts, remote_starts))
        self.assertTrue([fault for fault in faults if fault.startswith(rule + ":")], faults)

    def assert_good(self, entries, starts=(), remote_starts=()):
        self.assertEqual(check(Seen(entries, starts, remote_starts)), [])

    def test_a_good_history_has_no_fault(self):
        self.assert_good(history())
        self.assert_good(history(look(0.1, 0.2), job_look(5),
                                 look(5, 6, "SUCCEEDED", (2, 0, 0), (0, 0, 0), 3)))

    # I1

    def test_a_job_without_a_result(self):
        self.assert_found("I1", history(events=(result(1, 0), finished(2))))

    def test_a_job_with_two_results(self):
        self.assert_found("I1", history(events=(result(1, 0), result(2, 1), result(3, 1),
                                                finished(4))))

    def test_a_batch_that_was_acknowledged_and_is_lost(self):
        self.assert_found("I1", history(ended=False))
        self.assert_found("I1", history(truth=()))

    def test_a_batch_that_was_acknowledged_and_is_not_found(self):
        refusal = {"t": 10, "what": "fail", "op": "look", "id": "2", "batch": "b",
                   "code": "NOT_FOUND"}
        self.assert_found("I1", history(refusal))
        delete = {"t": 9.5, "op": "delete", "id": "3", "batch": "b"}
        self.assert_good(history({**delete, "what": "invoke"}, refusal,
                                 {**delete, "what": "ok", "t": 11}, truth=()))

    # I2

    def test_a_batch_that_nobody_submitted(self):
        other = listed(id="c", labels={REQUEST_LABEL: "never asked"})
        self.assert_found("I2", history(truth=(listed(), other)))

    def test_a_request_that_made_another_batch_in_silence(self):
        self.assert_found("I2", history(truth=(listed(), listed(id="c"))))

    def test_a_retry_that_nobody_asked_for(self):
        self.assert_found("I2", history(truth=(listed(), listed(id="c", parent="b"))))

    def test_a_batch_of_an_unanswered_submit_is_no_fault(self):
        asked = ({"t": 10, "what": "plan", **PLAN, "request": "u"},
                 {"t": 10, "what": "invoke", "op": "submit", "id": "2", "request": "u"})
        unknown = listed(id="c", labels={REQUEST_LABEL: "u"})
        self.assert_good(history(*asked, truth=(listed(), unknown)))

    def test_a_job_that_nobody_submitted(self):
        self.assert_found("I2", history(truth=(listed(total=3),)))
        self.assert_found("I2", history(events=(result(1, 0, key="other"), result(2, 1),
                                                finished())))
        self.assert_found("I2", history(), [start(job=0)])

    # I3

    def test_an_event_that_changed(self):
        self.assert_found("I3", history({**GOOD[0], "t": 10, "reader": "s", "digest": "other"}))

    def test_events_that_were_seen_and_are_gone(self):
        self.assert_found("I3", history(look(5, 6, "RUNNING", (1, 0, 0), (1, 0, 0), 2)))

    def test_an_end_that_was_taken_back(self):
        ended = look(1, 2, "SUCCEEDED", (2, 0, 0), (0, 0, 0), 3)
        self.assert_found("I3", history(ended, look(2.1, 2.2, "RUNNING", (2, 0, 0), (0, 0, 0), 3)))
        self.assert_found("I3", history(ended, look(2.1, 2.2, "RUNNING", (1, 0, 0), (1, 0, 0), 3)))

    def test_a_look_during_another_may_be_the_older_one(self):
        self.assert_good(history(look(0.1, 0.5, "RUNNING", (1, 0, 0), (1, 0, 0), 1),
                                 look(0.4, 0.6)))

    def test_a_look_that_is_not_as_the_log(self):
        self.assert_found("I3", history(look(5, 6, "FAILED", (1, 1, 0), (0, 0, 0), 3)))
        self.assert_found("I3", history(job_look(5, state="JOB_STATE_FAILED")))
        self.assert_found("I3", history(job_look(5, result="other")))
        self.assert_found("I3", history(job_look(5, state="JOB_STATE_RUNNING")))

    def test_a_batch_that_was_deleted_and_is_back(self):
        delete = {"op": "delete", "id": "3", "batch": "b"}
        self.assert_found("I3", history({"t": 9, "what": "invoke", **delete},
                                        {"t": 10, "what": "ok", **delete}))

    # I4

    def test_a_gap_and_a_duplicate(self):
        self.assert_found("I4", history(events=(result(1, 0), result(3, 1))))
        self.assert_found("I4", history(events=(result(1, 0), result(1, 0), result(2, 1))))

    # I5

    def test_too_many_attempts(self):
        errors = (error(1, 0, 1), error(2, 0, 2, time=1010, next=1012.0))
        self.assert_found("I5", history(events=(*errors, result(3, 0, attempts=3), result(4, 1),
                                                finished(5))))

    def test_too_many_lost_attempts(self):
        errors = [error(n, 0, n, "WORKER_LOST") for n in (1, 2, 3)]
        self.assert_found("I5", history(events=(*errors, result(4, 0, attempts=4), result(5, 1),
                                                finished(6))))

    def test_an_attempt_that_is_left_out(self):
        self.assert_found("I5", history(events=(error(1, 0, 2), result(2, 0, attempts=3),
                                                result(3, 1), finished(4))))

    def test_an_attempt_that_one_server_starts_twice(self):
        again = start(token="1002.6-8", time=1002.6)
        self.assert_found("I5", history(), [start(), again])
        self.assert_good(history(), [start(), start(token="1002.6-8", life=2)])

    def test_an_attempt_that_may_not_be_lost_and_starts_again(self):
        self.assert_found("I5", history(plan={"max_lost_attempts": 0}),
                          [start(), start(token="1002.6-8", life=2)])

    def test_a_loss_too_many_that_did_not_end_the_job(self):
        errors = [error(n, 0, n, "WORKER_LOST") for n in (1, 2)]
        self.assert_found("I5", history(events=(*errors, result(3, 0, attempts=3), result(4, 1),
                                                finished(5))))

    def test_an_attempt_after_one_that_may_not_be_lost_and_did_not_fail(self):
        events = (error(1, 1, time=1002.6, next=1002.7), result(2, 0),
                  result(3, 1, attempts=2, time=1006), finished(4))
        plan = {"max_lost_attempts": 0, "backoff": [0.1, 1, 1, 0.1]}
        second = start(attempt=2, time=1005, token="1005-8")
        self.assert_good(history(events=events, plan=plan), [start(), second])
        self.assert_found("I5", history(plan=plan), [start(), second])

    # I6

    def test_an_attempt_that_ends_twice(self):
        self.assert_found("I6", history(events=(error(1, 0), result(2, 0, attempts=1),
                                                result(3, 1), finished(4))))

    def command_ended(self, **more):
        return history(events=(result(1, 0), result(2, 1, output="1002.5-7\n", **more), finished()))

    def test_an_end_of_a_command_that_started_so_is_no_fault(self):
        self.assert_good(self.command_ended(), [start()])

    def test_an_end_that_no_start_had(self):
        self.assert_found("I6", self.command_ended(), [])
        self.assert_found("I6", self.command_ended(), [start(attempt=2)])

    def test_an_end_of_a_start_by_an_earlier_server(self):
        entries = [*self.command_ended(), {"t": 1, "what": "life", "began": 1002.9}]
        self.assert_found("I6", entries, [start()])

    def test_two_starts_at_remote_workers_are_lost_over_a_restart_alone(self):
        again = remote(token="b/1/2.0.1", sent=1002.6, time=1002.7)
        self.assert_found("I5", history(plan=REMOTE), (), [remote(), again])
        self.assert_good(history(plan=REMOTE), (),
                         [remote(), remote(token="b/1/2.0.1", life=2)])
        self.assert_found("I5", history(plan={**REMOTE, "max_lost_attempts": 0}), (),
                          [remote(), remote(token="b/1/2.0.1", life=2)])

    def remote_ended(self, **more):
        return history(plan=REMOTE, events=(result(1, 0), result(2, 1, output="b/1/1.0.7", **more),
                                            finished()))

    def test_an_attempt_at_a_remote_worker_goes_on_over_a_restart(self):
        restarted = [*self.remote_ended(), {"t": 1, "what": "life", "began": 1002.9}]
        self.assert_good(restarted, (), [remote()])

    def test_an_end_at_a_remote_worker_that_came_after_it_was_started_again(self):
        again = remote(token="b/1/2.0.1", life=2, time=1002.95, sent=1002.95)
        restarted = [*self.remote_ended(), {"t": 1, "what": "life", "began": 1002.9}]
        self.assert_found("I6", restarted, (), [remote(), again])

    def test_a_remote_worker_s_end_of_another_attempt(self):
        self.assert_found("I6", self.remote_ended(), (), [])
        self.assert_found("I6", self.remote_ended(), (), [remote(attempt=2)])
        failed = {"state": "FAILED", "reason": "REASON_HANDLER", "message": "b/1/1.0.7"}
        events = (result(1, 0), result(2, 1, **failed), finished(3, "FAILED", (1, 1, 0)))
        truth = (listed(state="BATCH_STATE_FAILED", counts=[1, 1, 0]),)
        entries = history(plan=REMOTE, events=events, truth=truth)
        self.assert_good(entries, (), [remote()])
        self.assert_found("I6", entries, (), [remote(attempt=2)])

    # I7

    def test_a_cancel_that_was_forgotten(self):
        cancel = {"t": 1, "what": "ok", "op": "cancel", "id": "2", "batch": "b", "wall": 1002}
        self.assert_found("I7", history({**cancel, "jobs": []}))
        self.assert_found("I7", history({**cancel, "jobs": [1]}))
        self.assert_good(history({**cancel, "jobs": [1], "wall": 1004}))

    # I8

    def test_a_job_that_goes_on_after_its_result(self):
        self.assert_found("I8", history(events=(result(1, 0), error(2, 0, 2), result(3, 1),
                                                finished(4))))

    def test_a_start_after_the_result(self):
        self.assert_found("I8", history(), [start(attempt=2, time=1003.1)])

    def test_what_is_sent_to_a_remote_worker_after_the_result(self):
        befell = {"t": 8, "what": "fault", "worker": "w", "kind": "paused", "began": 1002,
                  "ended": 1005}
        self.assert_found("I8", history(befell, plan=REMOTE), (), [remote(time=1005, sent=1004)])

    def test_a_start_after_the_result_at_a_remote_worker(self):
        late = [remote(time=1005)]
        befell = {"t": 8, "what": "fault", "worker": "w", "kind": "paused", "began": 1002,
                  "ended": 1005}
        self.assert_found("I8", history(plan=REMOTE), (), late)
        self.assert_good(history(befell, plan=REMOTE), (), late)
        self.assert_found("I8", history({**befell, "worker": "v"}, plan=REMOTE), (), late)
        self.assert_found("I8", history({**befell, "ended": 1002.3}, plan=REMOTE), (), late)

    # I9

    def test_a_start_before_the_delay(self):
        self.assert_found("I9", history(events=(result(1, 0), result(2, 1, run_time=1.5),
                                                finished())))
        self.assert_found("I9", history(), [start(time=1001.5)])

    def retried(self, next_time=1004.0, **more):
        return history(events=(error(1, 1, next=next_time), result(2, 0),
                               result(3, 1, attempts=2, time=1006, **more), finished(4)))

    def test_a_retry_before_the_backoff(self):
        self.assert_good(self.retried(run_time=1.9))
        self.assert_found("I9", self.retried(run_time=2.5))
        self.assert_found("I9", self.retried(), [start(attempt=2, time=1003.5)])

    def test_a_backoff_that_is_too_short(self):
        self.assert_found("I9", self.retried(next_time=1003.5))

    def test_a_deadline_that_came_early_or_from_nowhere(self):
        events = (result(1, 0), result(2, 1, "CANCELLED", 0, reason="REASON_TOTAL_TIMEOUT"),
                  finished(3, "FAILED", (1, 0, 1)))
        truth = (listed(state="BATCH_STATE_FAILED", counts=[1, 0, 1]),)
        self.assert_found("I9", history(events=events, truth=truth))
        self.assert_found("I9", history(events=events, truth=truth,
                                        plan={"deadlines": {"total": 5}}))
        self.assert_good(history(events=events, truth=truth, plan={"deadlines": {"total": 3}}))

    # I10 to I12

    def test_counts_that_are_not_those_of_the_log(self):
        self.assert_found("I10", history(truth=(listed(counts=[1, 1, 0]),)))
        self.assert_found("I10", history(events=(*GOOD[:2], finished(counts=(1, 1, 0)))))
        self.assert_found("I10", history(look(0.1, 0.2, waiting=(3, 0, 0))))
        self.assert_found("I10", history(look(0.1, 0.2, waiting=(3, -1, 0))))

    def test_statistics_that_are_not_what_there_is(self):
        good = {"t": 10, "what": "statistics", "last": True, "jobs": [0, 0, 0], "batches": 0,
                "slots": [0, 0]}
        self.assert_good(history(good))
        self.assert_good(history({**good, "last": False, "jobs": [0, 1, 0]}))
        self.assert_found("I10", history({**good, "jobs": [0, 1, 0]}))
        self.assert_found("I10", history({**good, "last": False, "jobs": [0, -1, 0]}))

    def test_a_request_that_made_two_batches(self):
        self.assert_found("I11", history({"t": 10, "what": "ok", "op": "submit", "id": "2",
                                          "request": "q", "batch": "c", "created": CREATED,
                                          "wall": CREATED}))

    def test_a_batch_that_never_ends(self):
        self.assert_found("I12", history(truth=(listed(state="BATCH_STATE_RUNNING"),)))
        self.assert_found("I12", history()[:-1])


if __name__ == "__main__":
    unittest.main()
