#!/usr/bin/env python3
"""That a loss is found: a server whose write-ahead log is not synced, which does not know it, loses its
power; the checker has to say so, each time.

usage: negative_control.py [--times=N] [--seed=N]

Ends with 0 when the loss was found N times."""

import argparse
import sys

from crash_run import CrashRun, new_seed
from lossy_disk import nothing_left


def lose_what_was_acknowledged(run):
    """Returns the bytes that were lost, and what the checker says."""
    run.start_server()
    run.start_clients()
    run.known.await_some(run.random.randrange(3, 12))
    run.kill_server()
    lost = run.disk.lose_power(nothing_left)
    run.start_server()
    return lost, run.finish()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    first = new_seed() if arguments.seed is None else arguments.seed
    missed = 0
    for seed in range(first, first + arguments.times):
        # Without uploads: so much data is flushed into tables, which are synced.
        run = CrashRun(seed, lossy=True, sync=False, uploads=0)
        try:
            lost, faults = lose_what_was_acknowledged(run)
        finally:
            run.close()
        # Of what was acknowledged, or of what was shown.
        found = sum(fault.startswith(("I1:", "I3:")) for fault in faults)
        print(f"seed {seed}: {lost} bytes lost; {len(faults)} faults, {found} of them losses",
              flush=True)
        if not lost or not found:
            missed += 1
            print(f"  the loss was not found; again with --times=1 --seed={seed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
