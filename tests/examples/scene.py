"""Runs a scene of examples/ and reads what it prints."""

import os
import pathlib
import re
import subprocess
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


def environment(**more):
    return {**os.environ, "JOBRUNNER_BIN": os.environ["JOBRUNNER_BIN"], **more}


def play(number):
    """Runs `examples/run number` to its end."""
    done = subprocess.run([ROOT / "examples" / "run", str(number)], env=environment(), text=True,
                          capture_output=True, timeout=90)
    lines = done.stdout.splitlines()
    results = [result for result in map(parse, lines) if result is not None]
    return Played(done.returncode, results, lines[-1] if lines else "", done.stdout, done.stderr)
