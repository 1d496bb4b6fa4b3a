"""What must hold of the starts of commands, as they themselves tell of them (starts.py)."""

import bisect
from collections import defaultdict

from log_rules import CLOCK_TOLERANCE_SECONDS


def an_end_is_of_one_start(seen):
    """I6: an end that was accepted is of an attempt that was started under that number, by the same
    server: what an earlier server started comes too late. No start ends twice."""
    by_token = {start.token: start for start in seen.starts}
    lives = sorted(seen.lives)
    ended = {}
    for batch, job, event in ends_of_commands(seen):
        # It was stopped before it could tell, or lost with its server.
        if not event.output:
            continue
        start = by_token.get(event.output.strip())
        attempt = event.attempts if event.kind == "result" else event.attempt
        where = f"attempt {attempt} of job {job} of {batch.id}"
        if start is None or (start.batch, start.job, start.attempt) != (batch.id, job, attempt):
            yield f"I6: {where} ended, and the start {event.output.strip()} is not of it"
            continue
        if bisect.bisect(lives, event.time) != start.life:
            yield f"I6: the end of {where} was accepted by another server than started it"
        if ended.setdefault(start.token, event) is not event:
            yield f"I6: the start {start.token} of {where} ended twice"


def started_again_only_when_lost(seen):
    """I5: an attempt number starts again only if its server was killed meanwhile, and never where
    an attempt must not be lost."""
    for (batch_id, job, attempt), starts in by_attempt(seen).items():
        where = f"attempt {attempt} of job {job} of {batch_id}"
        lives = sorted(start.life for start in starts)
        if len(set(lives)) != len(lives):
            yield f"I5: {where} was started twice by one server: by the servers {lives}"
        batch = seen.batches.get(batch_id)
        if len(starts) > 1 and batch is not None and batch.plan is not None and \
                batch.plan["max_lost_attempts"] == 0:
            yield f"I5: {where} was started {len(starts)} times, and may be lost never"


def no_start_after_the_end(seen):
    """I8: nothing starts once its job has ended."""
    results = {batch.id: batch.results() for batch in seen.batches.values()}
    for start in seen.starts:
        result = results.get(start.batch, {}).get(start.job)
        if result is not None and start.time > result.time + CLOCK_TOLERANCE_SECONDS:
            yield f"I8: attempt {start.attempt} of job {start.job} of {start.batch} started " \
                  f"{start.time - result.time:.3f} s after the job's result"


def no_start_before_its_time(seen):
    """I9: nothing starts before its delay, or the backoff after the attempt before it."""
    starts = by_attempt(seen)
    lives = sorted(seen.lives)
    for batch in seen.acknowledged():
        for job, events in batch.events_by_job().items():
            # {attempt: (not before, and by which server that was said)}
            earliest = {1: (batch.created + batch.plan["delays"].get(str(job), 0), 0)}
            earliest.update({event.attempt + 1: (event.next, bisect.bisect(lives, event.time))
                             for event in events if event.kind == "attempt_error"})
            for attempt, (time, life) in earliest.items():
                for start in starts.get((batch.id, job, attempt), ()):
                    # What an earlier server knew of the attempt before was lost with it.
                    if start.life >= life and start.time < time - CLOCK_TOLERANCE_SECONDS:
                        yield f"I9: attempt {attempt} of job {job} of {batch.id} started " \
                              f"{time - start.time:.3f} s early"


def only_what_was_submitted_starts(seen):
    """I2: no start of a job that nobody submitted."""
    for start in seen.starts:
        batch = seen.batches.get(start.batch)
        if batch is not None and batch.plan is not None and \
                start.job not in batch.plan["commands"]:
            yield f"I2: job {start.job} of {start.batch} started, and is no command"


def by_attempt(seen):
    attempts = defaultdict(list)
    for start in seen.starts:
        attempts[start.batch, start.job, start.attempt].append(start)
    return attempts


def ends_of_commands(seen):
    """(batch, job, event) for each end of an attempt at a command."""
    for batch in seen.batches.values():
        commands = set(batch.plan["commands"]) if batch.plan else ()
        for event in batch.log():
            if event.job in commands and event.kind in ("result", "attempt_error"):
                yield batch, event.job, event


RULES = (an_end_is_of_one_start, started_again_only_when_lost, no_start_after_the_end,
         no_start_before_its_time, only_what_was_submitted_starts)
