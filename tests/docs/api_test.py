"""The snippets of docs/api.md, taken from it as they stand, do what the page says they print."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()


def code_blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.S | re.M)


def expected_lines(program):
    """What stands beside each print; several lines of one are apart by "; "."""
    lines = []
    for text in re.findall(r"^ *print\(.*\)(.*)$", program, re.M):
        assert text.startswith("  # "), text
        lines += text[4:].split("; ")
    return lines


class ApiPage(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="jobrunner-api-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        os.symlink(ROOT / "proto", self.directory / "proto")
        jobrunnerd = pathlib.Path(os.environ["JOBRUNNER_BIN"]) / "jobrunnerd"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = self.directory / "config.json"
        config.write_text(json.dumps({"http": {"enabled": True, "allow": [
            {"host": "127.0.0.1", "port": self.port, "allow_private": True}]}}))
        self.server = subprocess.Popen([jobrunnerd, f"--config={config}", "--store=memory:",
                                        "--listen=127.0.0.1:0"], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_server)
        self.address = self.server.stdout.readline().split()[-1]

    def end_server(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()
        self.server.stdout.close()

    def test_the_snippets_print_what_the_page_says(self):
        stubs, = code_blocks("sh")
        subprocess.run(["bash", "-euc", stubs], cwd=self.directory, check=True)
        program = "\n".join(code_blocks("python"))
        (self.directory / "program.py").write_text(program)
        done = subprocess.run([sys.executable, "program.py", self.address, str(self.port)],
                              cwd=self.directory, text=True, capture_output=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = expected_lines(program)
        self.assertGreater(len(expected), 8)
        self.assertEqual(done.stdout.splitlines(), expected)


if __name__ == "__main__":
    unittest.main()
