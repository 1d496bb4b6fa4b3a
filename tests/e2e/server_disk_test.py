"""A server whose disk fails, or is full (T10 and T11)."""

import os
import signal
import subprocess
import threading
import unittest

import grpc

from server_process import PATIENCE_SECONDS, ServerTest

# More than any fault here lets pass.
SUBMITS_MAX = 100_000

FAILING_SYNC = os.path.join(os.environ["JOBRUNNER_BIN"], "libfailing_sync.so")


class DiskTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.store = "--store=rocksdb:" + self.path("store")

    def submit(self, server, payload=b"x", request_id=""):
        job_pb2 = self.stubs["job_pb2"]
        job = job_pb2.Job(handler=job_pb2.HandlerCall(name="echo", payload=payload))
        batch = self.stubs["batch_pb2"].BatchSpec(jobs=[job])
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(batch=batch,
                                                                  request_id=request_id)
        return self.jobs(server).SubmitBatch(request, timeout=PATIENCE_SECONDS).batch.id

    def submit_until_refused(self, server, payload=b"x"):
        """The batches that were acknowledged, and what the first one was refused with."""
        acknowledged = []
        while len(acknowledged) < SUBMITS_MAX:
            try:
                acknowledged.append(self.submit(server, payload))
            except grpc.RpcError as error:
                return acknowledged, error
        self.fail("no submit was ever refused")
        return None

    def watch_health(self, server):
        """Gathers what grpc.health.v1 says until the connection ends."""
        states = []

        def watch():
            try:
                for answer in server.channel.unary_stream("/grpc.health.v1.Health/Watch")(b""):
                    states.append({b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}[answer])
            except grpc.RpcError:
                pass
        watcher = threading.Thread(target=watch)
        watcher.start()
        return states, watcher

    def assert_ends_with(self, server, text):
        self.assertEqual(server.await_exit(), 1)
        said = "".join(server.said) + server.process.stderr.read().decode()
        self.assertIn("the store failed", said)
        self.assertIn(text, said)

    def assert_all_there(self, batches, *words):
        """A server that starts on the store again has each batch, and brings it to its end."""
        server = self.serve(self.store, *words)
        for batch in batches:
            results = self.results(self.stream(server, batch))
            self.assertEqual([self.state_name(result) for result in results],
                             ["JOB_STATE_SUCCEEDED"])
        return server

    def test_nothing_is_acknowledged_after_a_sync_that_failed(self):
        for at in (1, 2, 5):
            with self.subTest(at=at):
                self.fail_a_sync(at)

    def fail_a_sync(self, at):
        arm, log = self.path(f"arm{at}"), self.path(f"log{at}")
        environment = {**os.environ, "LD_PRELOAD": FAILING_SYNC, "FAIL_SYNC_AT": arm,
                       "FAIL_SYNC_LOG": log}
        server = self.serve(self.store, env=environment)
        batches = [self.submit(server)]
        states, watcher = self.watch_health(server)
        os.rename(self.write(f"number{at}", str(at)), arm)
        acknowledged, _ = self.submit_until_refused(server)
        self.assert_ends_with(server, "")
        watcher.join(PATIENCE_SECONDS)
        self.assertFalse(watcher.is_alive())
        self.assertNotIn("SERVING", states[1:])
        with open(log, encoding="utf-8") as file:
            lines = file.read().splitlines()
        failed = [index for index, line in enumerate(lines) if line.startswith("failed ")]
        self.assertEqual(failed, [at - 1], lines)
        path = lines[at - 1].removeprefix("failed ")
        self.assertNotIn("ok " + path, lines[at:], "a sync was tried again")
        server = self.assert_all_there(batches + acknowledged)
        server.send(signal.SIGTERM)
        self.assertEqual(server.await_exit(), 0)

    def mount_small_disk(self):
        """A disk of its own for the store, which needs root."""
        disk = self.path("disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", disk],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no disk can be mounted here: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=False)
        self.store = f"--store=rocksdb:{disk}/store"
        return disk

    def fill(self, path, leave):
        """Takes all of the disk but so many bytes."""
        disk = os.statvfs(os.path.dirname(path))
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - leave)

    def test_below_the_reserve_submits_are_refused_until_there_is_room(self):
        disk = self.mount_small_disk()
        config = self.write("config.json", '{"limits": {"disk_reserve": "20000000"}}')
        release = self.fifo("release")
        server = self.serve(self.store, "--config=" + config)
        running = self.submit_commands(server, f"read line < {release.path}")
        self.fill(disk + "/filler", 10_000_000)
        batches, refused = self.submit_until_refused(server)
        self.assertEqual(refused.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        details = dict(refused.trailing_metadata())["grpc-status-details-bin"]
        self.assertIn(b"STORE_FULL", details)
        # Results use the reserve.
        release.write_line("go")
        result, = self.results(self.stream(server, running))
        self.assertEqual(self.state_name(result), "JOB_STATE_SUCCEEDED")
        os.remove(disk + "/filler")
        while True:
            try:
                batches.append(self.submit(server))
                break
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertEqual(self.health(server), "SERVING")
        for batch in batches[-20:]:
            self.assertEqual(len(self.results(self.stream(server, batch))), 1)

    def test_a_disk_that_is_full_ends_the_server_and_loses_nothing(self):
        disk = self.mount_small_disk()
        config = self.write("config.json", '{"limits": {"disk_reserve": "0"}}')
        server = self.serve(self.store, "--config=" + config)
        self.fill(disk + "/filler", 1_000_000)
        batches, _ = self.submit_until_refused(server, os.urandom(500_000))
        self.assert_ends_with(server, "No space left on device")
        os.remove(disk + "/filler")
        server = self.assert_all_there(batches, "--config=" + config)
        listed = self.jobs(server).ListBatches(
            self.stubs["job_service_pb2"].ListBatchesRequest(page_size=1000)).batches
        # The one that was refused was never acknowledged, and is there whole or not at all.
        self.assertLessEqual(len(listed), len(batches) + 1)


if __name__ == "__main__":
    unittest.main()
