"""What must hold of what calls were answered, beside the logs."""

from collections import Counter

from log_rules import CLOCK_TOLERANCE_SECONDS
from plans import REQUEST_LABEL
from seen import ENDED


def acknowledged_is_there(seen):
    """I1: what was acknowledged is there in the end."""
    listed = {batch["id"] for batch in seen.truth or ()}
    for batch in seen.acknowledged():
        if batch.id not in listed and not batch.may_be_gone():
            yield f"I1: {batch.id} was acknowledged, and is not there in the end"


def nothing_is_refused(seen):
    """I1: every call is answered, but for those on a batch that was removed."""
    for batch in seen.batches.values():
        for entry in batch.refusals:
            if entry["code"] != "NOT_FOUND" or batch.plan is None or not batch.may_be_gone():
                yield f"I1: {entry['op']} of {batch.id} was refused: {entry['code']}"


def nothing_without_a_submit(seen):
    """I2: each batch that there is was asked for, once, and each job of it too."""
    made = Counter()
    for listed in seen.truth or ():
        request = request_of(listed, seen)
        made[request] += 1
        if request is None:
            yield f"I2: nobody submitted {listed['id']}"
        elif listed["total"] != len(seen.plans[request]["keys"]):
            yield f"I2: {listed['id']} has {listed['total']} jobs, not those that were submitted"
    for request, count in made.items():
        if request is not None and count > 1:
            yield f"I2: request {request} made {count} batches"
    for batch in seen.batches.values():
        keys = batch.plan["keys"] if batch.plan else ()
        for event in batch.log():
            if event.job is not None and not (event.job < len(keys) and
                                              event.key == keys[event.job]):
                yield f"I2: nobody submitted job {event.job} \"{event.key}\" of {batch.id}"
                break


def request_of(listed, seen):
    """The request that asked for the batch, or None."""
    known = seen.batches.get(listed["id"])
    if known is not None and known.request is not None:
        return known.request
    # Nobody was told of it. Children have their parent's labels.
    for request in seen.invoked:
        plan = seen.plans[request]
        if listed["parent"]:
            if plan["parent"] == listed["parent"] and not seen.answers[request]:
                return request
        elif request == listed["labels"].get(REQUEST_LABEL):
            return request
    return None


def looks_never_go_back(seen):
    """I3: what was said of a batch is not taken back: neither the events that were seen or counted,
    nor ends, nor states that are final."""
    for batch in seen.batches.values():
        steps = [(look["began"], 0, look) for look in batch.looks]
        steps += [(look["t"], 1, look) for look in batch.looks]
        steps += [(event.t, 2, event) for events in batch.readers.values() for event in events]
        last_sequence, counts, state = 0, [0, 0, 0], None
        asked = {}
        for _, step, what in sorted(steps, key=lambda step: step[:2]):
            if step == 0:
                asked[id(what)] = last_sequence, list(counts), state
            elif step == 1:
                yield from look_faults(batch, what, *asked[id(what)])
                last_sequence = max(last_sequence, what["last_sequence"])
                counts = list(map(max, counts, what["counts"]))
                state = what["state"] if what["state"] != "BATCH_STATE_RUNNING" else state
            else:
                last_sequence = max(last_sequence, what.sequence)


def look_faults(batch, look, last_sequence, counts, state):
    """`last_sequence` and the rest are what was known when it was asked."""
    if look["last_sequence"] < last_sequence:
        yield f"I3: {batch.id} has {look['last_sequence']} events, after {last_sequence} were seen"
    if any(now < before for now, before in zip(look["counts"], counts)):
        yield f"I3: {batch.id} counts {look['counts']}, after {counts}"
    if state is not None and look["state"] != state:
        yield f"I3: {batch.id} is {look['state']}, after it was {state}"


def looks_agree_with_the_log(seen):
    """I3: what look-ups say of what has ended is what streams said."""
    begun = {start.attempt_of for start in seen.remote_starts}
    for batch in seen.batches.values():
        end = batch.finished()
        for look in batch.looks:
            if end is not None and look["state"] != "BATCH_STATE_RUNNING" and \
                    (look["state"], look["counts"]) != (end.state, end.counts):
                yield f"I3: {batch.id} is {look['state']} {look['counts']}, its log ends with " \
                      f"{end.state} {end.counts}"
        results = batch.results()
        for look in batch.job_looks:
            result = results.get(look["job"])
            # What crossed a remote worker's leave never began, and counts for nothing afterwards.
            crossed = batch.plan is not None and look["job"] in batch.plan["remote"] and \
                (batch.id, look["job"], look["attempts"]) not in begun
            if result is not None:
                yield from job_look_faults(batch, look, result, crossed)


