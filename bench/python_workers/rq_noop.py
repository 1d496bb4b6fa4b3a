"""RQ's side of the comparison: `work NUMBER`, or `submit JOBS`."""

import os
import sys
import time

import redis
import rq

from noop import noop

QUEUE = "noop"


def connect():
    connection = redis.Redis(unix_socket_path=os.environ["REDIS_SOCKET"])
    while True:
        try:
            connection.ping()
            return connection
        except redis.ConnectionError:
            time.sleep(0.05)


def work(number):
    connection = connect()
    worker = rq.SimpleWorker([rq.Queue(QUEUE, connection=connection)], connection=connection,
                             name=f"worker {number}")
    worker.work(logging_level="ERROR")


def run_jobs(connection, count):
    queue = rq.Queue(QUEUE, connection=connection)
    before = queue.finished_job_registry.count
    queue.enqueue_many([rq.Queue.prepare_data(noop) for _ in range(count)])
    while queue.finished_job_registry.count < before + count:
        time.sleep(0.005)


def submit(count):
    connection = connect()
    while rq.Worker.count(connection=connection) < 2:
        time.sleep(0.05)
    run_jobs(connection, 200)
    start = time.monotonic()
    run_jobs(connection, int(count))
    print(int(count) / (time.monotonic() - start))


if __name__ == "__main__":
    {"work": work, "submit": submit}[sys.argv[1]](*sys.argv[2:])
