#!/usr/bin/env python3
"""Kills a server with -9 again and again, at random moments, under a mixed load, and holds what its
clients saw against what it promises. Remote workers are killed, paused and cut off meanwhile.

usage: kill_loop.py [--kills=N] [--seed=N] [--clients=N] [--workers=N] [--lossy_disk]

With a lossy disk the power is lost at every kill: what was not synced is gone. Needs JOBRUNNER_BIN and
JOBRUNNER_PROTO in the environment, as ctest sets them. Ends with 0 when the checker finds nothing.
Prints its seed; --seed gives the same work and the same moments again (not the same interleaving: these
are real processes)."""

import argparse
import os
import sys
import time

from crash_run import CrashRun, new_seed, tell
from lease_rules import what_came_of_leases
from lossy_disk import random_tail

KILL_AFTER_SECONDS = (0.05, 2.0)

# What a load has to have in it that is called mixed; in a short run one or the other may not come.
CALLS = ("submit", "upload", "run", "cancel", "cancel of jobs", "delete", "retry", "look")
REASONS = ("BATCH_TIMEOUT", "START_TIMEOUT", "TOTAL_TIMEOUT", "ATTEMPT_TIMEOUT", "CALL_DEADLINE",
           "CLIENT_CANCEL", "CLIENT_DISCONNECTED", "EXIT_CODE", "HANDLER", "WORKER_LOST",
           "SERVER_SHUTDOWN")
# What the faults of remote workers lead to.
LEASES = ("ended at a later server than started them", "began and ended for nothing", "lost: its worker was not heard of for a lease",
          "lost: its worker did not come back to the server, which had been started again")
LONG_RUN_KILLS = 50

# The store's file by which a start sees that the end of its log is missing.
MARK = "SYNCED"


def kill_again_and_again(run, kills):
    """Returns what is wrong."""
    run.start_server()
    run.start_clients()
    lost = 0
    for _ in range(kills):
        time.sleep(run.random.uniform(*KILL_AFTER_SECONDS))
        run.kill_server()
        if run.disk:
            lost += run.disk.lose_power(random_tail(run.random))
            if not os.path.exists(os.path.join(run.store, MARK)):
                raise AssertionError(f"{MARK} went with the power")
        run.start_server()
    run.workers.await_each_fault()
    faults = run.finish()
    if kills and not any(client.calls.resumed for client in run.clients):
        faults.append("no stream was ever broken: the kills hit nothing")
    if kills >= LONG_RUN_KILLS:
        faults += [f"the load had no {name} in it" for name in (*CALLS, *REASONS)
                   if name not in run.seen.calls and name not in run.seen.reasons()]
    if run.workers.all:
        faults += faults_that_never_came(run, long_run=kills >= LONG_RUN_KILLS)
    if run.disk:
        print(f"{lost} bytes lost that were never synced")
        if not lost:
            faults.append("nothing was ever lost: the disk was too good")
    return faults


def faults_that_never_came(run, long_run):
    """Of the remote workers; in a long run, what these lead to as well."""
    never = [f"no remote worker was ever {kind}" for kind, count in run.workers.counted().items()
             if count == 0]
    if long_run:
        came = what_came_of_leases(run.seen)
        never += [f"no attempts at remote workers {what}" for what in LEASES if not came[what]]
    return never


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--lossy_disk", action="store_true")
    arguments = parser.parse_args()
    seed = new_seed() if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    run = CrashRun(seed, arguments.clients, arguments.lossy_disk, workers=arguments.workers)
    code = 1
    try:
        code = tell(run, kill_again_and_again(run, arguments.kills))
        return code
    finally:
        run.close(keep=code != 0)


if __name__ == "__main__":
    sys.exit(main())
