"""A jobrunner worker, in one file to copy. Needs grpcio and the stubs of proto/jobrunner/v1."""

import asyncio
import logging
import math
import random
import signal
import threading
import time

import grpc

from jobrunner.v1 import worker_service_pb2 as pb, worker_service_pb2_grpc as pb_grpc

MIB = 1 << 20
OPTIONS = [("grpc.use_local_subchannel_pool", 1)]  # Else gRPC's own backoff outlives a channel.
SIGNALS = (signal.SIGTERM, signal.SIGINT)
# With these, trying again is of no use.
FATAL = ("INVALID_ARGUMENT", "UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED")
ENDED = (grpc.RpcError, grpc.aio.InternalError, asyncio.InvalidStateError, asyncio.CancelledError)
log = logging.getLogger("jobrunner")


class Failure(Exception):
    """How an attempt failed, raised by its handler, with a google.rpc.Code. `final`: do not try again;
    `critical`: cancel the batch, too. Any other exception fails the attempt with UNKNOWN."""

    def __init__(self, message, code=2, final=False, critical=False):
        super().__init__(message)
        self.said = dict(message=message[:4096], code=code, final=final, critical=critical)


class Attempt:
    """What a handler is given. It runs on a thread of its own, and may block."""

    def __init__(self, say, assignment):
        self._say = say
        left = assignment.time_left.ToNanoseconds() / 1e9
        self._ends = time.monotonic() + left if assignment.HasField("time_left") else math.inf
        self.assignment = assignment  # batch_id, job_index, job_key, attempt, …
        self.id, self.payload = assignment.assignment_id, assignment.handler.payload
        self.stop = threading.Event()  # Set when the handler is to end soon, in whatever way.
        self.outcome = None

    def time_left(self):
        """Seconds until the attempt is stopped; infinite when nothing bounds it."""
        return max(0.0, self._ends - time.monotonic())

    def progress(self, fraction, message=""):
        """Lost while there is no connection, as output is: only outcomes are kept."""
        self._say(progress=pb.AttemptProgress(
            assignment_id=self.id, fraction=fraction, message=message))

    def output(self, output=b"", error_output=b""):
        """Shown if the job asked for it. Blocks while the connection is slow."""
        if self.assignment.stream_output:
            self._say(output=pb.AttemptOutput(
                assignment_id=self.id, output=output, error_output=error_output))


