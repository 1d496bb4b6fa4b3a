"""Clients that submit, cancel and read while the server is killed under them, and write down all that
they do and see."""

import random
import threading
import uuid

import grpc

# What a call says whose server goes away.
GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)


class Address:
    """Where the server is now."""

    def __init__(self):
        self._changed = threading.Condition()
        self._address = None

    def set(self, address):
        with self._changed:
            self._address = address
            self._changed.notify_all()

    def get(self, timeout_seconds=60):
        with self._changed:
            if not self._changed.wait_for(lambda: self._address, timeout_seconds):
                raise AssertionError("there is no server")
            return self._address


class Client(threading.Thread):
    """Runs until `stop` is set, and then brings to an end what it has begun. `failure` has what ended
    it, if it was not that."""

    def __init__(self, name, seed, stubs, address, history, stop):
        super().__init__(name=f"client {name}")
        self.random = random.Random(f"{seed} {name}")
        self.stubs = stubs
        self.address = address
        self.history = history
        self.stopping = stop
        self.calls = 0
        self.failure = None
        self.channel = None
        self.connected_to = None
        self.requests = []
        self.resumed = 0

    def run(self):
        try:
            while not self.stopping.is_set():
                self.run_batch()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure
        finally:
            self.drop_connection()
            self.history.close()

    # A batch's life.

    def run_batch(self):
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(
            request_id=str(uuid.UUID(int=self.random.getrandbits(128))), batch=self.random_batch())
        batch_id = self.submit(request)
        self.requests.append(request)
        if self.random.random() < 0.2:
            self.cancel(batch_id)
        self.read(batch_id, "resumed")
        if self.random.random() < 0.3:
            self.submit(self.random.choice(self.requests))
        if self.random.random() < 0.3:
            self.read(batch_id, "afterwards")

    def random_batch(self):
        job_pb2 = self.stubs["job_pb2"]
        jobs = []
        for _ in range(self.random.choice((1, 10, 100, 400))):
            jobs.append(job_pb2.Job(key=f"k{len(jobs)}", **self.random_work(job_pb2)))
        options = job_pb2.JobOptions()
        options.retry_policy.max_attempts = 3
        options.retry_policy.initial_backoff.nanos = 20_000_000
        batch = self.stubs["batch_pb2"].BatchSpec(jobs=jobs, job_defaults=options)
        if self.random.random() < 0.1:
            batch.timeout.nanos = 300_000_000
        return batch

    def random_work(self, job_pb2):
        kind = self.random.choices(("echo", "sleep", "fail", "command"), (80, 8, 8, 4))[0]
        if kind == "command":
            script = f"sleep 0.0{self.random.randrange(10)}; exit {self.random.choice((0, 0, 1))}"
            return {"command": job_pb2.Command(argv=["/bin/sh", "-c", script])}
        payload = {"echo": "x" * self.random.randrange(200), "sleep": str(self.random.randrange(60)),
                   "fail": '{"message": "no", "succeed_on_attempt": %d}' % self.random.randrange(1, 6)}
        return {"handler": job_pb2.HandlerCall(name=kind, payload=payload[kind].encode())}

    # Calls, made again until they are answered.

    def submit(self, request):
        answer = self.call("submit", "SubmitBatch", request,
                           lambda answer: {"batch_id": answer.batch.id},
                           request_id=request.request_id, jobs=len(request.batch.jobs))
        return answer.batch.id

    def cancel(self, batch_id):
        request = self.stubs["job_service_pb2"].CancelRequest(batch_id=batch_id)
        request.grace_period.nanos = 50_000_000
        self.call("cancel", "Cancel", request, lambda answer: {}, batch_id=batch_id)

    def call(self, operation, method, request, told, **about):
        while True:
            self.calls += 1
            entry = {"op": operation, "id": f"{self.name} {self.calls}", **about}
            self.history.write("invoke", **entry)
            try:
                answer = getattr(self.jobs(), method)(request, timeout=20)
            except grpc.RpcError as error:
                self.history.write("info", **entry, code=error.code().name)
                self.pause_after(error)
                continue
            self.history.write("ok", **{**entry, **told(answer)})
            return answer

    def read(self, batch_id, how):
        """Follows the batch to its end, taking the stream up again where it broke."""
        reader = f"{self.name} {how} {self.calls}"
        last = 0
        while True:
            request = self.stubs["job_service_pb2"].StreamResultsRequest(
                batch_id=batch_id, after_sequence=last, follow=True)
            try:
                for response in self.jobs().StreamResults(request, timeout=60):
                    for event in response.events:
                        last = event.sequence
                        self.write_event(batch_id, reader, event)
                self.history.write("end", batch_id=batch_id, reader=reader)
                return
            except grpc.RpcError as error:
                self.resumed += 1
                self.pause_after(error)

    def write_event(self, batch_id, reader, event):
        kind = event.WhichOneof("kind")
        entry = {"batch_id": batch_id, "reader": reader, "sequence": event.sequence, "kind": kind,
                 "bytes": event.SerializeToString(deterministic=True).hex()}
        if kind == "result":
            entry.update(job=event.job_index, attempts=event.result.attempts,
                         state=self.stubs["job_pb2"].JobState.Name(event.result.state))
        if kind == "batch_finished":
            ended = event.batch_finished
            entry.update(state=self.stubs["event_pb2"].BatchState.Name(ended.state),
                         succeeded=ended.succeeded, failed=ended.failed)
        self.history.write("event", **entry)

    # The connection.

    def jobs(self):
        address = self.address.get()
        if address != self.connected_to:
            self.drop_connection()
            self.channel = grpc.insecure_channel(address)
            self.connected_to = address
        return self.stubs["job_service_pb2_grpc"].JobServiceStub(self.channel)

    def drop_connection(self):
        if self.channel is not None:
            self.channel.close()
        self.channel = self.connected_to = None

    def pause_after(self, error):
        if error.code() not in GONE:
            raise error
        self.drop_connection()
        # Not to spin while the server starts; which instant it is tried at is of no meaning.
        threading.Event().wait(0.02)
