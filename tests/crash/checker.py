"""Holds histories against what the service promises."""

from collections import defaultdict

MAX_ATTEMPTS = 3
MAX_LOST_ATTEMPTS = 3


def check(entries):
    """Returns what is wrong, a line each; nothing when all is well."""
    return [fault for rule in (results, events, stable, submits, requests, attempts, cancels, counts,
                               finished)
            for fault in rule(entries)]


def acknowledged(entries):
    """The jobs of each batch that was answered for: {batch_id: count}."""
    asked = {entry["id"]: entry for entry in entries
             if entry["what"] == "invoke" and entry["op"] == "submit"}
    return {entry["batch_id"]: asked[entry["id"]]["jobs"] for entry in entries
            if entry["what"] == "ok" and entry["op"] == "submit"}


def seen_by_reader(entries):
    """{(batch_id, reader): its events, in the order in which they came}."""
    readers = defaultdict(list)
    for entry in entries:
        if entry["what"] == "event":
            readers[entry["batch_id"], entry["reader"]].append(entry)
    return readers


def ended_readers(entries):
    return {(entry["batch_id"], entry["reader"]) for entry in entries if entry["what"] == "end"}


def results(entries):
    """I1: every acknowledged job has exactly one result, seen once by each complete reader."""
    jobs = acknowledged(entries)
    readers = seen_by_reader(entries)
    for batch, reader in ended_readers(entries):
        seen = [event["job"] for event in readers[batch, reader] if event["kind"] == "result"]
        if sorted(seen) != list(range(jobs[batch])):
            yield f"I1: reader {reader} of {batch} has results of jobs {sorted(seen)}, not of each " \
                  f"of {jobs[batch]}"
    for batch in jobs.keys() - {batch for batch, _ in ended_readers(entries)}:
        yield f"I1: no reader has seen the end of {batch}, which was acknowledged"


def events(entries):
    """I4: sequences 1, 2, 3 … without gap or duplicate, across reconnects and kills."""
    for (batch, reader), seen in seen_by_reader(entries).items():
        sequences = [event["sequence"] for event in seen]
        if sequences != list(range(1, len(sequences) + 1)):
            wrong = next(i for i, sequence in enumerate(sequences) if sequence != i + 1)
            yield f"I4: reader {reader} of {batch} has {sequences[wrong]} where {wrong + 1} belongs"


def stable(entries):
    """I3: what one reader has seen at a place, all have: events never change."""
    first = {}
    for entry in entries:
        if entry["what"] != "event":
            continue
        place = entry["batch_id"], entry["sequence"]
        if first.setdefault(place, entry["bytes"]) != entry["bytes"]:
            yield f"I3: event {place[1]} of {place[0]} was seen with two contents"


def submits(entries):
    """I2: no batch that nobody asked for. An unknown outcome may have made one."""
    known = set(acknowledged(entries))
    unknown = sum(entry["what"] == "info" and entry["op"] == "submit" for entry in entries)
    listed = {batch["id"] for entry in entries if entry["what"] == "truth"
              for batch in entry["batches"]}
    if len(listed - known) > unknown:
        yield f"I2: {len(listed - known)} batches that nobody submitted, {unknown} submits unknown"


def requests(entries):
    """I11: a request_id is one batch, whenever it is asked."""
    made = {}
    for entry in entries:
        if entry["what"] == "ok" and entry["op"] == "submit":
            if made.setdefault(entry["request_id"], entry["batch_id"]) != entry["batch_id"]:
                yield f"I11: request {entry['request_id']} made two batches"


def attempts(entries):
    """I5: no more attempts than the policy and the lost ones allow."""
    for entry in entries:
        if entry["what"] == "event" and entry["kind"] == "result":
            if entry["attempts"] > MAX_ATTEMPTS + MAX_LOST_ATTEMPTS:
                yield f"I5: job {entry['job']} of {entry['batch_id']}: {entry['attempts']} attempts"


def cancels(entries):
    """I7: once a cancel is answered, a job has ended or ends CANCELLED; a batch too."""
    asked = {entry["batch_id"]: entry["t"] for entry in entries
             if entry["what"] == "ok" and entry["op"] == "cancel"}
    running = [entry for entry in entries if entry["what"] == "event" and
               entry["kind"] == "batch_finished" and entry["batch_id"] in asked]
    for entry in running:
        if entry["state"] == "BATCH_STATE_CANCELLED" or entry["succeeded"] + entry["failed"] == \
                acknowledged(entries)[entry["batch_id"]]:
            continue
        yield f"I7: {entry['batch_id']} was cancelled and ended as {entry['state']}"


def counts(entries):
    """I10: the counts of a batch are those of its results."""
    readers = seen_by_reader(entries)
    by_batch = {batch: readers[batch, reader] for batch, reader in ended_readers(entries)}
    for entry in entries:
        for batch in entry["batches"] if entry["what"] == "truth" else ():
            states = [event["state"] for event in by_batch.get(batch["id"], ())
                      if event["kind"] == "result"]
            for state in ("succeeded", "failed", "cancelled"):
                count = states.count("JOB_STATE_" + state.upper())
                if batch["id"] in by_batch and batch[state] != count:
                    yield f"I10: {batch['id']} counts {batch[state]} {state}, its log has {count}"


def finished(entries):
    """I12: with the faults over everything comes to its end."""
    for entry in entries:
        for batch in entry["batches"] if entry["what"] == "truth" else ():
            if batch["state"] == "BATCH_STATE_RUNNING":
                yield f"I12: {batch['id']} still runs"
    if not any(entry["what"] == "truth" for entry in entries):
        yield "I12: nobody looked at the end"
