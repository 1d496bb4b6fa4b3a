"""The example clients do what they say, also when their connection is cut."""

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


class Clients:
    """For a class with the client's command and environment."""

    @classmethod
    def setUpClass(cls):
        jobrunnerd = pathlib.Path(os.environ["JOBRUNNER_BIN"]) / "jobrunnerd"
        words = [jobrunnerd, "--store=memory:", "--listen=127.0.0.1:0", "--workers_max=8"]
        cls.server = subprocess.Popen(words, text=True, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.end_server)
        cls.proxy = CuttingProxy(cls.server.stdout.readline().split()[-1])
        cls.addClassCleanup(cls.proxy.close)

    @classmethod
    def end_server(cls):
        cls.server.send_signal(signal.SIGTERM)
        cls.server.wait()
        cls.server.stdout.close()

    def run_program(self, cut_after):
        """Its lines; the connection is cut when that many of them are there."""
        lines = []
        cut = 0
        with subprocess.Popen([*self.command, self.proxy.address], env=self.env, text=True,
                              stdout=subprocess.PIPE) as program:
            self.addCleanup(program.kill)
            for line in program.stdout:
                lines.append(line.rstrip())
                if len(lines) == cut_after:
                    cut = self.proxy.cut()
        self.assertEqual(program.returncode, 0, lines)
        return lines, cut

    def test_it_submits_follows_waits_and_cancels(self):
        lines, _ = self.run_program(cut_after=None)
        self.assertEqual(lines[:-1], EXPECTED)
        self.assertIn("enough seen", lines[-1])

    def test_it_takes_its_stream_up_where_it_was_cut(self):
        lines, cut = self.run_program(cut_after=3)
        self.assertGreater(cut, 0)
        self.assertEqual(lines[:-1], EXPECTED)


class PythonClient(Clients, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stubs = tempfile.TemporaryDirectory(prefix="jobrunner-stubs-")
        cls.addClassCleanup(stubs.cleanup)
        load_stubs(stubs.name)
        cls.command = [sys.executable, "-B", ROOT / "examples" / "clients" / "python" / "example.py"]
        cls.env = {**os.environ, "PYTHONPATH": stubs.name}


class NodeClient(Clients, unittest.TestCase):
    command = ["node", ROOT / "examples" / "clients" / "node" / "example.mjs"]
    env = None


if __name__ == "__main__":
    unittest.main()
