"""What clients did and saw, written down as it happened: one file of JSON lines a client. The checker
reads nothing else (but what was written by what started, starts.py), so that what a client did
not write it cannot have promised."""

import hashlib
import heapq
import json
import os
import time


class History:
    """The log of one client. Not thread-safe.

    Each entry has `t` (monotonic seconds) and `what`. A `request` is a request_id; times that the
    server gives, and those called `wall`, are seconds since 1970.
      plan    request parent keys …     what is going to be asked for: see plans.py
      invoke  op id …   a call is made: submit (request; how: run, of RunBatch), cancel (batch, jobs:
                        [] for all), delete (batch), retry (request, batch), look
      ok      op id …   it was answered: with `wall`; submit and retry with batch, created
      info    op id code  it is not known whether it was done
      fail    op id code batch  it was refused
      event   batch reader sequence kind …   a reader saw it, see `event_entry`
      end     batch reader      the reader's stream ended with OK
      look    batch began …     what GetBatch said, or ListBatches; the question was put at `began`
      job     batch began job … what GetJob said, or ListJobs
      statistics  jobs …        what GetStatistics said; `last` once everything had ended
      truth   batches           what ListBatches said once everything had ended
      life    began             a server was started at that wall time
      fault   worker kind began ended   it befell that remote worker, between these wall times
    """

    def __init__(self, directory, name):
        self.file = open(os.path.join(directory, f"history-{name}.jsonl"), "w", encoding="utf-8")

    def write(self, what, **entry):
        json.dump({"t": time.monotonic(), "what": what, **entry}, self.file)
        self.file.write("\n")

    def close(self):
        self.file.close()


def read_histories(directory):
    """The entries of all clients, by time, one after the other."""
    def entries(path):
        with open(path, encoding="utf-8") as file:
            yield from map(json.loads, file)
    paths = [entry.path for entry in os.scandir(directory) if entry.name.startswith("history-")]
    return heapq.merge(*map(entries, sorted(paths)), key=lambda entry: entry["t"])


def digest(message):
    """Of all that the message has."""
    return hashlib.blake2b(message.SerializeToString(deterministic=True), digest_size=8).hexdigest()


def seconds(time_or_duration):
    return time_or_duration.seconds + time_or_duration.nanos / 1e9


def result_fields(stubs, result):
    """Of a JobResult, as events and look-ups have it."""
    return {"state": stubs["job_pb2"].JobState.Name(result.state), "attempts": result.attempts,
            "reason": stubs["event_pb2"].Reason.Name(result.error.reason),
            "message": result.error.message[:96], "result": digest(result),
            "run_time": seconds(result.run_time),
            "output": result.output.decode(errors="replace")[:96]}


def event_entry(stubs, event):
    """What is kept of an event: its number, kind and time, a digest of the whole, and what rules ask
    for."""
    kind = event.WhichOneof("kind")
    entry = {"sequence": event.sequence, "kind": kind, "time": seconds(event.time),
             "digest": digest(event)}
    if kind != "batch_finished":
        entry.update(job=event.job_index, key=event.job_key)
    if kind == "result":
        entry.update(result_fields(stubs, event.result))
    elif kind == "attempt_error":
        error = event.attempt_error
        entry.update(attempt=error.attempt, next=seconds(error.next_attempt_time),
                     reason=stubs["event_pb2"].Reason.Name(error.error.reason),
                     message=error.error.message[:96], run_time=seconds(error.run_time),
                     output=error.output.decode(errors="replace")[:96])
    elif kind == "batch_finished":
        ended = event.batch_finished
        entry.update(state=stubs["event_pb2"].BatchState.Name(ended.state),
                     counts=[ended.succeeded, ended.failed, ended.cancelled])
    return entry


def batch_fields(stubs, batch):
    """Of a Batch, as look-ups have it."""
    counts = batch.counts
    return {"state": stubs["event_pb2"].BatchState.Name(batch.state), "total": counts.total,
            "counts": [counts.succeeded, counts.failed, counts.cancelled],
            "waiting": [counts.queued, counts.running, counts.retrying],
            "last_sequence": batch.last_sequence}


def gauges(statistics):
    """Of GetStatisticsResponse, what counts what there is at the moment."""
    return {"jobs": [count for queue in statistics.queues
                     for count in (queue.queued, queue.running, queue.retrying)],
            "batches": statistics.batches_running,
            "slots": [statistics.pool.busy, statistics.pool.lost]}
