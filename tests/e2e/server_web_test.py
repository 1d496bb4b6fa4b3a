"""The HTTP port of jobrunnerd."""

import re
import signal
import unittest
import urllib.request

from server_process import ServerTest


class WebTest(ServerTest):
    def serve_web(self):
        server = self.serve("--web_listen=127.0.0.1:0")
        self.base = "http://" + server.await_said("http on ").split()[-1]
        return server

    def get(self, path):
        with urllib.request.urlopen(self.base + path) as response:
            return response.read().decode()

    def metrics(self):
        """The values by name and labels, as they stand in the text."""
        return dict(line.rsplit(" ", 1) for line in self.get("/metrics").splitlines()
                    if not line.startswith("#"))

    def test_healthz_says_that_it_serves(self):
        self.serve_web()
        self.assertEqual(self.get("/healthz"), "serving\n")

    def test_metrics_count_what_happened(self):
        server = self.serve_web()
        list(self.stream(server, self.submit_commands(server, "true", "true", "exit 1")))
        values = self.metrics()
        queue = 'queue="default"'
        for name, value in {
                f"jobrunner_jobs_accepted_total{{{queue}}}": "3",
                f'jobrunner_jobs_finished_total{{{queue},state="succeeded"}}': "2",
                f'jobrunner_jobs_finished_total{{{queue},state="failed"}}': "1",
                f'jobrunner_jobs{{{queue},state="queued"}}': "0",
                f"jobrunner_attempts_started_total{{{queue}}}": "3",
                f"jobrunner_attempt_seconds_count{{{queue}}}": "3",
                f"jobrunner_queue_wait_seconds_count{{{queue}}}": "3",
                'jobrunner_batches{state="finished"}': "1",
                "jobrunner_draining": "0"}.items():
            self.assertEqual(values.get(name), value, name)

    def test_a_cancel_is_counted_by_its_reason(self):
        server = self.serve_web()
        begun = self.fifo("begun")
        batch = self.submit_commands(server, f"echo > {begun.path}; sleep 1000")
        begun.read_line()
        self.assertEqual(self.metrics()['jobrunner_jobs{queue="default",state="running"}'], "1")
        self.assertEqual(self.metrics()['jobrunner_pool_slots{state="busy"}'], "1")
        self.jobs(server).Cancel(
            self.stubs["job_service_pb2"].CancelRequest(batch_id=batch, reason="enough"))
        list(self.stream(server, batch))
        self.assertEqual(self.metrics()['jobrunner_jobs_cancelled_total{reason="client_cancel"}'],
                         "1")

    def test_open_streams_are_counted(self):
        server = self.serve_web()
        begun, gate = self.fifo("begun"), self.fifo("gate")
        batch = self.submit_commands(server, f"echo > {begun.path}; read line < {gate.path}")
        begun.read_line()
        errors = self.jobs(server).StreamErrors(self.stubs["job_service_pb2"].StreamErrorsRequest())
        errors.initial_metadata()  # It listens.
        responses = self.jobs(server).StreamResults(
            self.stubs["job_service_pb2"].StreamResultsRequest(batch_id=batch, follow=True))
        responses.initial_metadata()
        self.assertEqual(self.metrics()['jobrunner_streams{kind="events"}'], "1")
        self.assertEqual(self.metrics()['jobrunner_streams{kind="errors"}'], "1")
        self.assertEqual(self.metrics()["jobrunner_stream_lag_events"], "0")
        gate.write_line("go")
        list(responses)

    def test_the_lag_of_a_reader_that_reads_nothing_is_shown(self):
        server = self.serve_web()
        gate = self.fifo("gate")
        # More than the windows between the server and a reader hold, and a batch that goes on.
        scripts = [f"read line < {gate.path}"] + ["head -c 200000 /dev/zero"] * 200
        batch = self.submit_commands(server, *scripts)
        stalled = self.stream(server, batch)
        for _, event in zip(range(200), self.stream(server, batch)):
            self.assertEqual(event.WhichOneof("kind"), "result")
        lag = int(self.metrics()["jobrunner_stream_lag_events_max"])
        self.assertGreater(lag, 0)
        self.assertLessEqual(lag, 200)
        gate.write_line("go")
        self.assertEqual(len(self.results(stalled)), 201)

    def test_every_line_is_as_prometheus_reads_it(self):
        self.serve_web()
        sample = re.compile(r'^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \S+$')
        for line in self.get("/metrics").splitlines():
            self.assertTrue(line.startswith("# ") or sample.match(line), line)

    def test_it_stops_with_the_server(self):
        server = self.serve_web()
        server.send(signal.SIGTERM)
        self.assertEqual(server.await_exit(), 0)
        with self.assertRaises(OSError):
            self.get("/healthz")


if __name__ == "__main__":
    unittest.main()
