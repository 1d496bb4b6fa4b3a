"""What streams cost the server: readers that stall, and thousands that wait."""

import os
import signal
import subprocess
import unittest

import grpc

from server_process import PATIENCE_SECONDS, ServerTest

# The gate's figures, or with more rounds the long check's.
ROUNDS = int(os.environ.get("JOBRUNNER_ROUNDS", "1"))
# So many that what they cost stands out from what a database's caches do meanwhile.
STALLED = 300
STALLED_BYTES_MAX = 64 << 20  # a hundred of them
RESULT_BYTES = 60_000
RESULTS = min(3500 * ROUNDS, 17_500)
IDLE = min(1000 * ROUNDS, 10_000)
MIB = 1 << 20


class StreamsTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--store=rocksdb:" + self.path("store"))
        self.service = self.stubs["job_service_pb2"]

    def submit(self, *jobs, **spec):
        batch = self.stubs["batch_pb2"].BatchSpec(jobs=jobs, **spec)
        return self.jobs(self.server).SubmitBatch(
            self.service.SubmitBatchRequest(batch=batch)).batch.id

    def echoes(self, count, payload_bytes):
        job_pb2 = self.stubs["job_pb2"]
        call = job_pb2.HandlerCall(name="echo", payload=b"x" * payload_bytes)
        return job_pb2.Job(handler=call, count=count)

    def open_stream(self, channel, batch_id, after_sequence=0):
        """A stream whose messages are not parsed."""
        request = self.service.StreamResultsRequest(batch_id=batch_id, follow=True,
                                                    after_sequence=after_sequence)
        return channel.unary_stream(
            "/jobrunner.v1.JobService/StreamResults",
            request_serializer=type(request).SerializeToString)(
                request, timeout=10 * PATIENCE_SECONDS)

    def connect(self):
        # Windows that do not grow, so that a reader that does not read stalls its stream soon.
        channel = grpc.insecure_channel(
            self.server.address, options=[("grpc.use_local_subchannel_pool", 1),
                                          ("grpc.http2.bdp_probe", 0)])
        self.addCleanup(channel.close)
        return channel

    def status_of_server(self, field):
        with open(f"/proc/{self.server.process.pid}/status", encoding="utf-8") as status:
            line, = [line for line in status if line.startswith(field + ":")]
        return int(line.split()[1])

    def resident_bytes(self):
        return 1024 * self.status_of_server("VmRSS")

    def events_of(self, message):
        return self.service.StreamResultsResponse.FromString(message).events

    def statistics(self):
        return self.admin(self.server).GetStatistics(
            self.stubs["admin_service_pb2"].GetStatisticsRequest())

    def test_readers_that_stall_cost_a_message_each_and_delay_nobody(self):
        batch = self.submit(self.echoes(RESULTS, RESULT_BYTES))
        # To the end, so that all that this costs anyway is there.
        self.read_on(self.open_stream(self.connect(), batch), 0)
        before = self.resident_bytes()
        sent = self.statistics().events_sent
        channel = self.connect()
        stalled = []
        for number in range(STALLED):
            # Each at a place of its own, where nobody shares what it is sent.
            after = number * RESULTS // (2 * STALLED)
            stream = self.open_stream(channel, batch, after)
            stalled.append((stream, self.events_of(next(stream))[-1].sequence))
        self.assertEqual(self.statistics().streams, STALLED)
        self.read_on(self.open_stream(channel, batch), 0)
        # On the same connection as those that stall: two messages of a MiB each at most.
        self.assertLess(self.statistics().events_sent - sent,
                        RESULTS + 1 + STALLED * 2 * MIB // RESULT_BYTES)
        grown = self.resident_bytes() - before
        print(f"{STALLED} stalled readers of {RESULTS * RESULT_BYTES >> 20} MiB of results: "
              f"{grown / MIB:.1f} MiB")
        self.assert_memory_less(grown, STALLED * STALLED_BYTES_MAX // 100)

        for stream, sequence in stalled[::STALLED // 4]:
            self.read_on(stream, sequence)
        for stream, _ in stalled:
            stream.cancel()

    def read_on(self, stream, sequence):
        """To the end, without a gap."""
        for message in stream:
            for event in self.events_of(message):
                sequence += 1
                self.assertEqual(event.sequence, sequence)
        self.assertEqual(sequence, RESULTS + 1)

    def test_a_client_that_is_killed_leaves_no_stream_and_its_jobs_go_on(self):
        begun, gate = self.fifo("begun"), self.fifo("gate")
        batch = self.submit_commands(self.server, f"echo > {begun.path}; read x < {gate.path}")
        begun.read_line()
        client = subprocess.Popen(
            [os.path.join(os.environ["JOBRUNNER_BIN"], "jobrunner"), "results",
             "--server", self.server.address, batch], stdout=subprocess.DEVNULL)
        self.addCleanup(client.kill)
        self.await_streams(1)
        client.send_signal(signal.SIGKILL)
        client.wait()
        self.await_streams(0)
        gate.write_line("go")
        results = self.results(self.stream(self.server, batch))
        self.assertEqual([self.state_name(result) for result in results], ["JOB_STATE_SUCCEEDED"])

    def await_streams(self, count):
        """Nothing tells when the server knows that a client came, or went; the calls take turns."""
        while self.statistics().streams != count:
            pass

    def test_idle_readers_cost_little_memory_and_no_thread(self):
        gate = self.fifo("gate")
        job_pb2 = self.stubs["job_pb2"]
        job = job_pb2.Job(command=job_pb2.Command(argv=["/bin/sh", "-c", f"read x < {gate.path}"]))
        for connections in (1, 10, IDLE // 10):
            batch = self.submit(job)
            channels = [self.connect() for _ in range(connections)]
            # One each, so that connections and gRPC's threads are there.
            warm = [self.open_stream(channel, batch) for channel in channels]
            for stream in warm:
                stream.initial_metadata()
            memory, threads = self.resident_bytes(), self.status_of_server("Threads")
            idle = [self.open_stream(channels[number % connections], batch)
                    for number in range(IDLE - connections)]
            for stream in idle:
                stream.initial_metadata()
            self.assertEqual(self.statistics().streams, IDLE)
            self.assertLessEqual(self.status_of_server("Threads"), threads + 4)
            each = (self.resident_bytes() - memory) / len(idle)
            self.assert_memory_less(each, 64 << 10)
            print(f"{IDLE} idle readers on {connections} connections: {each / 1024:.1f} KiB each")

            gate.write_line("go")
            for stream in warm + idle:
                seen = [event.sequence for message in stream for event in self.events_of(message)]
                self.assertEqual(seen, [1, 2])
            for channel in channels:
                channel.close()


if __name__ == "__main__":
    unittest.main()
