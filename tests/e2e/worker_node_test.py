"""examples/workers/node passes the suite of the worker kits."""

import unittest

from server_process import ServerTest
from worker_conformance import WorkerConformance
from worker_process import KITS, environment


class NodeWorkerTest(WorkerConformance, ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.command = ["node", KITS / "node" / "example.mjs"]
        cls.env = environment()


if __name__ == "__main__":
    unittest.main()
