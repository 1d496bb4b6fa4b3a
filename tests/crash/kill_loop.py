#!/usr/bin/env python3
"""Kills a server with -9 again and again, at random moments, under a mixed load, and holds what its
clients saw against what it promises.

usage: kill_loop.py [--kills N] [--seed N] [--clients N] [--keep]

Needs JOBRUNNER_BIN and JOBRUNNER_PROTO in the environment, as ctest sets them. Ends with 0 when the
checker finds nothing and every kill came while there was work. Prints its seed; --seed gives the same
work and the same moments again (not the same interleaving: these are real processes)."""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
# pylint: disable=wrong-import-position
from checker import acknowledged, check
from clients import Address, Client
from history import History, read_histories
from server_process import Server, load_stubs

KILL_AFTER_SECONDS = (0.05, 2.0)
# For what was begun to end, once no server is killed any more.
QUIESCENCE_SECONDS = 120


class Run:
    def __init__(self, arguments):
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.directory = tempfile.mkdtemp(prefix="jobrunner-crash-")
        stub_directory = os.path.join(self.directory, "stubs")
        os.mkdir(stub_directory)
        self.stubs = load_stubs(stub_directory)
        self.address = Address()
        self.stop = threading.Event()
        self.server = None
        self.start_seconds = []

    def start_server(self):
        began = time.monotonic()
        self.server = Server(
            ["--listen=127.0.0.1:0", "--allow_any_command", "--workers_max=8",
             f"--store=rocksdb:{self.directory}/store", f"--log_file={self.directory}/log",
             "--log_level=warning"], cwd=self.directory)
        self.server.await_serving()
        self.start_seconds.append(time.monotonic() - began)
        self.address.set(self.server.address)

    def kill_server(self):
        self.address.set(None)
        self.server.send(signal.SIGKILL)
        self.server.await_exit()
        self.server.close()

    def run(self):
        clients = [Client(str(number), self.arguments.seed, self.stubs, self.address,
                          History(self.directory, str(number)), self.stop)
                   for number in range(self.arguments.clients)]
        self.start_server()
        for client in clients:
            client.start()
        for _ in range(self.arguments.kills):
            time.sleep(self.random.uniform(*KILL_AFTER_SECONDS))
            self.kill_server()
            self.start_server()
        self.stop.set()
        deadline = time.monotonic() + QUIESCENCE_SECONDS
        for client in clients:
            client.join(max(0, deadline - time.monotonic()))
        self.look_at_the_end()
        self.server.send(signal.SIGTERM)
        code = self.server.await_exit()
        self.server.close()
        return self.report(clients, code)

    def look_at_the_end(self):
        """What the server says of everything, as a history of its own."""
        history = History(self.directory, "truth")
        service = self.stubs["job_service_pb2_grpc"].JobServiceStub(self.server.channel)
        request = self.stubs["job_service_pb2"].ListBatchesRequest(page_size=1000)
        batches = []
        while True:
            page = service.ListBatches(request)
            batches.extend(page.batches)
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        name = self.stubs["event_pb2"].BatchState.Name
        history.write("truth", batches=[
            {"id": batch.id, "state": name(batch.state), "succeeded": batch.counts.succeeded,
             "failed": batch.counts.failed, "cancelled": batch.counts.cancelled}
            for batch in batches])
        history.close()

    def report(self, clients, code):
        entries = read_histories(self.directory)
        faults = check(entries)
        faults += [f"{client.name}: {client.failure!r}" for client in clients if client.failure]
        faults += [f"{client.name} does not come to an end" for client in clients
                   if client.is_alive()]
        if code != 0:
            faults.append(f"the last server ended with {code}")
        resumed = sum(client.resumed for client in clients)
        if self.arguments.kills and not resumed:
            faults.append("no stream was ever broken: the kills hit nothing")
        jobs = acknowledged(entries)
        print(f"seed {self.arguments.seed}: {self.arguments.kills} kills, {len(jobs)} batches "
              f"acknowledged with {sum(jobs.values())} jobs, "
              f"{sum(e['what'] == 'event' and e['kind'] == 'result' for e in entries)} results "
              f"seen, {resumed} streams resumed, slowest start "
              f"{max(self.start_seconds):.2f} s; {len(faults)} faults")
        for fault in faults[:50]:
            print("  " + fault)
        if faults or self.arguments.keep:
            print(f"kept: {self.directory}; again with --seed {self.arguments.seed}")
        else:
            shutil.rmtree(self.directory)
        return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {arguments.seed}", flush=True)
    run = Run(arguments)
    try:
        return run.run()
    finally:
        run.stop.set()
        if run.server is not None:
            run.server.close()


if __name__ == "__main__":
    sys.exit(main())
