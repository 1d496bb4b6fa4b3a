"""A history put in order: by batch, by reader, by job. The rules of the checker ask this."""

import dataclasses
import sys
from collections import Counter, defaultdict

ENDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


class Event:
    """An event as a reader saw it, with the fields of its kind (history.py); the others are None."""

    __slots__ = ("t", "sequence", "kind", "time", "digest", "job", "key", "state", "attempts",
                 "attempt", "reason", "message", "result", "run_time", "output", "next", "counts")

    def __init__(self, entry):
        for name in self.__slots__:
            value = entry.get(name)
            setattr(self, name, sys.intern(value) if isinstance(value, str) else value)

    @property
    def began(self):
        """When the attempt started whose end it tells."""
        return self.time - self.run_time


@dataclasses.dataclass
class Batch:
    """All that is known of a batch whose id somebody was given."""

    id: str
    request: str = None
    plan: dict = None
    # When it was accepted, by the server's clock; None if nobody was told that it was.
    created: float = None
    # {reader: its events in the order in which they came}, and the readers that came to the end.
    readers: dict = dataclasses.field(default_factory=lambda: defaultdict(list))
    ended: set = dataclasses.field(default_factory=set)
    # Entries of the history.
    looks: list = dataclasses.field(default_factory=list)
    job_looks: list = dataclasses.field(default_factory=list)
    cancels: list = dataclasses.field(default_factory=list)
    deletes: list = dataclasses.field(default_factory=list)
    refusals: list = dataclasses.field(default_factory=list)

    def log(self):
        """The longest run of events from the first one on that any reader has."""
        return max(self.readers.values(), key=len, default=[])

    def tells(self):
        """The jobs that tell of their starts."""
        return {*self.plan["commands"], *self.plan["remote"]}

    def events_by_job(self):
        jobs = defaultdict(list)
        for event in self.log():
            if event.job is not None:
                jobs[event.job].append(event)
        return jobs

    def results(self):
        """{job: its result}, as far as the log is known."""
        return {event.job: event for event in self.log() if event.kind == "result"}

    def finished(self):
        """Its last event, if somebody saw it."""
        log = self.log()
        return log[-1] if log and log[-1].kind == "batch_finished" else None

    def may_be_gone(self):
        """It was deleted, or asked to be; or is kept for a short time only."""
        return bool(self.deletes) or self.plan["retention"] is not None


class Seen:
    """A whole history. `starts` and `remote_starts` are those of starts.py."""

    def __init__(self, entries, starts=(), remote_starts=()):
        self.starts = starts
        self.remote_starts = remote_starts
        # {request: the entry}; of these the ones that were really asked for.
        self.plans = {}
        self.invoked = set()
        # {request: the batches that it was answered with}
        self.answers = defaultdict(set)
        self.batches = {}
        # The wall times at which servers began.
        self.lives = []
        # {remote worker: the entries of its faults}
        self.worker_faults = defaultdict(list)
        # What ListBatches said at the end; None if nobody looked.
        self.truth = None
        self.statistics = []
        # {kind of call: how many were answered}
        self.calls = Counter()
        for entry in entries:
            getattr(self, "_" + entry["what"])(entry)
        for request, ids in self.answers.items():
            for batch in ids:
                self.batches[batch].plan = self.plans[request]

    def acknowledged(self):
        return [batch for batch in self.batches.values() if batch.created is not None]

    def reasons(self):
        """{reason: how many attempts and jobs it ended}"""
        return Counter(event.reason.removeprefix("REASON_") for batch in self.batches.values()
                       for event in batch.log() if event.reason)

    def _batch(self, entry):
        return self.batches.setdefault(entry["batch"], Batch(entry["batch"]))

    def _plan(self, entry):
        self.plans[entry["request"]] = entry

    def _invoke(self, entry):
        if entry["op"] in ("submit", "retry"):
            self.invoked.add(entry["request"])
        if entry["op"] == "delete":
            self._batch(entry).deletes.append(entry)

    def _ok(self, entry):
        some_jobs = " of jobs" if entry.get("jobs") else ""
        self.calls[entry.get("how", entry["op"]) + some_jobs] += 1
        if entry["op"] in ("submit", "retry"):
            batch = self._batch(entry)
            batch.request = entry["request"]
            batch.created = entry["created"]
            self.answers[entry["request"]].add(entry["batch"])
        elif entry["op"] == "cancel":
            self._batch(entry).cancels.append(entry)
        elif entry["op"] == "delete":
            self._batch(entry).deletes.append(entry)

    def _info(self, entry):
        """Nobody knows whether it was done: nothing is promised by it."""

    def _fail(self, entry):
        self._batch({"batch": None, **entry}).refusals.append(entry)

    def _event(self, entry):
        self._batch(entry).readers[entry["reader"]].append(Event(entry))

    def _end(self, entry):
        self._batch(entry).ended.add(entry["reader"])

    def _look(self, entry):
        self._batch(entry).looks.append(entry)

    def _job(self, entry):
        self._batch(entry).job_looks.append(entry)

    def _truth(self, entry):
        self.truth = entry["batches"]

    def _statistics(self, entry):
        self.statistics.append(entry)

    def _life(self, entry):
        self.lives.append(entry["began"])

    def _fault(self, entry):
        self.worker_faults[entry["worker"]].append(entry)
