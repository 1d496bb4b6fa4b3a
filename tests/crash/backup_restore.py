#!/usr/bin/env python3
"""Has a server under a mixed load make a backup, kills it, restores the backup elsewhere, and holds what
clients saw up to the backup against what a server on the copy says (T16).

usage: backup_restore.py [--seed=N] [--clients=N]

To who knows of nothing that came after the backup was asked for, the copy is the store after a crash.
Needs JOBRUNNER_BIN and JOBRUNNER_PROTO in the environment. Ends with 0 when the checker finds nothing.
Prints its seed."""

import argparse
import json
import os
import subprocess
import sys
import time

from calls import Calls
from checker import check
from crash_run import CrashRun, new_seed, tell
from history import History, read_histories
from seen import Seen
from starts import read_starts

CLIENT = os.path.join(os.environ["JOBRUNNER_BIN"], "jobrunner")
BATCHES_BEFORE = 40
BATCHES_AFTER = 60
PATIENCE_SECONDS = 60


class BackupRun(CrashRun):
    """After `restore` its servers are on the copy."""

    def __init__(self, seed, clients):
        super().__init__(seed, clients, short_retention=0)
        self.is_restored = False

    @property
    def backups(self):
        return os.path.join(self.directory, "backups")

    @property
    def store(self):
        return os.path.join(self.directory, "restored" if self.is_restored else "store")

    def _write_config(self):
        path = super()._write_config()
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**config, "backup": {"directory": self.backups}}, file)
        return path

    def restore(self):
        self.is_restored = True
        told = jobrunner("inspect", "--check", self.restored_by_client())
        if "sound" not in told:
            raise AssertionError(told)
        listed = jobrunner("inspect", self.store, "--output", "json")
        return {batch["id"]: batch for batch in map(json.loads, listed.splitlines())}

    def restored_by_client(self):
        jobrunner("restore", self.backups, self.store)
        return self.store

    def read_all(self, batches):
        """A reader from the beginning of each log to its end."""
        plans = self.plans_of(batches)
        calls = Calls("restored", self.stubs, self.address, History(self.directory, "restored"))
        for batch in batches:
            calls.read(batch, "restored")
        # The copy knows the requests that made them.
        for plan in plans:
            calls.submit(plan)
        calls.close()

    def plans_of(self, batches):
        plans = {plan.request_id: plan for client in self.clients
                 for plan in getattr(client, "plans", ())}
        self.history.file.flush()
        made = {entry["request"] for entry in read_histories(self.directory)
                if entry["what"] == "ok" and entry["op"] == "submit" and entry["batch"] in batches}
        return [plans[request] for request in sorted(made & set(plans))]


def jobrunner(*words):
    done = subprocess.run([CLIENT, *words], capture_output=True, text=True, check=False,
                          timeout=PATIENCE_SECONDS)
    if done.returncode != 0:
        raise AssertionError(f"jobrunner {' '.join(words)}: {done}")
    return done.stdout


def up_to_backup(entries, began, restored, batches):
    """What of the history is to hold of the copy: all that was seen before the backup was asked for,
    and what was seen of the copy. What was submitted meanwhile may be in it."""
    for entry in entries:
        if entry["t"] < began or entry["t"] > restored or entry["what"] in ("plan", "invoke"):
            yield entry
        elif entry["what"] == "ok" and entry["op"] in ("submit", "retry") and \
                entry["batch"] in batches:
            yield entry


def starts_of_copy(starts, began, seen):
    """Without those of the first server that the copy knows nothing of."""
    ends = {event.output.strip() for batch in seen.batches.values() for event in batch.log()
            if event.output}
    return [start for start in starts
            if start.life > 1 or start.time < began or start.token in ends]


def back_up_and_restore(run):
    """Returns what is wrong."""
    run.start_server()
    run.start_clients()
    run.known.await_some(BATCHES_BEFORE)
    began, began_wall = time.monotonic(), time.time()
    jobrunner("--server", run.server.address, "backup")
    run.known.await_some(BATCHES_AFTER)
    run.end_clients()
    run.kill_server()

    batches = run.restore()
    restored = time.monotonic()
    run.start_server()
    run.read_all(batches)
    faults = run.finish()
    # Of the whole history the copy lacks the end: that is no fault.
    entries = list(read_histories(run.directory))
    run.seen = Seen(up_to_backup(entries, began, restored, batches))
    run.seen.starts = starts_of_copy(read_starts(os.path.join(run.directory, "starts")), began_wall,
                                     run.seen)
    faults = [fault for fault in faults if not fault.startswith("I")] + check(run.seen)
    acknowledged = {entry["batch"] for entry in entries
                    if entry["what"] == "ok" and entry["op"] == "submit"}
    unfinished = sum(batch["state"] == "BATCH_STATE_RUNNING" for batch in batches.values())
    print(f"{len(batches)} batches in the backup, {unfinished} of them unfinished, "
          f"{len(acknowledged - set(batches))} came after it")
    if not unfinished or not acknowledged - set(batches):
        faults.append("the backup was not made under load")
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--clients", type=int, default=6)
    arguments = parser.parse_args()
    seed = new_seed() if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    run = BackupRun(seed, arguments.clients)
    code = 1
    try:
        code = tell(run, back_up_and_restore(run))
        return code
    finally:
        run.close(keep=code != 0)


if __name__ == "__main__":
    sys.exit(main())
