"""The example clients do what they say, also when their connection is cut and their server killed."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from cutting_proxy import CuttingProxy  # noqa: E402
from server_process import load_stubs  # noqa: E402

EXPECTED = [
    "1 nap 0 JOB_STATE_SUCCEEDED",
    "2 nap 1 JOB_STATE_SUCCEEDED",
    "3 nap 2 JOB_STATE_SUCCEEDED",
    "4 nap 3 JOB_STATE_SUCCEEDED",
    "5 nap 4 JOB_STATE_SUCCEEDED",
    "6 BATCH_STATE_SUCCEEDED",
    "hello",
]


def start_server(store):
    """A jobrunnerd that serves, and its address."""
    jobrunnerd = pathlib.Path(os.environ["JOBRUNNER_BIN"]) / "jobrunnerd"
    words = [jobrunnerd, f"--store={store}", "--listen=127.0.0.1:0", "--workers_max=8"]
    server = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return server, server.stdout.readline().split()[-1]


def end_server(server, how=signal.SIGTERM):
    server.send_signal(how)
    server.wait()
    server.stdout.close()


class Clients:
    """For a class with the client's command and environment."""

    def run_program(self, proxy, after_lines=None, do=None):
        """Its lines; `do` is called when so many of them are there."""
        lines = []
        with subprocess.Popen([*self.command, proxy.address], env=self.env, text=True,
                              stdout=subprocess.PIPE) as program:
            self.addCleanup(program.kill)
            for line in program.stdout:
                lines.append(line.rstrip())
                if len(lines) == after_lines:
                    do()
        self.assertEqual(program.returncode, 0, lines)
        return lines

    def serve(self, store):
        server, address = start_server(store)
        self.addCleanup(lambda: server.returncode is None and end_server(server))
        return server, address

    def proxy_to(self, address):
        proxy = CuttingProxy(address)
        self.addCleanup(proxy.close)
        return proxy

    def test_it_submits_follows_waits_and_cancels(self):
        _, address = self.serve("memory:")
        lines = self.run_program(self.proxy_to(address))
        self.assertEqual(lines[:-1], EXPECTED)
        self.assertIn("enough seen", lines[-1])

    def test_it_takes_its_stream_up_where_it_was_cut(self):
        _, address = self.serve("memory:")
        proxy = self.proxy_to(address)
        cut = []
        lines = self.run_program(proxy, 3, lambda: cut.append(proxy.cut()))
        self.assertGreater(cut[0], 0)
        self.assertEqual(lines[:-1], EXPECTED)

    def test_it_goes_on_when_a_killed_server_is_started_again(self):
        directory = tempfile.TemporaryDirectory(prefix="jobrunner-clients-")
        self.addCleanup(directory.cleanup)
        store = f"rocksdb:{directory.name}/store"
        server, address = self.serve(store)
        proxy = self.proxy_to(address)

        def kill_and_start():
            end_server(server, signal.SIGKILL)
            proxy.lead_to(self.serve(store)[1])

        lines = self.run_program(proxy, 3, kill_and_start)
        self.assertEqual(server.returncode, -signal.SIGKILL)
        # The attempt that was killed has an event of its own, which is not shown.
        self.assertEqual([line.split(" ", 1)[-1] for line in lines[:-1]],
                         [line.split(" ", 1)[-1] for line in EXPECTED])
        self.assertIn("enough seen", lines[-1])
        sequences = [int(line.split()[0]) for line in lines[:6]]
        self.assertEqual(sequences, sorted(set(sequences)))


class PythonClient(Clients, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stubs = tempfile.TemporaryDirectory(prefix="jobrunner-stubs-")
        cls.addClassCleanup(stubs.cleanup)
        load_stubs(stubs.name)
        cls.command = [sys.executable, "-B", ROOT / "examples" / "clients" / "python" / "example.py"]
        cls.env = {**os.environ, "PYTHONPATH": stubs.name}


class CppClient(Clients, unittest.TestCase):
    command = [pathlib.Path(os.environ["JOBRUNNER_BIN"]) / "cpp_client"]
    env = None


class NodeClient(Clients, unittest.TestCase):
    command = ["node", ROOT / "examples" / "clients" / "node" / "example.mjs"]
    env = None


if __name__ == "__main__":
    unittest.main()
