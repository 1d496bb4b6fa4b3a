"""A client in Python, from nothing but the protos, protoc and stock grpcio."""

import importlib
import os
import subprocess
import sys
import unittest

import grpc

from cutting_proxy import CuttingProxy
from programs import PATIENCE_SECONDS, ProgramTest


def generate_stubs(directory):
    """Makes the modules jobrunner.v1.*_pb2 and *_pb2_grpc importable."""
    protos = os.environ["JOBRUNNER_PROTO"]
    files = sorted(os.path.join("jobrunner/v1", name)
                   for name in os.listdir(os.path.join(protos, "jobrunner/v1")))
    plugin = subprocess.run(["which", "grpc_python_plugin"], capture_output=True, text=True,
                            check=True).stdout.strip()
    subprocess.run(["protoc", "-I", protos, "--python_out", directory, "--grpc_out", directory,
                    "--plugin=protoc-gen-grpc=" + plugin, *files], check=True)
    sys.path.insert(0, directory)


class PythonClientTest(ProgramTest):
    def setUp(self):
        super().setUp()
        generate_stubs(self.directory)
        self.addCleanup(sys.path.remove, self.directory)
        self.batch = importlib.import_module("jobrunner.v1.batch_pb2")
        self.event = importlib.import_module("jobrunner.v1.event_pb2")
        self.messages = importlib.import_module("jobrunner.v1.job_service_pb2")
        self.services = importlib.import_module("jobrunner.v1.job_service_pb2_grpc")
        _, address = self.start_server("--allow_any_command", "--workers_max=4")
        self.proxy = CuttingProxy(address)
        self.addCleanup(self.proxy.close)
        self.open()

    def open(self):
        channel = grpc.insecure_channel(self.proxy.address,
                                        options=[("grpc.use_local_subchannel_pool", 1)])
        self.addCleanup(channel.close)
        self.service = self.services.JobServiceStub(channel)

    def submit(self, *jobs, **batch):
        request = self.messages.SubmitBatchRequest(batch=dict(jobs=jobs, **batch))
        return self.service.SubmitBatch(request, timeout=PATIENCE_SECONDS).batch.id

    def stream(self, batch_id, after_sequence=0):
        request = self.messages.StreamResultsRequest(
            batch_id=batch_id, after_sequence=after_sequence, follow=True)
        for response in self.service.StreamResults(request, timeout=PATIENCE_SECONDS):
            yield from response.events

    @staticmethod
    def command(*argv):
        return {"command": {"argv": argv}}

    def test_submits_and_streams(self):
        batch_id = self.submit({"key": "echo", "handler": {"name": "echo", "payload": b"hi"}},
                               self.command("/bin/sh", "-c", "echo out; exit 3"))
        events = list(self.stream(batch_id))
        self.assertEqual([event.sequence for event in events], [1, 2, 3])
        results = {event.job_index: event.result for event in events if event.HasField("result")}
        self.assertEqual(results[0].output, b"hi")
        self.assertEqual((results[1].exit_code, results[1].output), (3, b"out\n"))
        self.assertEqual(results[1].error.reason, self.event.REASON_EXIT_CODE)
        self.assertEqual(events[-1].batch_finished.state, self.event.BATCH_STATE_FAILED)

    def test_resumes_after_a_lost_connection_without_gap_or_duplicate(self):
        batch_id = self.submit(*[self.command("/bin/sleep", "0.05")] * 40, max_parallelism=2)
        sequences = []
        lost = 0
        while not sequences or sequences[-1] < 41:
            try:
                for event in self.stream(batch_id, sequences[-1] if sequences else 0):
                    sequences.append(event.sequence)
                    if len(sequences) in (3, 10, 25):
                        self.proxy.cut()
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
                lost += 1
                self.open()
        self.assertEqual(sequences, list(range(1, 42)))
        self.assertEqual(lost, 3)

    def test_cancels(self):
        batch_id = self.submit(*[self.command("/bin/sleep", "1000")] * 3)
        self.service.Cancel(self.messages.CancelRequest(batch_id=batch_id, reason="enough"),
                            timeout=PATIENCE_SECONDS)
        events = list(self.stream(batch_id))
        reasons = [event.result.error.reason for event in events if event.HasField("result")]
        self.assertEqual(reasons, [self.event.REASON_CLIENT_CANCEL] * 3)
        self.assertEqual(events[-1].batch_finished.state, self.event.BATCH_STATE_CANCELLED)

    def test_a_request_id_makes_submit_idempotent(self):
        request = self.messages.SubmitBatchRequest(request_id="once", batch=dict(
            jobs=[{"handler": {"name": "echo", "payload": b"x"}}]))
        first, second = (self.service.SubmitBatch(request, timeout=PATIENCE_SECONDS)
                         for _ in range(2))
        self.assertEqual(first.batch.id, second.batch.id)

    def test_run_batch_streams_in_the_same_call(self):
        request = self.messages.RunBatchRequest(batch=dict(
            jobs=[{"handler": {"name": "echo", "payload": b"x"}}] * 3))
        responses = list(self.service.RunBatch(request, timeout=PATIENCE_SECONDS))
        self.assertTrue(responses[0].batch.id)
        events = [event for response in responses for event in response.events]
        self.assertEqual([event.sequence for event in events], [1, 2, 3, 4])

    def test_errors_tell_the_field(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.submit(*[{"handler": {"name": "echo"}, "options": {"delay": {"seconds": -1}}}])
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("batch.jobs[0].options.delay", caught.exception.details())


if __name__ == "__main__":
    unittest.main()
