"""Clients that submit, upload, run, cancel, read, retry and delete while the server is killed under them."""

import random
import threading

from calls import CALL_SECONDS, Refused


class Client(threading.Thread):
    """Makes batches until `stop` is set, and brings each to an end. What it does is the seed's.
    `failure` has what ended it, if it was not that."""

    def __init__(self, seed, planner, calls, known, stop):
        super().__init__(name="client " + calls.name, daemon=True)
        self.random = random.Random(f"{seed} {calls.name}")
        self.planner = planner
        self.calls = calls
        self.known = known
        self.stopping = stop
        self.failure = None
        self.plans = []

    def run(self):
        try:
            while not self.stopping.is_set():
                self.live()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure
        finally:
            self.calls.close()

    def live(self):
        """A batch's life."""
        uploads = self.planner.uploads
        how = self.random.choices((self.submit_batch, self.run_batch, self.upload_batch),
                                  (0.75 - uploads, 0.25, uploads))[0]
        # What is uploaded is staged only when there is much of it.
        plan = self.planner.plan(large=how == self.upload_batch)
        self.calls.history.write("plan", request=plan.request_id, parent=None, **plan.promised)
        try:
            self.read_and_leave(plan, how(plan))
        except Refused:
            # It is in the history; the checker knows whether that was right.
            pass

    def submit_batch(self, plan):
        batch = self.calls.submit(plan)
        self.known.add(batch, plan)
        self.plans.append(plan)
        chance = self.random.random()
        if chance < 0.1:
            self.calls.cancel(batch)
        elif chance < 0.2:
            jobs = range(len(plan.promised["keys"]))
            self.calls.cancel(batch, sorted(self.random.sample(jobs, min(len(jobs), 5))))
        return batch

    def upload_batch(self, plan):
        batch = self.calls.upload(plan)
        self.known.add(batch, plan)
        return batch

    def run_batch(self, plan):
        timeout = plan.promised["deadlines"].get("call", CALL_SECONDS)
        leave_after = self.random.choice((None, None, 1, 5))
        while True:
            batch = self.calls.run(plan, timeout, leave_after)
            if batch is not None:
                self.known.add(batch, plan)
                return batch

    def read_and_leave(self, plan, batch):
        events = self.calls.read(batch, "read")
        if self.random.random() < 0.3 and self.plans:
            self.calls.submit(self.random.choice(self.plans))
        if self.random.random() < 0.2:
            self.calls.read(batch, "afterwards")
        if self.random.random() < 0.2:
            self.retry(plan, batch, events)
        if self.random.random() < 0.15:
            self.calls.delete(batch)

    def retry(self, plan, batch, events):
        succeeded = self.planner.stubs["job_pb2"].JOB_STATE_SUCCEEDED
        jobs = sorted(event.job_index for event in events
                      if event.HasField("result") and event.result.state != succeeded)
        if not jobs:
            return
        again = plan.of_jobs(self.planner.request_id(), jobs)
        self.calls.history.write("plan", request=again.request_id, parent=batch, **again.promised)
        child = self.calls.retry(again, batch)
        self.known.add(child, again)
        self.calls.read(child, "read")


class KnownBatches:
    """The batches that clients know of, the newest of them. Thread-safe."""

    def __init__(self, size_max=64):
        self._changed = threading.Condition()
        self._batches = []
        self._size_max = size_max

    def add(self, batch, plan):
        with self._changed:
            self._batches = [*self._batches[1 - self._size_max:], (batch, plan)]
            self._changed.notify_all()

    def choose(self, chance):
        """A batch and its plan, or None."""
        with self._changed:
            return chance.choice(self._batches) if self._batches else None

    def await_some(self, count, timeout_seconds=60):
        """Until so many were acknowledged."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._batches) >= count, timeout_seconds):
                raise AssertionError(f"not even {count} batches were acknowledged")


class Observer(threading.Thread):
    """Looks at batches and jobs of others until `stop` is set."""

    def __init__(self, seed, calls, known, stop):
        super().__init__(name="observer " + calls.name, daemon=True)
        self.random = random.Random(f"{seed} {calls.name}")
        self.calls = calls
        self.known = known
        self.stopping = stop
        self.failure = None

    def run(self):
        try:
            while not self.stopping.wait(0.005):
                self.look()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure
        finally:
            self.calls.close()

    def look(self):
        chosen = self.known.choose(self.random)
        if chosen is None:
            return
        batch, plan = chosen
        try:
            self.calls.look(batch)
            self.calls.look_at_job(batch, self.random.randrange(len(plan.promised["keys"])))
            if self.random.random() < 0.05:
                self.calls.look_at_list()
                self.calls.look_at_statistics()
        except Refused:
            pass
