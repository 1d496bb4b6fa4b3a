"""What commands say of their starts: a line each in a file, written by the command itself. It is the
one account of what ran that the server has no hand in. Each server gives its commands a variable that
says which it was, 1 for the first."""

import dataclasses

LIFE_VARIABLE = "CRASH_LIFE"


@dataclasses.dataclass(frozen=True)
class Start:
    batch: str
    job: int
    attempt: int
    # Which server started it.
    life: int
    # Tells this start from all others; the command's first line of output.
    token: str
    # Wall time.
    time: float


def script_that_tells(path, script):
    """The words of a command that tells of its start, and then does what `script` says."""
    return ["/bin/bash", "-c", 'token="$EPOCHREALTIME-$BASHPID"; '
            'echo "$JOBRUNNER_BATCH_ID $JOBRUNNER_JOB_INDEX $JOBRUNNER_ATTEMPT '
            f'${LIFE_VARIABLE} $token" >> {path}; echo "$token"; {script}']


def read_starts(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [parse(line) for line in file]
    except FileNotFoundError:
        return []


def parse(line):
    batch, job, attempt, life, token = line.split()
    return Start(batch, int(job), int(attempt), int(life), token, float(token.split("-")[0]))
