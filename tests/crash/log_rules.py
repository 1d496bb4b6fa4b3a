"""What must hold of the logs of batches, as readers saw them."""

# The server's wall clock against its steady one, and against that of commands.
CLOCK_TOLERANCE_SECONDS = 0.02


def one_result_each(seen):
    """I1: each job of an acknowledged batch has exactly one result, seen once by each reader that
    came to the end."""
    for batch in seen.acknowledged():
        jobs = list(range(len(batch.plan["keys"])))
        for reader in batch.ended:
            results = sorted(event.job for event in batch.readers[reader]
                             if event.kind == "result")
            if results != jobs:
                yield f"I1: {reader} of {batch.id} has results of the jobs {results}, not one of " \
                      f"each of {len(jobs)}"
        if not batch.ended and not batch.may_be_gone():
            yield f"I1: {batch.id} was acknowledged, and no reader has seen its end"


def events_never_change(seen):
    """I3: what one reader has seen at a place of a log, all have."""
    for batch in seen.batches.values():
        first = {}
        for reader, events in batch.readers.items():
            for event in events:
                if first.setdefault(event.sequence, event.digest) != event.digest:
                    yield f"I3: {reader} of {batch.id} has another event {event.sequence}"


def no_gap_and_no_duplicate(seen):
    """I4: sequences 1, 2, 3 …, across reconnects and kills."""
    for batch in seen.batches.values():
        for reader, events in batch.readers.items():
            for place, event in enumerate(events, 1):
                if event.sequence != place:
                    yield f"I4: {reader} of {batch.id} has {event.sequence} where {place} belongs"
                    break


def attempts_in_order_and_bounds(seen):
    """I5: attempts are numbered 1, 2, 3 …; those that failed are at most max_attempts, those that
    were lost at most max_lost_attempts, and one more where that ended the job."""
    for batch, job, events in jobs_of(seen):
        errors = [event for event in events if event.kind == "attempt_error"]
        if [error.attempt for error in errors] != list(range(1, len(errors) + 1)):
            yield f"I5: job {job} of {batch.id}: attempts {[error.attempt for error in errors]}"
        ends = errors + [event for event in events if is_end_of_attempt(event, len(errors))]
        lost = sum(event.reason == "REASON_WORKER_LOST" for event in ends)
        if len(ends) - lost > batch.plan["max_attempts"]:
            yield f"I5: job {job} of {batch.id}: {len(ends) - lost} attempts, {lost} more lost"
        # One more than may be ends the job.
        lost_and_run_again = sum(error.reason == "REASON_WORKER_LOST" for error in errors)
        if lost_and_run_again > batch.plan["max_lost_attempts"]:
            yield f"I5: job {job} of {batch.id}: {lost} attempts were lost"


def one_end_for_each_attempt(seen):
    """I6: an attempt whose end was told has no other: a result is of the attempt after the last
    that failed."""
    for batch, job, events in jobs_of(seen):
        ended = set()
        for event in events:
            attempt = event.attempt
            if event.kind == "result":
                # Cancelled while it waited: of no attempt.
                attempt = event.attempts if event.state != "JOB_STATE_CANCELLED" else None
            if attempt is not None and attempt in ended:
                yield f"I6: attempt {attempt} of job {job} of {batch.id} ended twice"
            ended.add(attempt)


def nothing_after_the_result(seen):
    """I8: nothing is told of a job after its result, nor of a batch after its end."""
    for batch, job, events in jobs_of(seen):
        kinds = [event.kind for event in events]
        if "result" in kinds[:-1]:
            yield f"I8: job {job} of {batch.id} goes on after its result: {kinds}"
    for batch in seen.batches.values():
        if any(event.kind == "batch_finished" for event in batch.log()[:-1]):
            yield f"I8: {batch.id} goes on after its end"


def nothing_before_its_time(seen):
    """I9: no attempt starts before the job's delay or its backoff has passed, and no backoff is
    shorter than its policy says."""
    for batch, job, events in jobs_of(seen):
        if batch.created is None:
            continue
        earliest = batch.created + batch.plan["delays"].get(str(job), 0)
        counted = 0
        for event in events:
            if event.run_time and event.began < earliest - CLOCK_TOLERANCE_SECONDS:
                yield f"I9: job {job} of {batch.id} started {earliest - event.began:.3f} s early " \
                      f"(event {event.sequence})"
            if event.kind != "attempt_error":
                continue
            earliest = event.next
            counted += event.reason != "REASON_WORKER_LOST"
            if event.reason != "REASON_WORKER_LOST" and \
                    event.next - event.time < least_backoff(batch.plan["backoff"], counted):
                yield f"I9: job {job} of {batch.id}: a backoff of {event.next - event.time:.3f} s " \
                      f"after {counted} failures"


def deadlines_are_kept_and_awaited(seen):
    """I9: what a deadline ended had that deadline, and it had passed."""
    for batch in seen.acknowledged():
        for job, result in batch.results().items():
            kind = DEADLINE_OF.get(result.reason)
            if kind is None:
                continue
            bound = batch.plan["deadlines"].get(kind)
            if bound is None and kind != "call":
                yield f"I9: job {job} of {batch.id} ended by {result.reason}, and has no such bound"
            elif kind in ("batch", "start", "total"):
                delay = batch.plan["delays"].get(str(job), 0) if kind == "start" else 0
                early = batch.created + delay + bound - result.time
                if early > CLOCK_TOLERANCE_SECONDS:
                    yield f"I9: {result.reason} ended job {job} of {batch.id} {early:.3f} s early"


DEADLINE_OF = {"REASON_BATCH_TIMEOUT": "batch", "REASON_START_TIMEOUT": "start",
               "REASON_TOTAL_TIMEOUT": "total", "REASON_ATTEMPT_TIMEOUT": "attempt",
               "REASON_CALL_DEADLINE": "call"}


def jobs_of(seen):
    """(batch, job, the job's events) for all of which something was seen."""
    for batch in seen.batches.values():
        if batch.plan is not None:
            for job, events in batch.events_by_job().items():
                yield batch, job, events


def is_end_of_attempt(event, errors):
    """Whether it is the result of an attempt, after so many that failed."""
    return event.kind == "result" and event.attempts > errors


def least_backoff(backoff, failures):
    """The shortest that the policy allows after so many failures (RetryPolicy in job.proto), less a
    millisecond for rounding."""
    initial, multiplier, most, jitter = backoff
    return min(initial * multiplier ** (failures - 1), most) * (1 - jitter) - 0.001


RULES = (one_result_each, events_never_change, no_gap_and_no_duplicate,
         attempts_in_order_and_bounds, one_end_for_each_attempt, nothing_after_the_result,
         nothing_before_its_time, deadlines_are_kept_and_awaited)