def job_look_faults(batch, look, result, crossed):
    job = f"job {look['job']} of {batch.id}"
    if look["state"] not in ENDED:
        if look["began"] > result.t:
            yield f"I3: {job} is {look['state']}, after its result was seen"
        if look["attempts"] > result.attempts + crossed:
            yield f"I3: {job} had {look['attempts']} attempts, its result has {result.attempts}"
    elif (look["state"], look["attempts"]) != (result.state, result.attempts):
        yield f"I3: {job} is {look['state']} after {look['attempts']} attempts, its result is " \
              f"{result.state} after {result.attempts}"
    elif look.get("result") not in (None, result.result):
        yield f"I3: {job} has another result than its log"


def the_deleted_stay_away(seen):
    """I3: what was deleted, and said to be, is not there in the end."""
    listed = {batch["id"] for batch in seen.truth or ()}
    for batch in seen.batches.values():
        if batch.id in listed and any(entry["what"] == "ok" for entry in batch.deletes):
            yield f"I3: {batch.id} was deleted, and is there"


def cancels_hold(seen):
    """I7: of what a cancel was answered for, all that ends later ends CANCELLED."""
    for batch in seen.batches.values():
        results = batch.results()
        for cancel in batch.cancels:
            for job in cancel["jobs"] or results:
                result = results.get(job)
                if result is not None and result.state != "JOB_STATE_CANCELLED" and \
                        result.time > cancel["wall"] + CLOCK_TOLERANCE_SECONDS:
                    yield f"I7: job {job} of {batch.id} was cancelled, and ended {result.state}"


def counts_add_up(seen):
    """I10: counts are those of the log, and of each job once."""
    logs = {batch.id: batch.finished() for batch in seen.batches.values()}
    for listed in seen.truth or ():
        end = logs.get(listed["id"])
        if end is not None and listed["counts"] != end.counts:
            yield f"I10: {listed['id']} counts {listed['counts']}, its log says {end.counts}"
    for batch in seen.batches.values():
        states = Counter(result.state for result in batch.results().values())
        if batch.finished() and batch.finished().counts != [states[state] for state in ENDED]:
            yield f"I10: {batch.id} ended with {batch.finished().counts}, its results are {states}"
        for look in batch.looks:
            numbers = look["counts"] + look["waiting"]
            if min(numbers) < 0 or sum(numbers) != look["total"]:
                yield f"I10: {batch.id} counts {numbers} of {look['total']} jobs"


def gauges_are_what_there_is(seen):
    """I10: no number of the statistics is ever negative, and nothing is left when all has ended."""
    running = any(batch["state"] == "BATCH_STATE_RUNNING" for batch in seen.truth or ())
    for entry in seen.statistics:
        numbers = [*entry["jobs"], entry["batches"]]
        if min(*numbers, *entry["slots"]) < 0 or (entry["last"] and any(numbers) and not running):
            yield f"I10: the statistics say {entry['jobs']} jobs, {entry['batches']} batches, " \
                  f"{entry['slots']} slots"


def one_batch_for_a_request(seen):
    """I11: a request_id is one batch, whenever it is asked."""
    for request, batches in seen.answers.items():
        if len(batches) > 1:
            yield f"I11: request {request} was answered with {sorted(batches)}"


def everything_ends(seen):
    """I12: with the faults over everything comes to its end."""
    if seen.truth is None:
        yield "I12: nobody looked at the end"
    for batch in seen.truth or ():
        if batch["state"] == "BATCH_STATE_RUNNING":
            yield f"I12: {batch['id']} still runs"


RULES = (acknowledged_is_there, nothing_is_refused, nothing_without_a_submit,
         looks_never_go_back, looks_agree_with_the_log, the_deleted_stay_away, cancels_hold,
         counts_add_up, gauges_are_what_there_is, one_batch_for_a_request, everything_ends)
