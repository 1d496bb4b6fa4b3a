"""A jobrunner client, in one file to copy. Needs grpcio and the stubs of proto/jobrunner/v1."""

import time
import uuid

import grpc

from jobrunner.v1 import job_service_pb2 as pb
from jobrunner.v1 import job_service_pb2_grpc

# The server is away, or full: the same call may succeed later.
PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


class Client:
    def __init__(self, address, patience_seconds=60):
        self._patience = patience_seconds
        # Else gRPC waits longer and longer before it connects again.
        options = [("grpc.max_reconnect_backoff_ms", 1000)]
        self._service = job_service_pb2_grpc.JobServiceStub(
            grpc.insecure_channel(address, options))

    def submit(self, batch):
        """Submits a BatchSpec; returns its id, once it is stored. The request_id makes it safe to
        ask again: the same id is the same batch."""
        request = pb.SubmitBatchRequest(request_id=str(uuid.uuid4()), batch=batch)
        return self._call(self._service.SubmitBatch, request).batch.id

    def events(self, batch_id, after_sequence=0):
        """Each event after that one, once and in order, live, until the batch has finished."""
        gives_up = time.monotonic() + self._patience
        while True:
            request = pb.StreamResultsRequest(
                batch_id=batch_id, after_sequence=after_sequence, follow=True)
            try:
                for response in self._service.StreamResults(request, wait_for_ready=True):
                    for event in response.events:
                        after_sequence = event.sequence
                        yield event
                    gives_up = time.monotonic() + self._patience
                return
            except grpc.RpcError as error:
                if error.code() not in PASSING or time.monotonic() > gives_up:
                    raise
                time.sleep(0.2)

    def wait(self, batch_id):
        """Returns the results by their jobs' indexes, when the batch has finished."""
        return {event.job_index: event.result for event in self.events(batch_id)
                if event.HasField("result")}

    def cancel(self, batch_id, reason=""):
        """Running jobs are asked to stop, and forced to after 5 s."""
        self._call(self._service.Cancel, pb.CancelRequest(batch_id=batch_id, reason=reason))

    def _call(self, method, request):
        gives_up = time.monotonic() + self._patience
        while True:
            try:
                return method(request, timeout=max(0.1, gives_up - time.monotonic()),
                              wait_for_ready=True)
            except grpc.RpcError as error:
                if error.code() not in PASSING or time.monotonic() > gives_up:
                    raise
                time.sleep(0.2)
