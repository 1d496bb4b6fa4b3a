"""Calls that are made again until they are answered, whatever happens to the server, and written
down."""

import itertools
import threading
import time

import grpc

from history import batch_fields, event_entry, gauges, result_fields, seconds

# What a call says whose server goes away, or that was not answered in its time.
GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED)
CALL_SECONDS = 20
STREAM_SECONDS = 60
# In one message.
UPLOADED_JOBS = 100


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


class Refused(Exception):
    """The server's answer is no. It is written down."""


class Calls:
    """Of one client, on a connection of its own. Not thread-safe."""

    def __init__(self, name, stubs, address, history):
        self.name = name
        self.stubs = stubs
        self.address = address
        self.history = history
        self.ids = itertools.count(1)
        self.channel = None
        self.connected_to = None
        # Streams that were broken and taken up again.
        self.resumed = 0

    def close(self):
        self._drop_connection()
        self.history.close()

    # Calls.

    def submit(self, plan):
        """Returns the batch's id."""
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(
            request_id=plan.request_id, batch=plan.spec)
        answer = self._call("SubmitBatch", request, "submit", request=plan.request_id,
                            timeout=plan.promised["deadlines"].get("call", CALL_SECONDS))
        return answer.batch.id

    def upload(self, plan):
        """As submit, in several messages."""
        requests = self.stubs["job_service_pb2"]
        header = self.stubs["batch_pb2"].BatchSpec()
        header.CopyFrom(plan.spec)
        header.ClearField("jobs")
        messages = [requests.UploadBatchRequest(header=requests.SubmitBatchRequest(
            request_id=plan.request_id, batch=header))]
        for first in range(0, len(plan.spec.jobs), UPLOADED_JOBS):
            jobs = plan.spec.jobs[first:first + UPLOADED_JOBS]
            messages.append(requests.UploadBatchRequest(jobs=requests.UploadJobs(jobs=jobs)))
        messages.append(requests.UploadBatchRequest(
            end=requests.UploadEnd(jobs_sent=len(plan.spec.jobs))))
        answer = self._call("UploadBatch", messages, "submit", how="upload",
                            request=plan.request_id,
                            timeout=plan.promised["deadlines"].get("call", CALL_SECONDS))
        return answer.batch.id

    def retry(self, plan, batch):
        request = self.stubs["job_service_pb2"].RetryJobsRequest(request_id=plan.request_id,
                                                                batch_id=batch)
        return self._call("RetryJobs", request, "retry", request=plan.request_id,
                          batch=batch).batch.id

    def cancel(self, batch, jobs=()):
        request = self.stubs["job_service_pb2"].CancelRequest(batch_id=batch, job_indexes=jobs)
        request.grace_period.nanos = 50_000_000
        self._call("Cancel", request, "cancel", batch=batch, jobs=list(jobs))

    def delete(self, batch):
        request = self.stubs["job_service_pb2"].DeleteBatchRequest(batch_id=batch,
                                                                  allow_missing=True)
        self._call("DeleteBatch", request, "delete", batch=batch)

    def look(self, batch):
        began = time.monotonic()
        answer = self._call("GetBatch", self.stubs["job_service_pb2"].GetBatchRequest(
            batch_id=batch), "look", batch=batch)
        self.history.write("look", batch=batch, began=began,
                           **batch_fields(self.stubs, answer.batch))

    def look_at_job(self, batch, job):
        began = time.monotonic()
        answer = self._call("GetJob", self.stubs["job_service_pb2"].GetJobRequest(
            batch_id=batch, index=job), "look", batch=batch)
        entry = {"state": self.stubs["job_pb2"].JobState.Name(answer.job.state),
                 "attempts": answer.job.attempts}
        if answer.job.HasField("result"):
            entry.update(result_fields(self.stubs, answer.job.result))
        self.history.write("job", batch=batch, job=job, began=began, **entry)

    def look_at_list(self):
        """At the newest batches."""
        began = time.monotonic()
        answer = self._call("ListBatches", self.stubs["job_service_pb2"].ListBatchesRequest(
            page_size=20), "look")
        for batch in answer.batches:
            self.history.write("look", batch=batch.id, began=began,
                               **batch_fields(self.stubs, batch))

    def look_at_statistics(self):
        answer = self._call("GetStatistics", self.stubs["admin_service_pb2"].GetStatisticsRequest(),
                            "look", service="admin_service")
        self.history.write("statistics", last=False, **gauges(answer))

    def _call(self, method, message, operation, timeout=CALL_SECONDS, service="job_service",
              **about):
        """`message` is a list where the client streams."""
        while True:
            entry = {"op": operation, "id": f"{self.name} {next(self.ids)}", **about}
            self.history.write("invoke", **entry)
            try:
                sent = iter(message) if isinstance(message, list) else message
                answer = getattr(self._stub(service), method)(sent, timeout=timeout)
            except grpc.RpcError as error:
                self._note(error, entry)
                continue
            self._note_answer(answer, entry)
            return answer

    def _note_answer(self, answer, entry):
        if entry["op"] in ("submit", "retry"):
            entry = {**entry, "parent": entry.get("batch"), "batch": answer.batch.id,
                     "created": seconds(answer.batch.create_time)}
        self.history.write("ok", **entry, wall=time.time())

    def _note(self, error, entry):
        """Returns if the call can be made again."""
        code = error.code()
        self.history.write("info" if code in GONE else "fail", **entry, code=code.name)
        if code not in GONE:
            raise Refused(f"{entry['op']}: {code.name}: {error.details()}") from error
        self._drop_connection()
        # Not to spin while the server starts; which instant it is tried at is of no meaning.
        threading.Event().wait(0.02)

    # Streams. Both return the events that came.

    def read(self, batch, how):
        """Follows the batch to its end, taking the stream up again where it broke."""
        entry = {"op": "read", "id": f"{self.name} {next(self.ids)}", "batch": batch}
        reader = f"{entry['id']} {how}"
        events = []
        while True:
            request = self.stubs["job_service_pb2"].StreamResultsRequest(
                batch_id=batch, after_sequence=events[-1].sequence if events else 0, follow=True)
            try:
                for response in self._stub().StreamResults(request, timeout=STREAM_SECONDS):
                    events.extend(self._note_events(batch, reader, response.events))
                self.history.write("end", batch=batch, reader=reader)
                return events
            except grpc.RpcError as error:
                self.resumed += 1
                self._note(error, entry)

    def run(self, plan, timeout, leave_after):
        """Submits and follows in one call, which is ended after so many messages. Returns the batch's
        id, or None if the call ended before it was known."""
        request = self.stubs["job_service_pb2"].RunBatchRequest(request_id=plan.request_id,
                                                               batch=plan.spec)
        entry = {"op": "submit", "how": "run", "id": f"{self.name} {next(self.ids)}",
                 "request": plan.request_id}
        self.history.write("invoke", **entry)
        batch = None
        try:
            stream = self._stub().RunBatch(request, timeout=timeout)
            for number, response in enumerate(stream):
                if batch is None:
                    batch = response.batch.id
                    self._note_answer(response, entry)
                self._note_events(batch, entry["id"], response.events)
                if number == leave_after:
                    stream.cancel()
            self.history.write("end", batch=batch, reader=entry["id"])
        except grpc.RpcError as error:
            self._note(error, {**entry, "batch": batch})
        return batch

    def _note_events(self, batch, reader, events):
        for event in events:
            self.history.write("event", batch=batch, reader=reader,
                               **event_entry(self.stubs, event))
        return events

    # The connection.

    def _stub(self, service="job_service"):
        address = self.address.get()
        if address != self.connected_to:
            self._drop_connection()
            self.channel = grpc.insecure_channel(address)
            self.connected_to = address
        stub = {"job_service": "JobServiceStub", "admin_service": "AdminServiceStub"}[service]
        return getattr(self.stubs[service + "_pb2_grpc"], stub)(self.channel)

    def _drop_connection(self):
        if self.channel is not None:
            self.channel.close()
        self.channel = self.connected_to = None
