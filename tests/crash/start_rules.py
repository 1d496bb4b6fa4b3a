"""What must hold of the starts of commands and at remote workers, as they themselves tell of them
(starts.py). lease_rules.py has what holds of the latter alone."""

import bisect
from collections import defaultdict

from log_rules import CLOCK_TOLERANCE_SECONDS


def an_end_is_of_one_start(seen):
    """I6: an end that was accepted is of an attempt that was started under that number. No start
    ends twice."""
    by_token = {start.token: start for start in all_starts(seen)}
    ended = {}
    for batch, job, event in ends_that_tell(seen):
        token, attempt = told_by(event), attempt_of(event)
        start = by_token.get(token)
        where = f"attempt {attempt} of job {job} of {batch.id}"
        if start is None or start.attempt_of != (batch.id, job, attempt):
            yield f"I6: {where} ended, and the start {token} is not of it"
        elif ended.setdefault(token, event) is not event:
            yield f"I6: the start {token} of {where} ended twice"


def an_end_of_a_command_is_its_own_server_s(seen):
    """I6: what an earlier server started comes too late."""
    by_token = {start.token: start for start in seen.starts}
    for batch, job, event in ends_that_tell(seen):
        start = by_token.get(told_by(event))
        if start is not None and life_at(seen, event.time) != start.life:
            yield f"I6: the end of attempt {start.attempt} of job {job} of {batch.id} was accepted " \
                  "by another server than started it"


def started_again_only_when_lost(seen):
    """I5: an attempt number starts again only if its server was killed meanwhile, and never where
    an attempt must not be lost."""
    for (batch_id, job, attempt), starts in by_attempt(seen).items():
        where = f"attempt {attempt} of job {job} of {batch_id}"
        lives = sorted(start.life for start in starts)
        if len(set(lives)) != len(lives):
            yield f"I5: {where} was started twice by one server: by the servers {lives}"
        if len(starts) > 1 and batch_id in seen.batches and \
                must_not_be_lost(seen.batches[batch_id]):
            yield f"I5: {where} was started {len(starts)} times, and may be lost never"


def at_most_once(seen):
    """I5: where an attempt must not be lost, the next one starts only after it is known that the
    one before it has failed."""
    for start in all_starts(seen):
        batch = seen.batches.get(start.batch)
        # What the call of a RunBatch began is not run again: its failures may be lost with it.
        if start.attempt == 1 or batch is None or not must_not_be_lost(batch) or \
                not batch.finished() or \
                batch.results()[start.job].reason == "REASON_SERVER_SHUTDOWN":
            continue
        failed = [event.attempt for event in batch.events_by_job()[start.job]
                  if event.kind == "attempt_error" and event.reason != "REASON_WORKER_LOST"]
        if start.attempt - 1 not in failed:
            yield f"I5: attempt {start.attempt} of job {start.job} of {batch.id} was started, and " \
                  "the one before it never failed: it may be lost never"


def must_not_be_lost(batch):
    return batch.plan is not None and batch.plan["max_lost_attempts"] == 0


def no_start_after_the_end(seen):
    """I8: no command starts once its job has ended."""
    results = {batch.id: batch.results() for batch in seen.batches.values()}
    for start in seen.starts:
        result = results.get(start.batch, {}).get(start.job)
        if result is not None and start.time > result.time + CLOCK_TOLERANCE_SECONDS:
            yield f"I8: attempt {start.attempt} of job {start.job} of {start.batch} started " \
                  f"{start.time - result.time:.3f} s after the job's result"


def no_start_before_its_time(seen):
    """I9: nothing starts before its delay, or the backoff after the attempt before it."""
    starts = by_attempt(seen)
    for batch in seen.acknowledged():
        for job, events in batch.events_by_job().items():
            # {attempt: (not before, and by which server that was said)}
            earliest = {1: (batch.created + batch.plan["delays"].get(str(job), 0), 0)}
            earliest.update({event.attempt + 1: (event.next, life_at(seen, event.time))
                             for event in events if event.kind == "attempt_error"})
            for attempt, (time, life) in earliest.items():
                for start in starts.get((batch.id, job, attempt), ()):
                    # What an earlier server knew of the attempt before was lost with it.
                    if start.life >= life and start.time < time - CLOCK_TOLERANCE_SECONDS:
                        yield f"I9: attempt {attempt} of job {job} of {batch.id} started " \
                              f"{time - start.time:.3f} s early"


def only_what_was_submitted_starts(seen):
    """I2: no start of a job that nobody submitted."""
    for kind, starts in (("commands", seen.starts), ("remote", seen.remote_starts)):
        for start in starts:
            batch = seen.batches.get(start.batch)
            if batch is not None and batch.plan is not None and start.job not in batch.plan[kind]:
                yield f"I2: job {start.job} of {start.batch} started, and is none of the {kind}"


def all_starts(seen):
    return [*seen.starts, *seen.remote_starts]


def life_at(seen, time):
    """Which server there was at that time."""
    return bisect.bisect(seen.lives, time)


def by_attempt(seen):
    attempts = defaultdict(list)
    for start in all_starts(seen):
        attempts[start.attempt_of].append(start)
    return attempts


def ends_that_tell(seen):
    """(batch, job, event) for each end of an attempt that says which start it is of. (It does not if
    it was stopped before it could, or lost.)"""
    for batch in seen.batches.values():
        jobs = batch.tells() if batch.plan else ()
        for event in batch.log():
            if event.job in jobs and event.kind in ("result", "attempt_error") and told_by(event):
                yield batch, event.job, event


def told_by(event):
    """The start's token. A remote handler that fails has no output."""
    return event.output.strip() or (event.message if event.reason == "REASON_HANDLER" else "")


def attempt_of(event):
    return event.attempts if event.kind == "result" else event.attempt


RULES = (an_end_is_of_one_start, an_end_of_a_command_is_its_own_server_s,
         started_again_only_when_lost, at_most_once, no_start_after_the_end,
         no_start_before_its_time, only_what_was_submitted_starts)
