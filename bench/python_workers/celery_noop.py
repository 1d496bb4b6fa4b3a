"""Celery's side of the comparison: `work NUMBER`, or `submit JOBS`."""

import os
import sys
import time

import celery

SOCKET = os.environ["REDIS_SOCKET"]
app = celery.Celery("celery_noop", broker=f"redis+socket://{SOCKET}",
                    backend=f"redis+socket://{SOCKET}")


@app.task(name="noop")
def noop():
    return None


def work(number):
    # A process with one task at a time, as RQ's worker is; it fetches some ahead.
    app.worker_main(["worker", "--pool=solo", "--loglevel=ERROR", f"--hostname=worker{number}",
                     "--without-gossip", "--without-mingle"])


def run_jobs(count):
    celery.group(noop.s() for _ in range(count)).apply_async().get()


def submit(count):
    while len(app.control.ping(timeout=0.5)) < 2:
        time.sleep(0.05)
    run_jobs(200)
    start = time.monotonic()
    run_jobs(int(count))
    print(int(count) / (time.monotonic() - start))


if __name__ == "__main__":
    {"work": work, "submit": submit}[sys.argv[1]](*sys.argv[2:])
