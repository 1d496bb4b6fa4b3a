"""examples/workers/ruby passes the suite of the worker kits."""

import pathlib
import shutil
import subprocess
import unittest

from server_process import PROTOS, ServerTest
from worker_conformance import WorkerConformance
from worker_process import KITS, environment


class RubyWorkerTest(WorkerConformance, ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.command = ["ruby", "-I", cls.stub_directory, KITS / "ruby" / "example.rb"]
        cls.env = environment()
        files = sorted(pathlib.Path(PROTOS).glob("jobrunner/v1/*.proto"))
        subprocess.run(["protoc", "-I", PROTOS, "--ruby_out", cls.stub_directory,
                        "--grpc_out", cls.stub_directory, "--plugin=protoc-gen-grpc=" +
                        shutil.which("grpc_ruby_plugin"), *files], check=True)


if __name__ == "__main__":
    unittest.main()
