"""Deadlines that pass while there is no server, and batches that are on their way when it dies."""

import signal
import threading
import time
import unittest
import uuid

import grpc

from server_process import PATIENCE_SECONDS, ServerTest

# Long enough for the batch to be accepted, on a machine that is busy.
TIMEOUT_SECONDS = 2
LARGE = 50_000


class DeadlinesTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.service = self.stubs["job_service_pb2"]

    def serve_again(self, *words):
        return self.serve("--store=rocksdb:" + self.path("store"), *words)

    def kill(self, server):
        server.send(signal.SIGKILL)
        server.await_exit()

    def job(self, script, **options):
        job_pb2 = self.stubs["job_pb2"]
        return job_pb2.Job(command=job_pb2.Command(argv=["/bin/sh", "-c", script]),
                           options=job_pb2.JobOptions(**options))

    def submit(self, server, *jobs, **spec):
        request = self.service.SubmitBatchRequest(
            batch=self.stubs["batch_pb2"].BatchSpec(jobs=jobs, **spec))
        return self.jobs(server).SubmitBatch(request).batch

    def reasons(self, server, batch_id):
        request = self.service.StreamResultsRequest(batch_id=batch_id, follow=True)
        events = [event for response in self.jobs(server).StreamResults(
            request, timeout=PATIENCE_SECONDS) for event in response.events]
        self.assertEqual([event.sequence for event in events], list(range(1, len(events) + 1)))
        return [self.reason_name(result) for result in self.results(events)]

    def test_deadlines_that_pass_while_no_server_runs_end_what_they_are_of(self):
        begun = self.fifo("begun")
        forever = f"echo $$ > {begun.path}; exec sleep 1000"
        short = {"seconds": TIMEOUT_SECONDS}
        server = self.serve_again("--workers_max=3")
        batch_timeout = self.submit(server, self.job(forever), timeout=short)
        total_timeout = self.submit(server, self.job(forever, total_timeout=short))
        # It has all the workers that there are.
        self.submit(server, self.job(forever))
        processes = [self.hold(begun.read_line()) for _ in range(3)]
        start_timeout = self.submit(server, self.job("true", start_timeout=short))
        retrying = self.submit(server, self.job(
            "exit 1", total_timeout=short,
            retry_policy={"max_attempts": 2, "initial_backoff": {"seconds": 1000},
                          "max_backoff": {"seconds": 1000}}))
        accepted = time.monotonic()
        self.kill(server)
        self.assertTrue(all(process.has_ended(PATIENCE_SECONDS) for process in processes))
        # The fault: all of them pass now. (Wall time, as the next server will read it.)
        threading.Event().wait(accepted + TIMEOUT_SECONDS + 0.1 - time.monotonic())

        server = self.serve_again("--workers_max=3")
        for batch, reason in ((batch_timeout, "REASON_BATCH_TIMEOUT"),
                              (total_timeout, "REASON_TOTAL_TIMEOUT"),
                              (start_timeout, "REASON_START_TIMEOUT"),
                              (retrying, "REASON_TOTAL_TIMEOUT")):
            self.assertEqual(self.reasons(server, batch.id), [reason])

    def test_a_batch_whose_server_dies_on_its_way_in_is_there_whole_or_not_at_all(self):
        job_pb2 = self.stubs["job_pb2"]
        batch = self.stubs["batch_pb2"].BatchSpec(jobs=[
            job_pb2.Job(handler=job_pb2.HandlerCall(name="echo", payload=b"x" * 100))] * LARGE)
        options = [("grpc.max_send_message_length", -1)]
        cut_off = 0
        # From before it can have come in to after it has.
        for seconds in (0, 0.02, 0.05, 0.1):
            server = self.serve_again()
            request = self.service.SubmitBatchRequest(request_id=str(uuid.uuid4()), batch=batch)
            with grpc.insecure_channel(server.address, options) as channel:
                stub = self.stubs["job_service_pb2_grpc"].JobServiceStub(channel)
                answer = stub.SubmitBatch.future(request)
                threading.Event().wait(seconds)
                self.kill(server)
                cut_off += isinstance(answer.exception(), grpc.RpcError)
            server = self.serve_again()
            listed = self.jobs(server).ListBatches(self.service.ListBatchesRequest()).batches
            self.assertTrue(all(found.counts.total == LARGE for found in listed))
            with grpc.insecure_channel(server.address, options) as channel:
                stub = self.stubs["job_service_pb2_grpc"].JobServiceStub(channel)
                again = stub.SubmitBatch(request).batch
            self.assertEqual(again.counts.total, LARGE)
            known = [found.id for found in listed]
            listed = self.jobs(server).ListBatches(self.service.ListBatchesRequest()).batches
            self.assertEqual(sorted(found.id for found in listed), sorted({*known, again.id}))
            self.kill(server)
        self.assertGreater(cut_off, 0, "no submit was cut off")


if __name__ == "__main__":
    unittest.main()
