"""What commands and handlers of remote workers say of their starts: a line each in a file, written by
what starts. It is the one account of what ran that the server has no hand in. Each server gives its
commands a variable that says which it was, 1 for the first; of a remote start it is known by when it
was sent."""

import dataclasses
import json
import os
import time

LIFE_VARIABLE = "CRASH_LIFE"
# The handler of remote workers that tells.
TELLS = "tells"


@dataclasses.dataclass(frozen=True)
class Start:
    batch: str
    job: int
    attempt: int
    # Which server started it.
    life: int
    # Tells this start from all others; the command's first line of output, or the remote handler's
    # output or message: its assignment's id.
    token: str
    # Wall time.
    time: float
    # Of a remote start: its worker, and when the server sent it, by the server's clock.
    worker: str = ""
    sent: float = None

    @property
    def attempt_of(self):
        return self.batch, self.job, self.attempt


def script_that_tells(path, script):
    """The words of a command that tells of its start, and then does what `script` says."""
    return ["/bin/bash", "-c", 'token="$EPOCHREALTIME-$BASHPID"; '
            'echo "$JOBRUNNER_BATCH_ID $JOBRUNNER_JOB_INDEX $JOBRUNNER_ATTEMPT '
            f'${LIFE_VARIABLE} $token" >> {path}; echo "$token"; {script}']


def tell_of_remote_start(path, worker, assignment):
    """`assignment` has a deadline: that less the time left was when it was sent."""
    began = time.time()
    deadline = assignment.deadline.ToNanoseconds()
    line = json.dumps({"batch": assignment.batch_id, "job": assignment.job_index,
                       "attempt": assignment.attempt, "token": assignment.assignment_id,
                       "time": began, "worker": worker,
                       "sent": (deadline - assignment.time_left.ToNanoseconds()) / 1e9})
    # In one piece: others write here, too, and it may be killed at any moment.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, (line + "\n").encode())
    os.close(file)


def read_starts(path):
    return [parse(line) for line in lines_of(path)]


def read_remote_starts(path, lives):
    """`lives`: when each server began, in order."""
    starts = [Start(life=0, **json.loads(line)) for line in lines_of(path)]
    return [dataclasses.replace(start, life=sum(began <= start.sent for began in lives))
            for start in starts]


def lines_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.readlines()
    except FileNotFoundError:
        return []


def parse(line):
    batch, job, attempt, life, token = line.split()
    return Start(batch, int(job), int(attempt), int(life), token, float(token.split("-")[0]))
