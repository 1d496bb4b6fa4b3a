#!/usr/bin/env python3
"""Submits batches, follows, waits for and cancels them: example.py ADDRESS"""

import sys

from jobrunner.v1 import batch_pb2, event_pb2, job_pb2
from jobrunner_client import Client

client = Client(sys.argv[1])

naps = [job_pb2.Job(key=f"nap {i}", handler={"name": "sleep", "payload": b"100"})
        for i in range(5)]
batch_id = client.submit(batch_pb2.BatchSpec(name="naps", jobs=naps, max_parallelism=1))
for event in client.events(batch_id):
    if event.HasField("result"):
        print(event.sequence, event.job_key, job_pb2.JobState.Name(event.result.state), flush=True)
    elif event.HasField("batch_finished"):
        print(event.sequence, event_pb2.BatchState.Name(event.batch_finished.state), flush=True)

echo = job_pb2.Job(handler={"name": "echo", "payload": b"hello"})
batch_id = client.submit(batch_pb2.BatchSpec(jobs=[echo]))
print(client.wait(batch_id)[0].output.decode())

sleeper = job_pb2.Job(handler={"name": "sleep", "payload": b"600000"})
batch_id = client.submit(batch_pb2.BatchSpec(jobs=[sleeper]))
client.cancel(batch_id, "enough seen")
print(client.wait(batch_id)[0].error.message)
