"""examples/workers/python passes the suite of the worker kits."""

import sys
import unittest

from server_process import ServerTest
from worker_conformance import WorkerConformance
from worker_process import KITS, environment


class PythonWorkerTest(WorkerConformance, ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.command = [sys.executable, "-B", KITS / "python" / "example.py"]
        cls.env = environment(PYTHONPATH=cls.stub_directory)


if __name__ == "__main__":
    unittest.main()
