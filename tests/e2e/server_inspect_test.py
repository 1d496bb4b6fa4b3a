"""`jobrunner inspect`: what a store has, while no server has it."""

import json
import os
import signal
import subprocess
import unittest

from server_process import PATIENCE_SECONDS, ServerTest

CLIENT = os.path.join(os.environ["JOBRUNNER_BIN"], "jobrunner")


class InspectTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.store = self.path("store")

    def serve_store(self):
        return self.serve("--store=rocksdb:" + self.store)

    def inspect(self, *words):
        return subprocess.run([CLIENT, "inspect", self.store, *words], capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS, check=False)

    def lines(self, *words):
        done = self.inspect("--output", "json", *words)
        self.assertEqual(done.returncode, 0, done)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def run_batches(self):
        """A store with a batch that has finished and one that has not; returns their ids and the
        events of the first."""
        server = self.serve_store()
        finished = self.submit_commands(server, "echo out", "exit 3")
        events = list(self.stream(server, finished))
        unfinished = self.submit_commands(server, "sleep 1000")
        server.send(signal.SIGKILL)
        server.await_exit()
        return finished, unfinished, events

    def test_lists_the_batches_and_shows_a_log(self):
        finished, unfinished, events = self.run_batches()
        batches = self.lines()
        self.assertEqual([batch["id"] for batch in batches], [unfinished, finished])
        self.assertEqual(batches[1]["counts"]["failed"], "1")
        log = self.lines(finished)
        self.assertEqual([int(event["sequence"]) for event in log],
                         [event.sequence for event in events])
        self.assertEqual(self.lines(unfinished), [])
        text = self.inspect()
        self.assertIn(finished, text.stdout)
        self.assertIn("exited with code 3", self.inspect(finished).stderr)
        self.assertEqual(self.inspect("no-such-batch").returncode, 203)

    def test_says_that_a_store_is_sound(self):
        self.run_batches()
        done = self.inspect("--check")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("2 batches (1 unfinished), 3 jobs", done.stdout)
        self.assertIn("sound", done.stdout)
        # Nothing was changed: a server goes on with it.
        self.serve_store()

    def test_a_damaged_store_ends_with_1_and_advice(self):
        self.run_batches()
        log, = [name for name in os.listdir(self.store + "/rocksdb") if name.endswith(".log")]
        with open(f"{self.store}/rocksdb/{log}", "r+b") as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 1]))
        done = self.inspect("--check")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("backup", done.stderr)

    def test_a_store_that_a_server_has_is_left_alone(self):
        server = self.serve_store()
        done = self.inspect()
        self.assertEqual(done.returncode, 203, done)
        self.assertIn(f"is held by process {server.process.pid}", done.stderr)

    def test_there_is_nothing_where_there_is_no_store(self):
        done = self.inspect()
        self.assertEqual(done.returncode, 203, done)
        self.assertIn("no store", done.stderr)
        self.assertFalse(os.path.exists(self.store))


if __name__ == "__main__":
    unittest.main()
