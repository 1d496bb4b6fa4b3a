"""What jobrunnerd says, and what becomes of it when nobody takes it."""

import json
import os
import re
import signal
import unittest

from server_process import ServerTest


class LogsTest(ServerTest):
    def finished(self, server, *scripts):
        """Runs a batch to its end; its results by key."""
        events = list(self.stream(server, self.submit_commands(server, *scripts)))
        return {event.job_key: event.result for event in events
                if event.WhichOneof("kind") == "result"}

    def ended(self, server):
        server.send(signal.SIGTERM)
        return server.await_exit()

    def test_the_job_log_has_a_line_for_each_result(self):
        server = self.serve("--job_log=" + self.path("jobs.log"))
        self.finished(server, "true", "exit 3")
        self.assertEqual(self.ended(server), 0)
        lines = sorted(self.read("jobs.log").splitlines())
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^✔ worker \d+: job 0 done in [0-9.]+ ms$")
        self.assertRegex(lines[1], r"^✘ worker \d+: job 1 failed: .*3")

    def test_the_job_log_may_be_json_lines(self):
        config = self.write("config.json", json.dumps(
            {"log": {"job_log": self.path("jobs.log"), "job_log_format": "json"}}))
        server = self.serve("--config=" + config)
        self.finished(server, "true", "exit 3")
        self.assertEqual(self.ended(server), 0)
        lines = [json.loads(line) for line in self.read("jobs.log").splitlines()]
        self.assertEqual({line["job_key"]: line["state"] for line in lines},
                         {"job 0": "JOB_STATE_SUCCEEDED", "job 1": "JOB_STATE_FAILED"})

    def test_the_log_file_has_what_standard_error_has(self):
        server = self.serve("--log_file=" + self.path("server.log"))
        self.assertEqual(self.ended(server), 0)
        self.assertEqual(self.read("server.log"), server.process.stderr.read().decode())
        self.assertRegex(self.read("server.log"), r"^20[-0-9]+T[:0-9.]+Z info jobrunnerd 0")

    def test_a_full_disk_stops_nothing(self):
        server = self.serve("--log_file=/dev/full", "--job_log=/dev/full", "--log_level=debug")
        results = self.finished(server, *["true"] * 50)
        self.assertEqual(len(results), 50)
        self.assertEqual({self.state_name(result) for result in results.values()},
                         {"JOB_STATE_SUCCEEDED"})
        self.assertEqual(self.ended(server), 0)
        self.assertIn("50 lines of the job log could not be written",
                      server.process.stderr.read().decode())

    def test_standard_error_that_nobody_takes_stops_nothing(self):
        server = self.serve("--job_log=-", "--log_level=debug")
        server.process.stderr.close()
        self.assertEqual(len(self.finished(server, *["true"] * 50)), 50)
        self.assertEqual(self.ended(server), 0)

    def test_standard_error_that_nobody_reads_stops_nothing(self):
        server = self.serve("--job_log=-")
        # More than a pipe holds.
        self.assertEqual(len(self.finished(server, *["true"] * 2000)), 2000)
        self.assertEqual(self.ended(server), 0)

    def test_standard_output_may_be_closed(self):
        address = "unix:" + self.path("socket")
        server = self.launch("--listen=" + address, preexec_fn=lambda: os.close(1))
        server.await_said("serves on " + address)
        self.assertEqual(self.ended(server), 0)

    def test_every_descriptor_may_be_closed(self):
        log = self.fifo("log")
        server = self.launch("--listen=127.0.0.1:0", "--log_file=" + log.path,
                             preexec_fn=lambda: os.closerange(0, 3))
        self.assertIn("serves on", log.read_line())
        self.assertEqual(self.ended(server), 0)


class RefusalTest(ServerTest):
    def refusal(self, *words):
        server = self.launch(*words)
        code = server.await_exit()
        self.assertEqual(server.process.stdout.read(), b"")
        return code, server.process.stderr.read().decode()

    def test_a_wrong_configuration_ends_with_2_and_names_the_field(self):
        config = self.write("config.json", '{"queues": [{"name": "a", "max_runing": 1}]}')
        self.assertEqual(self.refusal("--config=" + config), (
            2, f"jobrunnerd: {config}: queues[0].max_runing: no such field\n"))

    def test_a_wrong_flag_ends_with_2(self):
        code, said = self.refusal("--workers_max=0")
        self.assertEqual(code, 2)
        self.assertIn("workers.max: must be from 1 to 100000, is 0", said)
        self.assertEqual(self.refusal("--nonsense")[0], 2)

    def test_a_store_that_there_is_not_is_refused(self):
        code, said = self.refusal("--store=mysql://localhost")
        self.assertEqual(code, 2)
        self.assertIn('store: "mysql://localhost" is not a store that this version has', said)

    def test_a_command_that_cannot_be_run_is_refused(self):
        config = self.write("config.json",
                            '{"commands": {"allow": [{"name": "x", "path": "/nonexistent/x"}]}}')
        code, said = self.refusal("--config=" + config)
        self.assertEqual(code, 2)
        self.assertIn("commands.allow[0].path", said)

    def test_an_address_that_is_taken_ends_with_1(self):
        server = self.serve("--web_listen=127.0.0.1:0")
        code, said = self.refusal("--listen=" + server.address)
        self.assertEqual(code, 1)
        self.assertIn("jobrunnerd: cannot listen on " + server.address, said)
        # gRPC's own lines are lines of the log.
        self.assertRegex(said, r"(?m)^20[-0-9]+T[:0-9.]+Z warning grpc: .*Address already in use")
        page = server.await_said("http on ").split()[-1]
        code, said = self.refusal("--listen=127.0.0.1:0", "--web_listen=" + page)
        self.assertEqual(code, 1)
        self.assertIn(page, said)

    def test_a_unix_socket_that_a_server_listens_on_is_not_taken_away_from_it(self):
        address = "unix:" + self.path("socket")
        first = self.launch("--listen=" + address).await_serving()
        code, said = self.refusal("--listen=" + address)
        self.assertEqual(code, 1)
        self.assertIn(address + ": a server is there already", said)
        self.assertEqual(self.health(first), "SERVING")

    def test_a_unix_socket_that_a_killed_server_left_behind_is_taken(self):
        address = "unix:" + self.path("socket")
        first = self.launch("--listen=" + address).await_serving()
        first.send(signal.SIGKILL)
        first.await_exit()
        self.assertTrue(os.path.exists(self.path("socket")))
        self.assertEqual(self.health(self.launch("--listen=" + address).await_serving()), "SERVING")

    def test_a_log_file_that_cannot_be_opened_ends_with_1(self):
        code, said = self.refusal("--listen=127.0.0.1:0", "--log_file=/nonexistent/log")
        self.assertEqual(code, 1)
        self.assertTrue(re.search("jobrunnerd: .*/nonexistent/log", said), said)


if __name__ == "__main__":
    unittest.main()
