"""jobrunner's side of the comparison: `work ADDRESS NAME`, or `submit ADDRESS JOBS`."""

import sys
import time

import grpc

from jobrunner_worker import Worker
from jobrunner.v1 import job_service_pb2 as jobs_pb, job_service_pb2_grpc, job_pb2

# The next ones are there when one ends.
SLOTS = 100


def work(address, name):
    worker = Worker(address, name=name, slots=SLOTS)
    worker.handler("noop")(lambda attempt: b"")
    worker.run()


def run_batch(stub, count):
    batch = jobs_pb.RunBatchRequest(batch=dict(jobs=[{"handler": {"name": "noop"}}] * count))
    succeeded = 0
    for response in stub.RunBatch(batch):
        for event in response.events:
            succeeded += event.result.state == job_pb2.JOB_STATE_SUCCEEDED
    assert succeeded == count, succeeded


def submit(address, count):
    stub = job_service_pb2_grpc.JobServiceStub(grpc.insecure_channel(address))
    # Both workers are there when a thousand are done.
    run_batch(stub, 1000)
    start = time.monotonic()
    run_batch(stub, int(count))
    print(int(count) / (time.monotonic() - start))


{"work": work, "submit": submit}[sys.argv[1]](*sys.argv[2:])
