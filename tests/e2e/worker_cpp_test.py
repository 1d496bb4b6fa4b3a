"""examples/workers/cpp passes the suite of the worker kits."""

import os
import unittest

from programs import BIN
from server_process import ServerTest
from worker_conformance import WorkerConformance
from worker_process import environment


class CppWorkerTest(WorkerConformance, ServerTest):
    command = [os.path.join(BIN, "cpp_worker")]
    env = environment()


if __name__ == "__main__":
    unittest.main()
