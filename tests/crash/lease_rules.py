"""What must hold of starts at remote workers. A lease allows what no command may do: an attempt goes on
over a restart of the server, and one that was given up may still begin, at a worker that was not heard
of. What it never allows is that such a one counts, or that anything is sent after the end."""

from collections import Counter

from log_rules import CLOCK_TOLERANCE_SECONDS, jobs_of
from start_rules import attempt_of, by_attempt, ends_that_tell, life_at, told_by

LOST = "REASON_WORKER_LOST"


def nothing_is_sent_after_the_end(seen):
    """I8: nothing is given to a worker once its job has ended."""
    for start, result in starts_with_results(seen):
        if start.sent > result.time + CLOCK_TOLERANCE_SECONDS:
            yield f"I8: {named(start)} was sent {start.sent - result.time:.3f} s after the job's " \
                  "result"


def a_start_after_the_end_is_of_a_worker_that_was_not_heard_of(seen):
    """I8: what was sent before its job's end begins after that only where the attempt was ended over
    its worker's head: the worker was paused, cut off or asked to leave meanwhile, its server was
    killed, or the job was cancelled and its grace has passed."""
    for start, result in late_starts(seen):
        if result.state != "JOB_STATE_CANCELLED" and life_at(seen, result.time) == start.life and \
                not any(fault["began"] <= start.time and fault["ended"] >= start.sent
                        for fault in seen.worker_faults[start.worker]):
            yield f"I8: {named(start)} started {start.time - result.time:.3f} s after the job's " \
                  "result, and nothing had befallen its worker"


def an_end_is_of_the_newest_start(seen):
    """I6: what was started again under the same number, since nothing was known of the start before,
    is not ended by that."""
    starts = by_attempt(seen)
    for batch, job, event in ends_that_tell(seen):
        for start in starts[batch.id, job, attempt_of(event)]:
            if start.token == told_by(event) and \
                    start is not max(starts[start.attempt_of], key=lambda one: one.life):
                yield f"I6: the end of {named(start)} was accepted, and a later server had started " \
                      "it again"


def what_is_lost_ends_as_nothing_else(seen):
    """I6: the end of a start whose attempt was lost is accepted nowhere."""
    for batch, job, events in jobs_of(seen):
        lost = {attempt_of(event) for event in events if event.reason == LOST}
        ended = {attempt_of(event) for event in events
                 if event.kind in ("result", "attempt_error") and told_by(event)}
        if lost & ended:
            yield f"I6: attempts {lost & ended} of job {job} of {batch.id} were lost, and ended"


def starts_with_results(seen):
    results = {batch.id: batch.results() for batch in seen.batches.values()}
    for start in seen.remote_starts:
        result = results.get(start.batch, {}).get(start.job)
        if result is not None:
            yield start, result


def late_starts(seen):
    return [(start, result) for start, result in starts_with_results(seen)
            if start.time > result.time + CLOCK_TOLERANCE_SECONDS]


def what_came_of_leases(seen):
    """{what a fault of a worker or its server leads to: how often}"""
    remote = {start.token: start for start in seen.remote_starts}
    ends = [(remote[told_by(event)], event) for _, _, event in ends_that_tell(seen)
            if told_by(event) in remote]
    accepted = {start.token for start, _ in ends}
    counts = Counter({
        "ended at a later server than started them":
            sum(life_at(seen, event.time) != start.life for start, event in ends),
        "began after their job's end": len(late_starts(seen)),
        "began and ended for nothing": len(remote.keys() - accepted),
        "started again under their number":
            sum(len(starts) > 1 for starts in by_attempt(seen).values() if starts[0].worker)})
    for batch, _, events in jobs_of(seen):
        counts.update("lost: " + event.message for event in events
                      if event.reason == LOST and event.job in batch.plan["remote"])
    return counts


def named(start):
    return f"attempt {start.attempt} of job {start.job} of {start.batch} at {start.worker}"


RULES = (nothing_is_sent_after_the_end, a_start_after_the_end_is_of_a_worker_that_was_not_heard_of,
         an_end_is_of_the_newest_start, what_is_lost_ends_as_nothing_else)
