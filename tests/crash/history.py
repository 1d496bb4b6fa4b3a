"""What clients did and saw, written down as it happened: one file of JSON lines a client. The checker
reads nothing else, so that what a client did not write it cannot have promised."""

import json
import os
import time


class History:
    """The log of one client. Not thread-safe.

    Each entry has `t` (monotonic seconds), `what`, and by kind:
      invoke  op id …     a call is made: submit (request_id, jobs), cancel (batch_id)
      ok      op id …     it was answered: submit (request_id, batch_id), cancel (batch_id)
      info    op id code  it is not known whether it was done
      event   batch_id reader sequence kind …   a reader saw it; kind result has job, state,
                          attempts, reason; `bytes` is the event as it came, in hex
      end     batch_id reader   the reader's stream ended with OK
      truth   …           what look-ups said once everything had ended
    """

    def __init__(self, directory, name):
        self.file = open(os.path.join(directory, f"history-{name}.jsonl"), "w", encoding="utf-8")

    def write(self, what, **entry):
        json.dump({"t": time.monotonic(), "what": what, **entry}, self.file)
        self.file.write("\n")

    def close(self):
        self.file.close()


def read_histories(directory):
    """All entries of all clients, by time."""
    entries = []
    for name in sorted(os.listdir(directory)):
        if name.startswith("history-"):
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                entries.extend(map(json.loads, file))
    return sorted(entries, key=lambda entry: entry["t"])
