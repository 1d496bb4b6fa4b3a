#!/usr/bin/env python3
"""Kills a server at named points of what it does, each several times by turns, under a mixed load; at
every second kill the power goes too. Then the checker.

usage: kill_points.py [--times=N] [--point=NAME]... [--seed=N]

Ends with 0 when the server died N times at each point, nowhere else, and the checker finds nothing."""

import argparse
import sys
from collections import Counter

from crash_run import CrashRun, new_seed, tell
from kill_point import (ANY, SENT, SYNCED, TORN, UNLINKED, WRITTEN, KillPoint, arm, disarm)
from lossy_disk import random_tail
from plans import KEY, REQUEST_LABEL

# In a write-ahead log: a range deletion (RocksDB's db/dbformat.h, kTypeRangeDeletion) of all that a
# batch consists of, 'b' and the id's 36 bytes (server/storage/keys.h).
REMOVAL = b"\x0f\x27b\x00\x24"
# The same of the key that says that shards are staged for a batch: it is put, it is deleted.
STAGED = b"\x01\x25p"
UNSTAGED = b"\x00\x25p"
COMPACTION = "rocksdb:low"

# While it serves: at one of the next calls of a kind.
SERVING = {
    "commit half written": KillPoint(TORN, path_end=".log"),
    "commit written": KillPoint(WRITTEN, path_end=".log"),
    "commit synced, nobody told": KillPoint(SYNCED, path_end=".log"),
    "answered": KillPoint(SENT, pattern=REQUEST_LABEL.encode()),
    "shown": KillPoint(SENT, pattern=KEY.encode()),
    "upload staged": KillPoint(WRITTEN, path_end=".log", pattern=STAGED),
    "upload accepted, nobody told": KillPoint(WRITTEN, path_end=".log", pattern=UNSTAGED),
    "removal written": KillPoint(WRITTEN, path_end=".log", pattern=REMOVAL),
}
# While it starts, before it serves.
STARTING = {"recovering": KillPoint(ANY)}
# In the background, from its start on. A compaction comes after a few starts.
BACKGROUND = {
    "compaction half written": KillPoint(TORN, path_end=".sst", thread=COMPACTION),
    "compaction written": KillPoint(WRITTEN | SYNCED, path_end=".sst", thread=COMPACTION),
    "compacted, the old removed": KillPoint(UNLINKED, path_end=".sst"),
}
# While it makes a backup, which the test asks for.
BACKING_UP = {"backing up": KillPoint(ANY, path_begin="backups/")}
POINTS = {**SERVING, **STARTING, **BACKGROUND, **BACKING_UP}

# How long a point in the background is awaited, and in how many starts.
BACKGROUND_SECONDS = 0.5
STARTS_MAX = 30


class KillAtPoints:
    def __init__(self, run):
        self.run = run
        self.control = run.disk.control
        # How many calls the last start made.
        self.calls_of_start = 0
        self.reached = Counter()
        # The names of the calls at which it was killed.
        self.places = Counter()

    def kill_at(self, name):
        """Brings the server to its end at the point, and starts another."""
        if name in SERVING:
            self.kill_serving(name)
        elif name in BACKING_UP:
            self.kill_backing_up(name)
        else:
            for _ in range(STARTS_MAX):
                self.run.kill_server()
                if self.kill_started(name):
                    break
            else:
                raise AssertionError(f"in {STARTS_MAX} starts no \"{name}\" came")
        self.power_may_go()
        self.start()

    def start(self):
        disarm(self.control)
        self.run.start_server()
        self.calls_of_start = self.control.file_calls

    def kill_serving(self, name):
        rare = SERVING[name].pattern in (STAGED, UNSTAGED, REMOVAL)
        arm(self.control, SERVING[name], 1 if rare else self.run.random.randrange(1, 20))
        try:
            self.run.await_death()
        except AssertionError as alive:
            raise AssertionError(f"\"{name}\" does not come") from alive
        self.count(name)

    def kill_backing_up(self, name):
        """In the first backup, or a later one."""
        arm(self.control, BACKING_UP[name], self.run.random.randrange(1, 40))
        while self.run.back_up():
            pass
        self.run.await_death()
        self.count(name)

    def kill_started(self, name):
        """Starts a server that is to die. Whether it did so there; it serves otherwise."""
        passing = self.run.random.randrange(1, max(2, self.calls_of_start)) \
            if name in STARTING else 1
        arm(self.control, POINTS[name], passing)
        serves = self.run.start_or_die()
        if serves and name in BACKGROUND:
            serves = not self.run.server.pid.has_ended(BACKGROUND_SECONDS)
        disarm(self.control)
        if serves and not self.control.fired:
            return False
        self.run.await_death()
        self.count(name)
        return True

    def count(self, name):
        """It was killed there: the library says so."""
        if not self.control.fired:
            raise AssertionError(f"it died, but not at \"{name}\"")
        self.reached[name] += 1
        self.places[self.control.fired_at.decode().split(" ")[0]] += 1

    def power_may_go(self):
        if self.run.random.random() < 0.5:
            self.run.disk.lose_power(random_tail(self.run.random))


def kill_at_points(run, names, times):
    """Returns what is wrong."""
    killer = KillAtPoints(run)
    killer.start()
    run.start_clients()
    for _ in range(times):
        for name in names:
            killer.kill_at(name)
    # What was left of backups does not stand in the way of the next one.
    made = run.back_up()
    faults = run.finish()
    if not made:
        faults.append("no backup can be made")
    for name in names:
        print(f"{killer.reached[name]} times: {name}")
        if killer.reached[name] != times:
            faults.append(f"it died {killer.reached[name]} times at \"{name}\"")
    print("after: " + ", ".join(f"{call} {count}" for call, count in killer.places.items()))
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--point", action="append", choices=POINTS)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = new_seed() if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    run = CrashRun(seed, lossy=True)
    code = 1
    try:
        code = tell(run, kill_at_points(run, arguments.point or list(POINTS), arguments.times))
        return code
    finally:
        run.close(keep=code != 0)


if __name__ == "__main__":
    sys.exit(main())