class Worker:
    """Everything but handlers happens on the loop of run(), which answers for the lease as well."""

    def __init__(self, address, name, slots=4, labels=None):
        self._address, self._handlers = address, {}
        self._hello = dict(name=name, slots=slots, labels=labels or {}, sdk="python 1.0")
        self._held = {}    # attempts by assignment_id, until their outcome is acknowledged
        self._unsent = []  # outcomes to be sent on this stream
        self._call = None  # from welcome on
        self._session_id, self._lease, self._leaving, self._reporting = "", 10.0, False, False

    def handler(self, name):
        """Decorates a function that gets an Attempt, and returns bytes or None, or raises."""
        return lambda function: self._handlers.setdefault(name, function)

    def run(self):
        """Until SIGTERM or Ctrl-C; what was taken is finished. A second signal ends it at once."""
        asyncio.run(self._serve())

    async def _serve(self):
        self._loop, self._writing, backoff = asyncio.get_running_loop(), asyncio.Lock(), 0
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._leave)
        while not self._leaving or self._held:
            await asyncio.sleep(backoff * random.uniform(0.5, 1))
            try:
                async with grpc.aio.insecure_channel(self._address, OPTIONS) as channel:
                    await self._session(pb_grpc.WorkerServiceStub(channel).Work())
            except (grpc.aio.AioRpcError, asyncio.TimeoutError) as error:
                code = error.code().name if isinstance(error, grpc.RpcError) else "silence"
                log.warning("the stream broke: %s, %d held", code, len(self._held))
                if code in FATAL:
                    raise
                if code == "ABORTED":  # The session is over.
                    self._session_id = ""
                    self._keep(())
            backoff = 0.05 if self._call else min(0.05 + 2 * backoff, 1, self._lease / 5)
            self._call = None

    async def _session(self, call):
        hello = pb.WorkerHello(**self._hello, handlers=self._handlers,
                               session_id=self._session_id, assignment_ids=self._held)
        # The server speaks each third of a lease: after two in silence there is time to come back.
        # (No write is waited for: only one who reads hears that a stream has ended.)
        await asyncio.wait_for(call.write(pb.WorkRequest(hello=hello)), self._lease * 2 / 3)
        while (message := await asyncio.wait_for(call.read(), self._lease * 2 / 3)):
            kind = message.WhichOneof("kind")
            if kind == "welcome":
                self._call = call
                self._welcome(message.welcome)
            elif kind == "assignments" and not self._leaving:
                for assignment in message.assignments.assignments:
                    attempt = Attempt(self._say_from_thread, assignment)
                    self._held[attempt.id] = attempt
                    threading.Thread(target=self._run, args=(attempt,), daemon=True).start()
            elif kind == "stop":
                self._stop(message.stop.assignment_ids)
            elif kind == "lease_check":
                self._stop(self._held.keys() - set(message.lease_check.assignment_ids))
                self._say_soon(lease_answer=pb.LeaseAnswer(
                    number=message.lease_check.number, assignment_ids=self._held))
            elif kind == "acknowledged":
                for name in message.acknowledged.refused_ids:
                    log.warning("%s: its outcome was refused", name)
                for name in message.acknowledged.assignment_ids:
                    self._held.pop(name, None)
                if self._leaving and not self._held:
                    self._say_soon()

    def _welcome(self, welcome):
        self._session_id, self._lease = welcome.session_id, welcome.lease.ToNanoseconds() / 1e9
        self._keep(welcome.assignment_ids)
        self._unsent = [held.outcome for held in self._held.values() if held.outcome]
        self._loop.create_task(self._report())
        if self._leaving:
            self._leave()

    def _keep(self, names):
        for name in self._held.keys() - set(names):
            log.warning("%s: no longer ours", name)
            self._held.pop(name).stop.set()

    def _stop(self, names):
        for name in self._held.keys() & set(names):
            self._held[name].stop.set()

    def _run(self, attempt):
        outcome = pb.AttemptOutcome(assignment_id=attempt.id)
        try:
            output = self._handlers[attempt.assignment.handler.name](attempt) or b""
            if len(output) > MIB:
                raise Failure("its output has more than 1 MiB", final=True)
            outcome.output = output
        except Failure as error:
            outcome.failure.CopyFrom(pb.AttemptFailure(**error.said))
        except BaseException as error:  # SystemExit as well.
            log.exception("%s failed", attempt.assignment.handler.name)
            outcome.failure.message = f"{type(error).__name__}: {error}"[:4096]
        self._loop.call_soon_threadsafe(self._end, attempt, outcome)

    def _end(self, attempt, outcome):
        if self._held.get(attempt.id) is attempt:
            attempt.outcome = outcome
            self._unsent.append(outcome)
            if not self._reporting:  # Who reports takes this one along.
                self._loop.create_task(self._report())

    async def _report(self):
        self._reporting = True
        while self._unsent and self._call:
            outcomes, size = [], 0
            while self._unsent and size < 2 * MIB:  # One more fits: a message may have 4 MiB.
                outcomes.append(self._unsent.pop(0))
                size += outcomes[-1].ByteSize()
            await self._say(outcomes=pb.AttemptOutcomes(outcomes=outcomes))
        self._reporting = False

    async def _say(self, **kind):  # Without one it closes this side.
        async with self._writing:
            try:
                if self._call:
                    await (self._call.write(pb.WorkRequest(**kind)) if kind
                           else self._call.done_writing())
            except ENDED:
                pass  # _session sees it.

    def _say_soon(self, **kind):
        self._loop.create_task(self._say(**kind))

    def _say_from_thread(self, **kind):
        asyncio.run_coroutine_threadsafe(self._say(**kind), self._loop).result()

    def _leave(self):
        self._leaving = True
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)
        self._say_soon(leave=pb.WorkerLeave(held=pb.HeldAttempts(assignment_ids=self._held)))
        if not self._held:
            self._say_soon()
