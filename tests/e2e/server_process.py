"""Runs jobrunnerd as it is built, and speaks to it with stock grpcio. What is started here is ended
here, by its own pid. Nothing waits by sleeping: lines, pipes and pidfds say when something is."""

import importlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

import grpc

SERVER = os.path.join(os.environ["JOBRUNNER_BIN"], "jobrunnerd")
PROTOS = os.environ["JOBRUNNER_PROTO"]
# Which sanitizers it is built with, if any.
SANITIZERS = os.environ.get("JOBRUNNER_SANITIZE", "")

# For whatever is waited for; only a failing test waits so long.
PATIENCE_SECONDS = 20


def load_stubs(directory):
    """Generates the Python stubs, and returns the modules by their last names."""
    files = sorted("jobrunner/v1/" + name for name in os.listdir(PROTOS + "/jobrunner/v1"))
    plugin = shutil.which("grpc_python_plugin")
    subprocess.run(["protoc", "-I", PROTOS, "--python_out", directory, "--grpc_out", directory,
                    "--plugin=protoc-gen-grpc=" + plugin, *files], check=True)
    sys.path.insert(0, directory)
    return {os.path.basename(name)[:-len(".proto")] + kind:
            importlib.import_module(name[:-len(".proto")].replace("/", ".") + kind)
            for name in files for kind in ("_pb2", "_pb2_grpc")}


class Pid:
    """A process that is not ours, held by a descriptor so that its number cannot be another's."""

    def __init__(self, pid):
        self.fd = os.pidfd_open(pid)

    def has_ended(self, timeout_seconds=0):
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(timeout_seconds * 1000))

    def close(self):
        os.close(self.fd)


class Fifo:
    """What commands write into, a line at a time."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        # Open for both, so that neither side waits for the other to open it.
        self.file = open(path, "r+b", buffering=0)
        self.rest = b""

    def read_line(self):
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.file], [], [], PATIENCE_SECONDS)
            if not ready:
                raise AssertionError("no line came through " + self.path)
            self.rest += os.read(self.file.fileno(), 4096)
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def write_line(self, line):
        os.write(self.file.fileno(), line.encode() + b"\n")

    def close(self):
        self.file.close()


class Server:
    """A running jobrunnerd. Its standard error is read where a test asks for a line of it."""

    def __init__(self, words, **popen):
        self.process = subprocess.Popen([SERVER, *words], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        self.pid = Pid(self.process.pid)
        self.said = []
        self.channel = None
        self.closed = False

    def await_serving(self):
        line = self.process.stdout.readline().decode()
        if not line.startswith("jobrunnerd: serving on "):
            raise AssertionError(f"{line!r} {self.process.stderr.read().decode()}")
        self.address = line.split()[-1]
        self.channel = grpc.insecure_channel(self.address)
        return self

    def await_said(self, text):
        """Reads standard error up to a line with the text, and returns that."""
        for line in iter(self.process.stderr.readline, b""):
            self.said.append(line.decode())
            if text in self.said[-1]:
                return self.said[-1]
        raise AssertionError(f"never said {text!r}, but: {''.join(self.said)}")

    def send(self, number):
        self.process.send_signal(number)

    def await_exit(self):
        if not self.pid.has_ended(PATIENCE_SECONDS):
            raise AssertionError("jobrunnerd does not end")
        return self.process.wait()

    def close(self):
        if self.closed:
            return
        if self.channel is not None:
            self.channel.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        self.pid.close()
        self.closed = True


class ServerTest(unittest.TestCase):
    """Gives each test a directory of its own; what it starts is gone at its end."""

    @classmethod
    def setUpClass(cls):
        cls.stub_directory = tempfile.mkdtemp(prefix="jobrunner-stubs-")
        cls.addClassCleanup(shutil.rmtree, cls.stub_directory, ignore_errors=True)
        cls.stubs = load_stubs(cls.stub_directory)

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="jobrunner-e2e-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def assert_memory_less(self, used_bytes, most_bytes):
        """A sanitizer keeps what was freed, and marks beside all that is not: then it says nothing."""
        if not SANITIZERS:
            self.assertLess(used_bytes, most_bytes)

    def launch(self, *words, **popen):
        """Starts a server: with the memory store, unless `words` or the environment name another."""
        if not any(word.startswith("--store=") for word in words) and "env" not in popen:
            words = ("--store=memory:", *words)
        server = Server(words, cwd=self.directory, **popen)
        self.addCleanup(server.close)
        return server

    def serve(self, *words, **popen):
        """Starts a server on a free port, and waits until it serves."""
        return self.launch("--listen=127.0.0.1:0", "--allow_any_command", *words,
                           **popen).await_serving()

    def fifo(self, name):
        fifo = Fifo(self.path(name))
        self.addCleanup(fifo.close)
        return fifo

    def hold(self, pid):
        held = Pid(int(pid))
        self.addCleanup(held.close)
        return held

    # Calls.

    def jobs(self, server):
        return self.stubs["job_service_pb2_grpc"].JobServiceStub(server.channel)

    def admin(self, server):
        return self.stubs["admin_service_pb2_grpc"].AdminServiceStub(server.channel)

    def health(self, server):
        """What grpc.health.v1 says of the whole server. (Its package's name is taken in Python, by
        grpcio, so that the messages are spelt out.)"""
        answer = server.channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
        return {b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}.get(answer, answer)

    def submit_commands(self, server, *scripts):
        """Submits shell scripts as a batch; returns its id."""
        batch = self.stubs["batch_pb2"].BatchSpec()
        for index, script in enumerate(scripts):
            job = batch.jobs.add(key=f"job {index}")
            job.command.argv.extend(["/bin/sh", "-c", script])
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(batch=batch)
        return self.jobs(server).SubmitBatch(request).batch.id

    def stream(self, server, batch_id):
        """The events of the batch, live, one by one."""
        request = self.stubs["job_service_pb2"].StreamResultsRequest(batch_id=batch_id, follow=True)
        responses = self.jobs(server).StreamResults(request)
        return (event for response in responses for event in response.events)

    def results(self, events):
        return [event.result for event in events if event.WhichOneof("kind") == "result"]

    def state_name(self, result):
        return self.stubs["job_pb2"].JobState.Name(result.state)

    def reason_name(self, result):
        return self.stubs["event_pb2"].Reason.Name(result.error.reason)


