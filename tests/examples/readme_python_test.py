"""The Python program of the README, taken from it as it stands, does what the README says of it."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from cutting_proxy import CuttingProxy  # noqa: E402

# Events after which the connection is cut.
CUTS = (3, 10, 11)
JOBS = 30


def code_blocks(language):
    readme = (ROOT / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", readme, re.S | re.M)


def make_stubs(directory):
    """By the command that the README names."""
    command, = [block for block in code_blocks("sh") if "protoc" in block]
    os.symlink(ROOT / "proto", directory / "proto")
    subprocess.run(["bash", "-euc", command], cwd=directory, check=True)


class ReadmePython(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="jobrunner-readme-")
        cls.addClassCleanup(cls.directory.cleanup)
        directory = pathlib.Path(cls.directory.name)
        make_stubs(directory)
        program, = code_blocks("python")
        (directory / "program.py").write_text(program)

        jobrunnerd = pathlib.Path(os.environ["JOBRUNNER_BIN"]) / "jobrunnerd"
        cls.server = subprocess.Popen([jobrunnerd, "--store=memory:", "--listen=127.0.0.1:0"], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.end_server)
        proxy = CuttingProxy(cls.server.stdout.readline().split()[-1])
        cls.addClassCleanup(proxy.close)
        cls.lines = cls.run_program(directory, proxy)

    @classmethod
    def run_program(cls, directory, proxy):
        """Its lines; the connection is cut each time that one of CUTS is shown."""
        lines = []
        with subprocess.Popen([sys.executable, "program.py", proxy.address], cwd=directory,
                              text=True, stdout=subprocess.PIPE) as program:
            cls.addClassCleanup(program.kill)
            cuts = list(CUTS)
            for line in program.stdout:
                lines.append(line.rstrip())
                if cuts and line.startswith(f"{cuts[0]} "):
                    cuts.pop(0)
                    proxy.cut()
        cls.status = program.returncode
        return lines

    @classmethod
    def end_server(cls):
        cls.server.send_signal(signal.SIGTERM)
        cls.server.wait()
        cls.server.stdout.close()

    def events(self, batch):
        """The lines of the first or the second batch, as (sequence, text)."""
        events = [line.split(" ", 1) for line in self.lines if line[0].isdigit()]
        first = [(int(sequence), text) for sequence, text in events[:JOBS + 1]]
        rest = [(int(sequence), text) for sequence, text in events[JOBS + 1:]]
        return (first, rest)[batch]

    def test_it_ends_well(self):
        self.assertEqual(self.status, 0, self.lines)

    def test_it_loses_its_connection_each_time_that_it_is_cut(self):
        lost = [line for line in self.lines if line.startswith("lost the connection")]
        # Two cuts that are close together may be one loss.
        self.assertIn(len(lost), range(1, len(CUTS) + 1), self.lines)

    def test_it_sees_each_event_once_and_in_order(self):
        sequences = [sequence for sequence, _ in self.events(0)]
        self.assertEqual(sequences, list(range(1, JOBS + 2)))
        self.assertEqual(self.events(0)[-1][1], "the batch: SUCCEEDED")

    def test_it_cancels_the_second_batch(self):
        events = self.events(1)
        self.assertEqual([sequence for sequence, _ in events], [1, 2, 3, 4])
        for _, text in events[:3]:
            self.assertIn("CANCELLED REASON_CLIENT_CANCEL", text)
        self.assertEqual(events[3][1], "the batch: CANCELLED")


if __name__ == "__main__":
    unittest.main()
