"""The scenes that embed jobrunner show what they are said to show."""

import collections
import json
import unittest

import scene


class SceneTest(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.played = scene.play(cls.number)

    def assert_everybody_has_one_result(self):
        names = [result.name for result in self.played.results]
        self.assertEqual(sorted(names), sorted(scene.WORK), self.played)

    def spans(self):
        """When each job that ran began and ended, in milliseconds, by its worker."""
        by_worker = collections.defaultdict(list)
        for result in self.played.results:
            if result.worker:
                by_worker[result.worker].append((result.time_ms - result.took_ms, result.time_ms))
        return by_worker

    def assert_no_worker_runs_two_jobs_at_once(self):
        for worker, spans in self.spans().items():
            for (_, end), (begin, _) in zip(sorted(spans), sorted(spans)[1:]):
                # Each time is rounded to a millisecond.
                self.assertGreaterEqual(begin + 2, end, f"{worker}: {self.played.output}")


class ThreeWorkers(SceneTest):
    number = 1

    def test_everybody_is_done_and_the_batch_succeeds(self):
        self.assert_everybody_has_one_result()
        self.assertEqual(self.played.names("✔"), [result.name for result in self.played.results])
        self.assertIn("the batch is SUCCEEDED: 6 succeeded, 0 failed", self.played.end)
        self.assertEqual(self.played.status, 0)

    def test_each_result_names_one_of_three_workers_that_run_in_parallel(self):
        # A job gets the lowest worker that is free: there is no worker 3 unless 1 and 2 are busy.
        workers = {result.worker for result in self.played.results}
        self.assertEqual(workers, {"worker 1", "worker 2", "worker 3"})

    def test_each_worker_runs_one_job_at_a_time(self):
        self.assert_no_worker_runs_two_jobs_at_once()

    def test_no_job_is_shorter_than_its_work(self):
        for result in self.played.results:
            self.assertGreaterEqual(result.took_ms, scene.WORK[result.name])


class BatchTimeout(SceneTest):
    number = 2

    def test_everybody_has_one_result_and_some_are_cancelled(self):
        self.assert_everybody_has_one_result()
        self.assertTrue(self.played.names("⊘"), "1.85 s of work of one worker fit into 1 s")
        self.assertEqual(self.played.names("✘"), [])

    def test_what_is_not_done_says_that_the_batch_s_timeout_ended_it_after_a_second(self):
        for result in self.played.results:
            if result.mark == "⊘":
                self.assertIn("(BATCH_TIMEOUT)", result.text)
                # The deadline is of the steady clock, the events' times are of the wall clock.
                self.assertGreaterEqual(result.time_ms, 990)

    def test_the_one_worker_was_stopped_at_one_job_at_most_and_the_others_never_ran(self):
        texts = [result.text for result in self.played.results if result.mark == "⊘"]
        self.assertLessEqual(sum(text.startswith("stopped") for text in texts), 1)
        for text in texts:
            self.assertRegex(text, "^(stopped after|never ran)")

    def test_the_batch_is_cancelled(self):
        self.assertIn("the batch is CANCELLED", self.played.end)
        self.assertEqual(self.played.status, 1)


class CriticalError(SceneTest):
    number = 3

    def test_the_error_is_on_the_error_channel(self):
        self.assertEqual(self.played.errors,
                         "error channel: CRITICAL: people: Charlie is 36, over 35\n")

    def test_after_it_everything_is_stopped(self):
        self.assert_everybody_has_one_result()
        names = [result.name for result in self.played.results]
        after = self.played.results[names.index("Charlie") + 1:]
        self.assertTrue(after)
        for result in after:
            self.assertEqual(result.mark, "⊘")
            self.assertIn("(CRITICAL_ERROR)", result.text)

    def test_who_waited_never_runs(self):
        for result in self.played.results:
            if result.name in ("Dave", "Eve", "Frank"):
                self.assertTrue(result.text.startswith("never ran"), self.played.output)

    def test_the_batch_has_failed(self):
        self.assertIn("the batch is FAILED", self.played.end)
        self.assertEqual(self.played.status, 1)


class PeopleFromJson(SceneTest):
    number = 5

    def setUp(self):
        self.people = json.loads((scene.ROOT / "examples/people.json").read_text())

    def test_the_people_of_the_file_have_a_result_each(self):
        names = sorted(person["name"] for person in self.people["people"])
        self.assertEqual(sorted(result.name for result in self.played.results), names)

    def test_who_is_older_than_the_file_says_fails(self):
        older = [p["name"] for p in self.people["people"] if p["age"] > self.people["oldest"]]
        self.assertTrue(older)
        self.assertEqual(self.played.names("✘"), older)
        self.assertEqual(self.played.status, 1)

    def test_as_many_workers_as_the_file_says_run_them(self):
        workers = {result.worker for result in self.played.results}
        self.assertEqual(len(workers), self.people["workers"])
        self.assert_no_worker_runs_two_jobs_at_once()


class OwnProgram(SceneTest):
    number = 8

    def test_its_own_handler_made_the_results(self):
        for name in scene.WORK:
            self.assertRegex(self.played.output, rf"(?m)^Hello, {name}! \(worker [123]\)$")
        self.assertEqual(len(self.played.output.splitlines()), 6)
        self.assertEqual(self.played.status, 0)

    def test_its_own_logger_wrote_what_the_handler_said(self):
        for name in scene.WORK:
            self.assertRegex(self.played.errors, rf"(?m)^own_program: info: .*greeting {name}$")


if __name__ == "__main__":
    unittest.main()
