"""Runs the example program of a worker kit, as a process of its own."""

import os
import pathlib
import signal
import subprocess
import time

from server_process import Pid

# For whatever is waited for; only a failing test waits so long. (Some runtimes take seconds to start
# on a busy machine.)
PATIENCE_SECONDS = 60

KITS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "workers"


class Worker:
    """A worker with the handlers that every kit's example has. What it says goes to a file."""

    def __init__(self, command, address, name, slots, log_path, env):
        self.name = name
        self.log_path = log_path
        with open(log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.command_line(command, address, name, slots),
                                            env=env, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        self.pid = Pid(self.process.pid)

    def command_line(self, command, address, name, slots):
        """As the kits' examples take it."""
        return [*command, address, name, str(slots)]

    def await_said(self, text):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.said():
            if time.monotonic() > deadline:
                raise AssertionError(f"never said {text!r}, but: {self.said()}")
            time.sleep(0.01)

    def said(self):
        with open(self.log_path, encoding="utf-8") as log:
            return log.read()

    def kill(self):
        """Ends it with SIGKILL; returns once it is gone."""
        self.process.kill()
        return self.await_exit()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)

    def ask_to_leave(self):
        self.process.send_signal(signal.SIGTERM)

    def await_exit(self):
        if not self.pid.has_ended(PATIENCE_SECONDS):
            raise AssertionError("the worker does not end: " + self.said())
        return self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.pid.close()


def environment(**more):
    return {**os.environ, "GRPC_VERBOSITY": "NONE", **more}
