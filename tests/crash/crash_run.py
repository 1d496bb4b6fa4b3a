"""A server on a store of its own, clients that work it, and what they saw in the end. Who uses it says
when the server dies."""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
# pylint: disable=wrong-import-position
from calls import Address, Calls
from checker import check
from clients import Client, KnownBatches, Observer
from history import History, batch_fields, gauges, read_histories
from lease_rules import what_came_of_leases
from lossy_disk import LossyDisk
from plans import Planner
from remote_workers import LEASE_SECONDS, FaultyWorkers
from seen import Seen
from server_process import Server, load_stubs
from starts import LIFE_VARIABLE, read_remote_starts, read_starts

# For what was begun to end, once no server is killed any more.
QUIESCENCE_SECONDS = 120
# Batches whose jobs are all looked at in the end.
JOBS_LOOKED_AT = 300


class CrashRun:
    """`lossy` puts the store on a LossyDisk, which syncs if `sync`. `short_retention` and
    `uploads` are as Planner has them. `workers`: so many remote ones."""

    def __init__(self, seed, clients=4, lossy=False, sync=True, short_retention=0.1, uploads=0.07,
                 workers=0):
        self.seed = seed
        self.random = random.Random(seed)
        self.directory = tempfile.mkdtemp(prefix="jobrunner-crash-")
        stub_directory = os.path.join(self.directory, "stubs")
        os.mkdir(stub_directory)
        self.stubs = load_stubs(stub_directory)
        self.disk = None
        self.sync = sync
        if lossy:
            self.disk = LossyDisk(os.path.join(self.directory, "lossy"))
        self.address = Address()
        self.stop = threading.Event()
        self.history = History(self.directory, "run")
        self.known = KnownBatches()
        self.clients = self._make_clients(clients, short_retention, uploads, workers > 0)
        self.workers = FaultyWorkers(workers, seed, self, lambda name: History(self.directory, name))
        self.server = None
        # Servers that were started, and of these killed.
        self.lives = 0
        self.kills = 0
        self.start_seconds = []
        # Of a server that died before it served.
        self.last_words = ""

    def _make_clients(self, count, short_retention, uploads, remote):
        starts = os.path.join(self.directory, "starts")
        clients = []
        for number in range(count):
            name = str(number)
            planner = Planner(random.Random(f"{self.seed} plans {name}"), self.stubs, starts,
                              short_retention, uploads, remote)
            clients.append(Client(self.seed, planner, self._calls(name), self.known, self.stop))
        return [*clients, Observer(self.seed, self._calls("looks"), self.known, self.stop)]

    def _calls(self, name):
        return Calls(name, self.stubs, self.address, History(self.directory, name))

    # The server.

    @property
    def store(self):
        return os.path.join(self.disk.path if self.disk else self.directory, "store")

    @property
    def backups(self):
        return os.path.join(self.disk.path if self.disk else self.directory, "backups")

    def _launch(self):
        self.lives += 1
        self.history.write("life", began=time.time())
        environment = self.disk.environment(self.sync) if self.disk else None
        self.server = Server([f"--config={self._write_config()}"], cwd=self.directory,
                             env=environment)

    def _write_config(self):
        path = os.path.join(self.directory, "config.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"listen": "127.0.0.1:0", "store": "rocksdb:" + self.store,
                       "backup": {"directory": self.backups},
                       "workers": {"max": 8, "lease": f"{LEASE_SECONDS}s"},
                       "commands": {"allow_any": True, "env": {LIFE_VARIABLE: str(self.lives)}},
                       "log": {"level": "warning", "file": os.path.join(self.directory, "log")}},
                      file)
        return path

    def start_server(self):
        if not self.start_or_die():
            raise AssertionError("the server does not serve: " + self.last_words)

    def start_or_die(self):
        """Whether it serves; otherwise await_death is next."""
        began = time.monotonic()
        self._launch()
        try:
            self.server.await_serving()
        except AssertionError as death:
            self.last_words = str(death)
            return False
        self.start_seconds.append(time.monotonic() - began)
        self.address.set(self.server.address)
        self.workers.lead_to(self.server.address)
        return True

    def back_up(self):
        """Whether the server lives to say that a backup was made."""
        try:
            self._admin().BackUp(self.stubs["admin_service_pb2"].BackUpRequest(), timeout=60)
            return True
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            return False

    def _admin(self):
        return self.stubs["admin_service_pb2_grpc"].AdminServiceStub(self.server.channel)

    def kill_server(self):
        self.server.send(signal.SIGKILL)
        self.await_death()

    def await_death(self):
        """Of a server that was killed, or is to be killed by its lossy disk."""
        code = self.server.await_exit()
        self.address.set(None)
        self.server.close()
        if code != -signal.SIGKILL:
            raise AssertionError(f"the server was to be killed, and ended with {code}")
        self.kills += 1

    # The clients.

    def start_clients(self):
        for thread in (*self.workers.all, *self.clients):
            thread.start()

    def end_clients(self):
        """Lets them bring to an end what they have begun."""
        self.workers.calm()
        self.stop.set()
        deadline = time.monotonic() + QUIESCENCE_SECONDS
        for client in self.clients:
            client.join(max(0, deadline - time.monotonic()))

    def finish(self):
        """Lets everything come to its end, ends the server, and returns what is wrong. The server
        serves."""
        self.end_clients()
        self._look_at_the_end()
        worker_faults = self.workers.leave()
        self.server.send(signal.SIGTERM)
        code = self.server.await_exit()
        self.server.close()
        self.seen = self.read_what_was_seen()
        faults = check(self.seen) + worker_faults
        faults += [f"{client.name}: {client.failure!r}" for client in self.clients
                   if client.failure]
        faults += [f"{client.name} does not come to an end" for client in self.clients
                   if client.is_alive()]
        if code != 0:
            faults.append(f"the last server ended with {code}")
        return faults

    def read_what_was_seen(self):
        entries = list(read_histories(self.directory))
        lives = [entry["began"] for entry in entries if entry["what"] == "life"]
        return Seen(entries, read_starts(os.path.join(self.directory, "starts")),
                    read_remote_starts(os.path.join(self.directory, "remote-starts"), lives))

    def _look_at_the_end(self):
        service = self.stubs["job_service_pb2_grpc"].JobServiceStub(self.server.channel)
        requests = self.stubs["job_service_pb2"]
        batches = list(pages(service.ListBatches, requests.ListBatchesRequest(page_size=1000),
                             "batches"))
        chosen = self.random.sample(batches, min(len(batches), JOBS_LOOKED_AT))
        for batch in chosen:
            began = time.monotonic()
            request = requests.ListJobsRequest(batch_id=batch.id, page_size=1000)
            for job in pages(service.ListJobs, request, "jobs"):
                self.history.write("job", batch=batch.id, job=job.index, began=began,
                                   attempts=job.attempts,
                                   state=self.stubs["job_pb2"].JobState.Name(job.state))
        statistics = self._admin().GetStatistics(
            self.stubs["admin_service_pb2"].GetStatisticsRequest())
        self.history.write("statistics", last=True, **gauges(statistics))
        self.history.write("truth", batches=[
            {"id": batch.id, "parent": batch.parent_id, "labels": dict(batch.labels),
             **batch_fields(self.stubs, batch)} for batch in batches])
        self.history.close()

    # In the end.

    def report(self):
        """What was done, a line each. After `finish`."""
        acknowledged = self.seen.acknowledged()
        terminal = sum(len(batch.results()) for batch in self.seen.batches.values())
        resumed = sum(client.calls.resumed for client in self.clients)
        return (f"seed {self.seed}: {self.kills} kills; acknowledged {len(acknowledged)} batches "
                f"with {sum(len(batch.plan['keys']) for batch in acknowledged)} jobs; "
                f"{terminal} terminal; {len(self.seen.starts)} commands started, "
                f"{len(self.seen.remote_starts)} at remote workers; "
                f"{resumed} streams resumed; slowest start {max(self.start_seconds):.2f} s\n"
                f"answered: {told(self.seen.calls)}\nended by: {told(self.seen.reasons())}"
                + self._told_of_workers())

    def _told_of_workers(self):
        if not self.workers.all:
            return ""
        return (f"\nremote workers were: {told(self.workers.counted())}\n"
                f"of their attempts: {told(what_came_of_leases(self.seen))}")

    def close(self, keep=False):
        self.stop.set()
        self.workers.close()
        if self.server is not None:
            self.server.close()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)


def pages(method, request, field):
    """All that a listing call has, page by page."""
    while True:
        page = method(request)
        yield from getattr(page, field)
        request.page_token = page.next_page_token
        if not request.page_token:
            return


def told(counts):
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def tell(run, faults):
    """Prints the report and what is wrong. Returns the exit code."""
    print(f"{run.report()}\n{len(faults)} faults")
    for fault in faults[:50]:
        print("  " + fault)
    if faults:
        print(f"kept: {run.directory}; again with --seed={run.seed}")
    return 1 if faults else 0


def new_seed():
    return random.SystemRandom().randrange(1 << 32)
