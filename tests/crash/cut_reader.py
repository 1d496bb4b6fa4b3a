#!/usr/bin/env python3
"""A reader of a batch's log that is cut off again and again, at random, in every way, also by the
death of the server, and takes its stream up where it was: in the end it must have, bit for bit, what
a reader has that nobody disturbed.

usage: cut_reader.py [--cuts N] [--kills N] [--seed N] [--keep]

Needs JOBRUNNER_BIN and JOBRUNNER_PROTO in the environment, as ctest sets them. Of the cuts so many are
kills with -9. Prints its seed; --seed gives the same work and the same cuts again."""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
# pylint: disable=wrong-import-position
from cutting_proxy import CuttingProxy
from server_process import Server, load_stubs

PATIENCE_SECONDS = 120
# Between two cuts, on average.
EVENTS_PER_CUT = 4
# What a stream says that was cut off.
CUT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)


def split_events(message):
    """The serialized events of a StreamResultsResponse: field 1, each with its length, as they came."""
    events = []
    position = 0
    while position < len(message):
        if message[position] != 0x0A:
            raise AssertionError(f"field 1 was expected at {position}")
        position += 1
        length = shift = 0
        while True:
            byte = message[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        events.append(message[position:position + length])
        position += length
    return events


class Run:
    def __init__(self, arguments):
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.directory = tempfile.mkdtemp(prefix="jobrunner-cut-")
        stub_directory = os.path.join(self.directory, "stubs")
        os.mkdir(stub_directory)
        self.stubs = load_stubs(stub_directory)
        self.server = None
        self.proxy = None
        self.channel = None
        self.call = None
        self.seen = []
        self.cuts = dict.fromkeys(("left", "closed", "cut", "reset", "killed"), 0)

    # The server.

    def start_server(self):
        self.server = Server(
            ["--listen=127.0.0.1:0", "--allow_any_command", "--workers_max=8",
             f"--store=rocksdb:{self.directory}/store", f"--log_file={self.directory}/log",
             "--log_level=warning"], cwd=self.directory)
        self.server.await_serving()
        if self.proxy is None:
            self.proxy = CuttingProxy(self.server.address)
        self.proxy.lead_to(self.server.address)

    def kill_server(self):
        self.server.send(signal.SIGKILL)
        self.server.await_exit()
        self.server.close()
        self.start_server()

    # The work.

    def random_batch(self):
        job_pb2 = self.stubs["job_pb2"]
        jobs = [job_pb2.Job(key=f"k{number}", **self.random_work(job_pb2))
                for number in range(self.arguments.cuts * EVENTS_PER_CUT)]
        options = job_pb2.JobOptions(stream_output=True)
        options.retry_policy.max_attempts = 3
        options.retry_policy.initial_backoff.nanos = 5_000_000
        return self.stubs["batch_pb2"].BatchSpec(jobs=jobs, job_defaults=options,
                                                 max_parallelism=4)

    def random_work(self, job_pb2):
        kind = self.random.choices(("echo", "sleep", "fail", "command"), (40, 40, 15, 5))[0]
        if kind == "command":
            return {"command": job_pb2.Command(argv=["/bin/sh", "-c", "echo out; exit 1"])}
        payload = {"echo": "x" * self.random.choice((0, 10, 300, 5000)),
                   "sleep": str(self.random.randrange(60)),
                   "fail": '{"message": "no", "succeed_on_attempt": %d}' % self.random.randrange(1, 6)}
        return {"handler": job_pb2.HandlerCall(name=kind, payload=payload[kind].encode())}

    def submit(self):
        service = self.stubs["job_service_pb2_grpc"].JobServiceStub(self.server.channel)
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(batch=self.random_batch())
        return service.SubmitBatch(request).batch.id

    # The readers.

    def stream(self, channel, batch_id, after_sequence):
        request = self.stubs["job_service_pb2"].StreamResultsRequest(
            batch_id=batch_id, after_sequence=after_sequence, follow=True)
        return channel.unary_stream(
            "/jobrunner.v1.JobService/StreamResults",
            request_serializer=type(request).SerializeToString)(request, timeout=PATIENCE_SECONDS)

    def connect(self):
        if self.channel is None:
            self.channel = grpc.insecure_channel(
                self.proxy.address, options=[("grpc.use_local_subchannel_pool", 1)])
        return self.channel

    def drop_connection(self):
        if self.channel is not None:
            self.channel.close()
        self.channel = None

    def read_cut_off(self, batch_id):
        """Reads to the end, cut off now and then; gives up the rest of a message with a cut."""
        ways = ["killed"] * self.arguments.kills
        ways += self.random.choices(("left", "closed", "cut", "reset"),
                                    k=self.arguments.cuts - len(ways))
        self.random.shuffle(ways)
        while ways:
            if self.read_some(batch_id, self.random.randrange(2 * EVENTS_PER_CUT)):
                raise AssertionError(f"the log ended with {len(ways)} cuts to come")
            way = ways.pop()
            if self.cut_off(way):
                self.cuts[way] += 1
            else:
                ways.insert(0, way)
        while not self.read_some(batch_id, None):
            pass

    def read_some(self, batch_id, count):
        """True at the end of the log. Leaves the stream open after `count` more events."""
        self.call = self.stream(self.connect(), batch_id, len(self.seen))
        try:
            if count == 0:
                # It is served, and waits or is about to write.
                self.call.initial_metadata()
                return False
            for message in self.call:
                for event in split_events(message):
                    self.seen.append(event)
                    if count is not None:
                        count -= 1
                        if count == 0:
                            return False
            return True
        except grpc.RpcError as error:
            raise AssertionError(f"a stream broke that nobody cut: {error}") from error

    def cut_off(self, way):
        """Whether there was a stream to be cut."""
        if way == "left":
            self.call.cancel()
        elif way == "closed":
            self.drop_connection()
        elif way == "cut":
            self.proxy.cut()
        elif way == "reset":
            self.proxy.reset()
        elif way == "killed":
            self.kill_server()
        was_cut = self.await_cut()
        if way != "left":
            self.drop_connection()
        return was_cut

    def await_cut(self):
        """The stream ends, and not well. (What was on its way may come before.) False if all that was
        left had been sent already."""
        try:
            for _ in self.call:
                pass
        except grpc.RpcError as error:
            if error.code() in CUT:
                return True
            raise
        return False

    def read_undisturbed(self, batch_id):
        return [event for message in self.stream(self.server.channel, batch_id, 0)
                for event in split_events(message)]

    # The whole.

    def run(self):
        self.start_server()
        batch_id = self.submit()
        self.read_cut_off(batch_id)
        faults = self.compare(self.read_undisturbed(batch_id))
        # And once more as the next server reads it.
        self.kill_server()
        faults += self.compare(self.read_undisturbed(batch_id))
        return self.report(faults)

    def compare(self, undisturbed):
        if self.seen == undisturbed:
            return []
        first = next((index for index, (mine, other) in enumerate(zip(self.seen, undisturbed))
                      if mine != other), min(len(self.seen), len(undisturbed)))
        return [f"{len(self.seen)} events against {len(undisturbed)}, the first that differs is "
                f"{first + 1}"]

    def report(self, faults):
        sequences = [self.stubs["event_pb2"].Event.FromString(event).sequence
                     for event in self.seen]
        if sequences != list(range(1, len(sequences) + 1)):
            faults.append("the sequences have a gap or a duplicate")
        faults += [f"no stream was {way}" for way, count in self.cuts.items()
                   if not count and (way != "killed" or self.arguments.kills)]
        counts = ", ".join(f"{count} {way}" for way, count in self.cuts.items())
        print(f"seed {self.arguments.seed}: {sum(self.cuts.values())} streams cut off ({counts}), "
              f"{len(self.seen)} events with {sum(map(len, self.seen))} bytes; "
              f"{len(faults)} faults")
        for fault in faults:
            print("  " + fault)
        if faults or self.arguments.keep:
            print(f"kept: {self.directory}; again with --seed {self.arguments.seed}")
        return 1 if faults else 0

    def close(self):
        self.drop_connection()
        if self.proxy is not None:
            self.proxy.close()
        if self.server is not None:
            self.server.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {arguments.seed}", flush=True)
    run = Run(arguments)
    code = 1
    try:
        code = run.run()
    finally:
        run.close()
        if code == 0 and not arguments.keep:
            shutil.rmtree(run.directory)
    return code


if __name__ == "__main__":
    sys.exit(main())
