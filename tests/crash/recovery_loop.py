#!/usr/bin/env python3
"""Kills a server while it recovers, again and again, and looks after each kill at what is there: all
batches, all jobs, all logs have to be what they were before the first kill.

usage: recovery_loop.py [--kills=N] [--seed=N]

Who looks is a server on a copy of the store, so that the next recovery begins where the kill left the
store. Ends with 0 when the server was killed N times before it served, and nothing ever differed."""

import argparse
import os
import shutil
import sys

from crash_run import CrashRun, new_seed, pages
from history import digest
from kill_point import ANY, KillPoint, arm, disarm
from lossy_disk import random_tail
from plans import set_duration
from server_process import Server

RECOVERING = KillPoint(ANY)
# Nothing becomes due while the test runs.
LONG_SECONDS = 3600
FINISHED_BATCHES = 20


class RecoveryLoop:
    def __init__(self, run):
        self.run = run
        self.batch_pb2 = run.stubs["batch_pb2"]
        self.requests = run.stubs["job_service_pb2"]
        self.calls_of_start = 0

    def fill(self):
        """Finished batches of all kinds, and some that wait."""
        self.run.start_server()
        self.run.start_clients()
        self.run.known.await_some(FINISHED_BATCHES)
        self.run.end_clients()
        for spec in (self.half_done(), self.retrying(), self.cancelled_in_part()):
            self.submit_and_settle(*spec)

    def submit_and_settle(self, spec, events, cancel=()):
        """Until the log has so many events."""
        service = self.service(self.run.server)
        batch = service.SubmitBatch(self.requests.SubmitBatchRequest(batch=spec)).batch.id
        if cancel:
            service.Cancel(self.requests.CancelRequest(batch_id=batch, job_indexes=cancel))
        stream = service.StreamResults(
            self.requests.StreamResultsRequest(batch_id=batch, follow=True))
        for response in stream:
            events -= len(response.events)
            if events <= 0:
                break
        stream.cancel()

    def half_done(self):
        spec = self.batch_pb2.BatchSpec()
        for index in range(1000):
            job = spec.jobs.add(key=f"k{index}")
            job.handler.name = "echo"
            if index % 2:
                set_duration(job.options.delay, LONG_SECONDS)
        return spec, 500

    def retrying(self):
        spec = self.batch_pb2.BatchSpec()
        for index in range(50):
            job = spec.jobs.add(key=f"k{index}")
            job.handler.name = "fail"
        policy = spec.job_defaults.retry_policy
        policy.max_attempts = 3
        set_duration(policy.initial_backoff, LONG_SECONDS)
        set_duration(policy.max_backoff, LONG_SECONDS)
        return spec, 50

    def cancelled_in_part(self):
        spec = self.batch_pb2.BatchSpec()
        job = spec.jobs.add(key="of-array", count=600)
        job.handler.name = "echo"
        set_duration(job.options.delay, LONG_SECONDS)
        return spec, 10, range(300, 310)

    def kill_while_it_recovers(self):
        """Once; starts that come to serve do not count."""
        control = self.run.disk.control
        while True:
            arm(control, RECOVERING, self.run.random.randrange(1, self.calls_of_start + 1))
            serves = self.run.start_or_die()
            disarm(control)
            if not serves:
                break
            self.run.kill_server()
        self.run.await_death()
        if not control.fired:
            raise AssertionError("it died, and was not killed")
        place = control.fired_at.decode()
        if self.run.random.random() < 0.5:
            self.run.disk.lose_power(random_tail(self.run.random))
            place += ", and the power went"
        return place

    def measure_start(self):
        self.run.kill_server()
        self.run.start_server()
        self.calls_of_start = self.run.disk.control.file_calls
        self.run.kill_server()

    def look_at_copy(self):
        copy = os.path.join(self.run.directory, "copy")
        shutil.copytree(self.run.store, copy)
        server = Server(["--listen=127.0.0.1:0", "--store=rocksdb:" + copy, "--log_level=warning"])
        try:
            return self.look(server.await_serving())
        finally:
            server.close()
            shutil.rmtree(copy)

    def look(self, server):
        """{batch: all that the server says of it}"""
        service = self.service(server)
        batches = pages(service.ListBatches, self.requests.ListBatchesRequest(page_size=1000),
                        "batches")
        return {batch.id: (str(batch), self.jobs(service, batch.id), self.log(service, batch.id))
                for batch in batches}

    def jobs(self, service, batch):
        request = self.requests.ListJobsRequest(batch_id=batch, page_size=1000)
        return [(job.index, job.key, job.state, job.attempts, job.lost_attempts)
                for job in pages(service.ListJobs, request, "jobs")]

    def log(self, service, batch):
        request = self.requests.StreamResultsRequest(batch_id=batch)
        return [(event.sequence, digest(event)) for response in service.StreamResults(request)
                for event in response.events]

    def service(self, server):
        return self.run.stubs["job_service_pb2_grpc"].JobServiceStub(server.channel)


def recover_again_and_again(run, kills):
    """Returns what is wrong."""
    loop = RecoveryLoop(run)
    loop.fill()
    before = loop.look(run.server)
    print(f"{len(before)} batches, {sum(len(log) for _, _, log in before.values())} events")
    loop.measure_start()
    faults = []
    for number in range(1, kills + 1):
        place = loop.kill_while_it_recovers()
        after = loop.look_at_copy()
        for batch in before.keys() | after.keys():
            if before.get(batch) != after.get(batch):
                faults.append(f"after kill {number} ({place}) batch {batch} differs:\n"
                              f"    {before.get(batch)}\n    {after.get(batch)}")
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = new_seed() if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    run = CrashRun(seed, lossy=True, short_retention=0)
    faults = ["it did not come to its end"]
    try:
        faults = recover_again_and_again(run, arguments.kills)
        print(f"seed {seed}: {arguments.kills} kills while it recovered; {len(faults)} faults")
        for fault in faults[:5]:
            print("  " + fault[:2000])
    finally:
        run.close(keep=bool(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
