"""Starts the programs under test, and looks at the processes they leave. Everything that is started
here is ended here, by its own pid."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

BIN = os.environ["JOBRUNNER_BIN"]
CLIENT = os.path.join(BIN, "jobrunner")
SERVER = os.path.join(BIN, "jobrunnerd")

# For whatever is waited for; only a failing test waits so long.
PATIENCE_SECONDS = 60


def await_that(condition, what):
    """Waits until condition() is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain: " + what)
        time.sleep(0.01)


def processes_with(text):
    """The pids of the living processes, but this one, whose command line has the text."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                words = cmdline.read().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if text in words and int(pid) != os.getpid():
            found.append(int(pid))
    return found


class ProgramTest(unittest.TestCase):
    """Gives each test a directory of its own, in which private servers live too."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="jobrunner-e2e-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.runtime = os.path.join(self.directory, "runtime")
        os.mkdir(self.runtime, 0o700)

    def environment(self, **more):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("JOBRUNNER_")}
        environment["XDG_RUNTIME_DIR"] = self.runtime
        environment.update(more)
        return environment

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def client(self, *words, stdin="", env=None, check=None):
        """Runs the client to its end; `check` is the exit status it must have."""
        done = subprocess.run([CLIENT, *words], input=stdin, text=True, capture_output=True,
                              cwd=self.directory, env=env or self.environment(),
                              timeout=PATIENCE_SECONDS, check=False)
        if check is not None:
            self.assertEqual(done.returncode, check, done)
        return done

    def start_client(self, *words, **more):
        """Starts the client, with pipes; it is killed at the end of the test."""
        process = subprocess.Popen([CLIENT, *words], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   cwd=self.directory, env=self.environment(), **more)
        self.addCleanup(self.end, process, signal.SIGKILL)
        return process

    def start_server(self, *flags):
        """Starts a server on a free port, with the memory store; returns its process and address."""
        process = subprocess.Popen([SERVER, "--listen=127.0.0.1:0", "--store=memory:", *flags],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   cwd=self.directory, env=self.environment())
        self.addCleanup(self.end, process, signal.SIGTERM)
        line = process.stdout.readline()
        self.assertTrue(line.startswith("jobrunnerd: serving on "), line)
        return process, line.split()[-1]

    def end(self, process, number):
        if process.poll() is None:
            process.send_signal(number)
            process.wait(PATIENCE_SECONDS)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def assert_nothing_is_left(self):
        """No private server, no directory of one."""
        await_that(lambda: not os.listdir(self.runtime), "the private server's directory to go")
        await_that(lambda: not processes_with(self.runtime), "the private server to end")
