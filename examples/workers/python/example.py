#!/usr/bin/env python3
"""A worker with handlers to try things out: example.py ADDRESS NAME SLOTS"""

import json
import logging
import math
import sys
import time

from jobrunner_worker import Failure, Worker

logging.basicConfig(format="%(message)s")
worker = Worker(sys.argv[1], name=sys.argv[2], slots=int(sys.argv[3]))


@worker.handler("upper")
def upper(attempt):
    """The payload, its ASCII letters in upper case."""
    return attempt.payload.upper()


@worker.handler("slow")
def slow(attempt):
    """Runs for so many seconds, and heeds its stop."""
    attempt.progress(0, "begun")
    if attempt.stop.wait(float(attempt.payload)):
        raise Failure("stopped", code=1)
    return b"done by attempt %d" % attempt.assignment.attempt


@worker.handler("stubborn")
def stubborn(attempt):
    """Runs for so many seconds, whatever it is told."""
    attempt.progress(0, "begun")
    time.sleep(float(attempt.payload))
    return b"done by attempt %d" % attempt.assignment.attempt


@worker.handler("failing")
def failing(attempt):
    """Fails as the payload says: {"message", "code", "final", "critical"}, or {"raise"}."""
    how = json.loads(attempt.payload)
    if "raise" in how:
        raise RuntimeError(how["raise"])
    raise Failure(**how)


@worker.handler("steps")
def steps(attempt):
    """Tells its progress and writes on both outputs, so many times."""
    count = int(attempt.payload)
    for step in range(1, count + 1):
        attempt.progress(step / count, f"step {step}")
        attempt.output(b"out %d\n" % step, b"err %d\n" % step)


@worker.handler("zeros")
def zeros(attempt):
    """So many bytes."""
    return bytes(int(attempt.payload))


@worker.handler("about")
def about(attempt):
    """What a handler knows of its job, as JSON."""
    job, left = attempt.assignment, attempt.time_left()
    return json.dumps({
        "batch_id": job.batch_id, "job_index": job.job_index, "job_key": job.job_key,
        "attempt": job.attempt, "content_type": job.handler.content_type,
        "seconds_left": None if math.isinf(left) else left}).encode()


worker.run()
