"""However a run with a private server ends, nothing of it stays."""

import os
import signal
import unittest

from programs import ProgramTest, await_that, processes_with


class RunEndTest(ProgramTest):
    def start(self, script, jobs=("1",), setup=":"):
        """Starts jobs that run the script, and waits until each has done its setup."""
        client = self.start_client(
            "run", "-j4", "--shell", f": {self.directory}; {setup}; touch begun-{{}}; {script}",
            ":::", *jobs)
        for job in jobs:
            await_that(lambda job=job: os.path.exists(self.path("begun-" + job)),
                       "the job to begin")
        return client

    def assert_all_gone(self):
        self.assert_nothing_is_left()
        await_that(lambda: not processes_with(self.directory), "the jobs to end")

    def test_ctrl_c_asks_the_jobs_to_end_and_waits(self):
        client = self.start("sleep 1000 & wait", ("1", "2"),
                            setup="trap 'touch asked-{}; exit' TERM")
        client.send_signal(signal.SIGINT)
        self.assertEqual(client.wait(60), 130)
        self.assertTrue(os.path.exists(self.path("asked-1")))
        self.assertTrue(os.path.exists(self.path("asked-2")))
        self.assert_all_gone()

    def test_sigterm_is_like_ctrl_c(self):
        client = self.start("sleep 1000")
        client.send_signal(signal.SIGTERM)
        self.assertEqual(client.wait(60), 143)
        self.assert_all_gone()

    def test_a_second_ctrl_c_leaves_at_once(self):
        client = self.start("sleep 1000 & wait; wait", setup="trap '' TERM")
        client.send_signal(signal.SIGINT)
        while "stopping" not in client.stderr.readline():
            pass
        client.send_signal(signal.SIGINT)
        self.assertEqual(client.wait(60), 130)
        self.assert_all_gone()

    def test_kill_9_of_the_client_leaves_no_server_and_no_child(self):
        client = self.start("sleep 1000", ("1", "2"))
        client.kill()
        client.wait(60)
        self.assert_all_gone()

    def test_kill_9_of_the_client_also_ends_children_that_left_their_group(self):
        client = self.start(f"setsid sh -c ': {self.directory}; sleep 1000' & sleep 1000")
        client.kill()
        client.wait(60)
        self.assert_all_gone()

    def test_a_server_that_dies_is_told(self):
        client = self.start("sleep 1000")
        server = [pid for pid in processes_with(self.runtime) if "jobrunnerd" in self.name(pid)]
        for pid in server:
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(client.wait(60), 203)
        self.assertIn("ended by itself", client.stderr.read())
        await_that(lambda: not processes_with(self.directory), "the jobs to end")

    @staticmethod
    def name(pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                return comm.read()
        except OSError:
            return ""


if __name__ == "__main__":
    unittest.main()
