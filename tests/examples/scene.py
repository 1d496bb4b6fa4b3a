"""Runs a scene of examples/ and reads what it prints."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import typing

ROOT = pathlib.Path(__file__).resolve().parents[2]

# How long the jobs take, in milliseconds, as examples/people.cc and people.json have it.
WORK = {"Alice": 300, "Bob": 450, "Charlie": 150, "Dave": 400, "Eve": 200, "Frank": 350}
AGES = {"Alice": 30, "Bob": 25, "Charlie": 36, "Dave": 40, "Eve": 28, "Frank": 32}

LINE = re.compile(
    r"^ *(?P<time>\d+) ms  (?P<mark>[✔✘⊘]) "
    r"(?:(?P<worker>worker \d+): )?(?P<name>\w+) (?P<text>.*)$")
TOOK = re.compile(r"(?:done in|(?:stopped|failed) after) (\d+) ms")


class Result(typing.NamedTuple):
    time_ms: int
    mark: str
    worker: typing.Optional[str]
    name: str
    text: str

    @property
    def took_ms(self):
        return int(TOOK.search(self.text).group(1))


class Played(typing.NamedTuple):
    status: int
    results: list
    # The last line.
    end: str
    output: str
    errors: str

    def names(self, mark):
        return [result.name for result in self.results if result.mark == mark]


def parse(line):
    match = LINE.match(line)
    if match is None:
        return None
    return Result(int(match["time"]), match["mark"], match["worker"], match["name"], match["text"])


def play(number):
    """Runs `examples/run number` to its end."""
    done = subprocess.run([ROOT / "examples" / "run", str(number)], text=True,
                          capture_output=True, timeout=90)
    lines = done.stdout.splitlines()
    results = [result for result in map(parse, lines) if result is not None]
    return Played(done.returncode, results, lines[-1] if lines else "", done.stdout, done.stderr)


class Interrupted(typing.NamedTuple):
    status: int
    # Of standard output: before Ctrl-C, and from then on.
    before: list
    after: list
    # What it left in the directories for temporary files and for private servers.
    left: list


def interrupt(number, enough):
    """Runs `examples/run number` in a process group of its own, as a terminal does, and sends the
    group SIGINT, as Ctrl-C does, once enough(lines so far) is true."""
    with tempfile.TemporaryDirectory(prefix="jobrunner-scene-") as scratch:
        environment = {**os.environ, "TMPDIR": scratch, "XDG_RUNTIME_DIR": scratch}
        with subprocess.Popen([ROOT / "examples" / "run", str(number)], env=environment, text=True,
                              stdout=subprocess.PIPE, start_new_session=True) as program:
            try:
                before = []
                for line in program.stdout:
                    before.append(line.rstrip())
                    if enough(before):
                        break
                os.killpg(program.pid, signal.SIGINT)
                after = program.stdout.read().splitlines()
                status = program.wait(60)
            finally:
                # The group is gone unless the scene has failed.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(program.pid, signal.SIGKILL)
        return Interrupted(status, before, after, os.listdir(scratch))
