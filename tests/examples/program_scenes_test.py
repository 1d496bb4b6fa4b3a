"""The scenes that drive jobrunnerd and jobrunner show what they are said to show."""

import re
import time
import unittest

import scene

OVER_35 = [name for name, age in scene.AGES.items() if age > 35]


class RetriedWithLog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.played = scene.play(4)
        cls.log = cls.played.output.partition("== the job log\n")[2].splitlines()

    def lines_of(self, name):
        return [line for line in self.log if re.search(rf": {name} ", line)]

    def test_the_log_has_a_line_for_each_result_and_each_failed_attempt(self):
        self.assertEqual(len(self.log), len(scene.AGES) + len(OVER_35), self.played)

    def test_who_is_not_over_35_is_done(self):
        for name in set(scene.AGES) - set(OVER_35):
            line, = self.lines_of(name)
            self.assertRegex(line, rf"^✔ worker [123]: {name} done in \d+ ms$")

    def test_who_is_over_35_fails_and_is_retried_once(self):
        for name in OVER_35:
            first, second = self.lines_of(name)
            self.assertRegex(first, rf"^✘ worker [123]: {name} failed \(attempt 1 of 2\): "
                                    r".*; again in \d+ ms$")
            self.assertRegex(second, rf"^✘ worker [123]: {name} failed \(attempt 2 of 2\): ")
            self.assertNotIn("again", second)

    def test_its_status_says_that_jobs_failed(self):
        self.assertEqual(self.played.status, 1, self.played.errors)


class CtrlC(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.interrupted = scene.interrupt(6, lambda lines: len(lines) == len(scene.AGES))

    def test_all_were_at_work_when_ctrl_c_came(self):
        self.assertEqual(sorted(self.interrupted.before),
                         sorted(f"{name} is at work" for name in scene.AGES))

    def test_each_says_that_it_was_interrupted(self):
        said = [line for line in self.interrupted.after if line.endswith(" was interrupted")]
        self.assertEqual(sorted(said), sorted(f"{name} was interrupted" for name in scene.AGES))
        self.assertFalse([line for line in self.interrupted.after if "is done" in line])

    def test_the_program_ends_cleanly(self):
        self.assertEqual(self.interrupted.after[-1], "jobrunner ended with status 130")
        self.assertEqual(self.interrupted.status, 130)
        self.assertEqual(self.interrupted.left, [])


class Ticks(unittest.TestCase):
    ENOUGH = 3

    @classmethod
    def setUpClass(cls):
        cls.started = time.monotonic()
        cls.interrupted = scene.interrupt(7, cls.has_ticked_enough)

    @classmethod
    def has_ticked_enough(cls, lines):
        if lines[-1] == f"tick {cls.ENOUGH}":
            cls.seconds = time.monotonic() - cls.started
        # The batch beside them ends well before that, unless the machine has much else to do.
        people_done = sum(" is " in line for line in lines) == len(scene.AGES) - len(OVER_35)
        return f"tick {cls.ENOUGH}" in lines and people_done

    def ticks(self):
        lines = self.interrupted.before + self.interrupted.after
        return [line for line in lines if line.startswith("tick ")]

    def test_there_is_a_tick_each_second_and_no_earlier(self):
        count = len(self.ticks())
        self.assertGreaterEqual(count, self.ENOUGH)
        self.assertEqual(self.ticks(), [f"tick {number}" for number in range(1, count + 1)])
        self.assertGreaterEqual(self.seconds, self.ENOUGH)

    def test_the_server_does_other_work_beside_them(self):
        for name in set(scene.AGES) - set(OVER_35):
            self.assertIn(f"{name} is {scene.AGES[name]}", self.interrupted.before)

    def test_the_ticks_stop_with_the_server(self):
        *_, no_tick, end = self.interrupted.after
        self.assertTrue(no_tick.startswith(f"no tick {len(self.ticks()) + 1}: "), no_tick)
        self.assertEqual(end, "jobrunnerd ended with status 0")
        self.assertEqual(self.interrupted.status, 0)
        self.assertEqual(self.interrupted.left, [])


if __name__ == "__main__":
    unittest.main()
