"""Uploads by a stock client: large ones in bounded memory, and ones that are cut off."""

import os
import signal
import subprocess
import unittest

import grpc

from server_process import PATIENCE_SECONDS, ServerTest

# The gate sends few large ones, the long check a million small ones.
JOBS = int(os.environ.get("JOBRUNNER_UPLOAD_JOBS", "100000"))
PAYLOAD = b"x" * int(os.environ.get("JOBRUNNER_UPLOAD_JOB_BYTES", "1000"))
JOBS_EACH = 2_000
# Beside what is uploaded, the store's own buffers, which are bounded (docs/operating.md).
MEMORY_MAX_BYTES = 200 << 20


class UploadsTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.store = "--store=rocksdb:" + self.path("store")
        self.messages = self.stubs["job_service_pb2"]

    def header(self, **spec):
        batch = self.stubs["batch_pb2"].BatchSpec(**spec)
        return self.messages.UploadBatchRequest(
            header=self.messages.SubmitBatchRequest(request_id="once", batch=batch))

    def some_jobs(self, count):
        job_pb2 = self.stubs["job_pb2"]
        job = job_pb2.Job(handler=job_pb2.HandlerCall(name="echo", payload=PAYLOAD))
        return self.messages.UploadBatchRequest(jobs=self.messages.UploadJobs(jobs=[job] * count))

    def whole(self, jobs):
        """The messages of an upload with so many jobs."""
        message = self.some_jobs(JOBS_EACH)
        yield self.header(name="large")
        for _ in range(jobs // JOBS_EACH):
            yield message
        yield self.messages.UploadBatchRequest(end=self.messages.UploadEnd(jobs_sent=jobs))

    def batches(self, server):
        return self.jobs(server).ListBatches(self.messages.ListBatchesRequest()).batches

    def pause(self, server):
        admin_pb2 = self.stubs["admin_service_pb2"]
        self.admin(server).PauseQueue(admin_pb2.PauseQueueRequest(queue="default"))

    def peak_bytes(self, server):
        with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
        raise AssertionError("no VmHWM")

    def upload(self, server, jobs):
        return self.jobs(server).UploadBatch(self.whole(jobs)).batch

    def test_a_large_batch_costs_the_server_little_memory(self):
        server = self.serve(self.store)
        self.pause(server)
        batch = self.upload(server, JOBS)
        self.assertEqual((batch.name, batch.counts.total), ("large", JOBS))
        self.assert_memory_less(self.peak_bytes(server), MEMORY_MAX_BYTES)
        # The same request again, after which the store has the batch once.
        self.assertEqual(self.upload(server, JOBS).id, batch.id)
        self.assertEqual([found.id for found in self.batches(server)], [batch.id])
        server.send(signal.SIGKILL)
        server.await_exit()
        server = self.serve(self.store)
        self.assertEqual([found.counts.total for found in self.batches(server)], [JOBS])
        self.assert_memory_less(self.peak_bytes(server), MEMORY_MAX_BYTES)

    def test_an_uploaded_batch_runs(self):
        server = self.serve(self.store)
        batch = self.upload(server, 4 * JOBS_EACH)
        ended = [event.job_index for event in self.stream(server, batch.id)
                 if event.HasField("result")]
        self.assertEqual(sorted(ended), list(range(4 * JOBS_EACH)))

    def begin(self, server):
        """Begins an upload that goes on for as long as the test; returns it and what ends it."""
        pipe = self.fifo("go")

        def messages():
            yield self.header()
            for _ in range(8):
                yield self.some_jobs(JOBS_EACH)
            pipe.write_line("sent")
            # grpcio takes the next message when it has room for it: nothing more comes.
            self.held.read_line()

        self.held = self.fifo("held")
        self.addCleanup(self.held.write_line, "end")
        call = self.jobs(server).UploadBatch.future(messages())
        self.assertEqual(pipe.read_line(), "sent")
        return call

    def await_staged(self, server):
        """The store has got some of it."""
        directory = self.path("store/rocksdb")
        while sum(os.path.getsize(os.path.join(directory, name)) for name in os.listdir(directory)
                  if name.endswith(".log")) < (1 << 20):
            self.assertIsNone(server.process.poll())

    def test_nothing_is_left_of_an_upload_that_a_killed_server_had_begun(self):
        server = self.serve(self.store)
        call = self.begin(server)
        self.await_staged(server)
        self.assertEqual(len(self.batches(server)), 0)
        server.send(signal.SIGKILL)
        server.await_exit()
        with self.assertRaises(grpc.RpcError) as broken:
            call.result(PATIENCE_SECONDS)
        self.assertEqual(broken.exception.code(), grpc.StatusCode.UNAVAILABLE)

        server = self.launch("--listen=127.0.0.1:0", self.store)
        server.await_said("uploads that were cut off, and are gone: 1")
        server.await_serving()
        self.assertEqual(len(self.batches(server)), 0)
        # The request was never used.
        self.assertEqual(self.upload(server, JOBS_EACH).counts.total, JOBS_EACH)
        server.send(signal.SIGTERM)
        self.assertEqual(server.await_exit(), 0)
        server = self.launch("--listen=127.0.0.1:0", self.store)
        server.await_said("start 3 on it")
        self.assertNotIn("cut off", "".join(server.said))

    def test_a_drain_ends_an_upload(self):
        server = self.serve(self.store)
        call = self.begin(server)
        self.await_staged(server)
        server.send(signal.SIGTERM)
        with self.assertRaises(grpc.RpcError) as ended:
            call.result(PATIENCE_SECONDS)
        self.assertEqual(ended.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertIn("draining", ended.exception.details())
        self.assertEqual(server.await_exit(), 0)

    def test_the_client_uploads_large_files(self):
        server = self.serve(self.store)
        client = os.path.join(os.environ["JOBRUNNER_BIN"], "jobrunner")
        line = '{"handler": {"name": "echo", "payload": "%s"}}\n' % ("eHh4" * 100)
        jobs = 20_000
        self.write("jobs.jsonl", line * jobs)
        submit = [client, "--server", server.address, "submit"]
        done = subprocess.run([*submit, "--name", "from a file", self.path("jobs.jsonl")],
                              capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
        batch = self.batches(server)[0]
        self.assertEqual((done.stdout.split()[0], batch.name, batch.counts.total),
                         (batch.id, "from a file", jobs))
        done = subprocess.run([*submit, "-"], input=line * jobs, capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS, check=True)
        self.assertEqual(self.batches(server)[0].counts.total, jobs)
        wrong = self.write("wrong.jsonl", line * jobs + '{"handler": {"nome": "echo"}}\n')
        done = subprocess.run([*submit, wrong], capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"wrong.jsonl: line {jobs + 1}: ", done.stderr)
        wrong = self.write("wrong.jsonl", line * jobs + '{"handler": {"name": ""}}\n')
        done = subprocess.run([*submit, wrong], capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS, check=False)
        self.assertIn(f"batch.jobs[{jobs}].handler.name", done.stderr)
        self.assertEqual(len(self.batches(server)), 2)


if __name__ == "__main__":
    unittest.main()
