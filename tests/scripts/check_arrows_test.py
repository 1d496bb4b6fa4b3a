"""Tests scripts/check-arrows on trees of one file each, and on the project itself."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check-arrows"


def check(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)


def check_tree(path, line):
    """Checks a tree whose only file, at `path`, has `line`."""
    with tempfile.TemporaryDirectory() as root:
        file = pathlib.Path(root) / path
        file.parent.mkdir(parents=True)
        file.write_text(f"#pragma once\n{line}\n")
        return check(root)


class CheckArrows(unittest.TestCase):
    def assert_refused(self, path, line):
        result = check_tree(path, line)
        self.assertEqual(result.returncode, 1, f"{path} may include {line}")
        self.assertIn(f"{path}:2:", result.stdout)

    def assert_allowed(self, path, line):
        result = check_tree(path, line)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_the_project_follows_its_arrows(self):
        result = check()
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_siblings_may_not_include_each_other(self):
        self.assert_refused("server/storage/a.h", '#include "workers/b.h"')
        self.assert_refused("server/rpc/a.cc", '#include "storage/b.h"')
        self.assert_refused("server/web/a.cc", '#include "rpc/b.h"')

    def test_nothing_includes_what_is_above_it(self):
        self.assert_refused("server/base/a.h", '#include "engine/b.h"')
        self.assert_refused("server/base/a.h", '#include "jobrunner/v1/job.pb.h"')
        self.assert_refused("server/engine/a.h", '#  include "storage/b.h"')
        self.assert_refused("server/workers/a.cc", '#include "server/b.h"')
        self.assert_refused("client/a.cc", '#include "engine/b.h"')

    def test_engine_storage_and_workers_know_no_grpc(self):
        for folder in ("base", "engine", "storage", "workers"):
            self.assert_refused(f"server/{folder}/a.h", "#include <grpcpp/grpcpp.h>")
            self.assert_refused(f"server/{folder}/a.h",
                                '#include "jobrunner/v1/job_service.grpc.pb.h"')

    def test_main_includes_its_own_folder_alone(self):
        self.assert_refused("server/main.cc", '#include "engine/b.h"')
        self.assert_allowed("server/main.cc", '#include "server/b.h"')

    def test_nothing_includes_tests(self):
        self.assert_refused("server/server.cc", '#include "support/fake_clock.h"')
        self.assert_refused("server/engine/a.cc", '#include "tests/support/fake_clock.h"')

    def test_what_follows_the_arrows_passes(self):
        self.assert_allowed("server/engine/a.h", '#include "base/clock.h"')
        self.assert_allowed("server/storage/a.h", '#include "engine/store.h"')
        self.assert_allowed("server/server.cc", '#include "rpc/grpc_server.h"')
        self.assert_allowed("server/rpc/a.h", "#include <grpcpp/grpcpp.h>")
        self.assert_allowed("server/base/a.h", "#include <string>")


if __name__ == "__main__":
    unittest.main()
