"""The quick start of the README, its lines taken from it as they stand, does what it says."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ADDRESS = "127.0.0.1:7420"


def block_with(text):
    """The one block of shell commands that has the text."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.S | re.M)
    block, = [block for block in blocks if text in block]
    return block


class ReadmeShell(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="jobrunner-readme-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def start(self, commands):
        bin_directory = os.environ["JOBRUNNER_BIN"]
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("JOBRUNNER_")}
        environment["PATH"] = f"{bin_directory}:{environment['PATH']}"
        environment["XDG_RUNTIME_DIR"] = str(self.directory)
        environment["STATE_DIRECTORY"] = f"{self.directory}/state"
        return subprocess.Popen(["bash", "-c", commands], cwd=self.directory, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run_commands(self, commands):
        with self.start(commands) as shell:
            output, errors = shell.communicate(timeout=90)
            return shell.returncode, output, errors

    def test_without_a_server(self):
        (self.directory / "a.cc").write_text("1\n2\n")
        status, output, errors = self.run_commands(block_with("jobrunner run -j 2"))
        self.assertIn("2 ./a.cc\n", output)
        self.assertIn("/etc/hostname\t/etc/hostname\n", output)
        self.assertIn("/nonexistent\t", errors)
        self.assertEqual(status, 1, "one job failed")

    def test_with_a_server(self):
        # A socket of the test's own instead of the port that everybody has.
        address = f"unix:{self.directory}/socket"
        first = block_with("jobrunnerd --config")
        second = block_with("jobrunner submit").replace(ADDRESS, address)
        # It never ends.
        second = re.sub(r"^jobrunner errors .*\n", "", second, flags=re.M)
        with self.start(first.replace("jobrunnerd --config",
                                      f"exec jobrunnerd --listen={address} --config")) as server:
            self.addCleanup(server.kill)
            self.assertEqual(server.stdout.readline(), f"jobrunnerd: serving on {address}\n")
            _, output, errors = self.run_commands(f"export JOBRUNNER_SERVER={address}\n{second}")
            self.assertEqual(server.wait(60), 0)

        sums = subprocess.run(["sha256sum", "/etc/passwd", "/etc/group"], text=True,
                              capture_output=True, check=True).stdout.splitlines()
        for expected in [*sums, "serving", "hello"]:
            self.assertIn(f"{expected}\n", output, errors)
        for expected in ["(hello): succeeded", "(passwd): succeeded", "(long): cancelled",
                         "enough seen"]:
            self.assertIn(expected, errors)
        self.assertRegex(output, "2 +long +(running|queued)")


if __name__ == "__main__":
    unittest.main()
