"""docs/state-machine.md says of transitions and reasons what the code says."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read(path):
    return (ROOT / path).read_text()


def table(name):
    """The rows of the table that follows `<!-- name: checked -->`, as lists of cells."""
    text = read("docs/state-machine.md").split(f"<!-- {name}: checked -->\n")[1]
    lines = text.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def transitions_of_the_docs():
    return {row[0].strip("`"): (set(row[1].split(", ")), row[2]) for row in table("transitions")}


def transitions_of_the_enum():
    """As the comments of JobTransition say."""
    enum = re.search(r"enum class JobTransition.*?\{(.*?)\};", read("server/engine/record.h"), re.S)
    lines = re.findall(r"(k\w+),\s*// ([A-Z, ]+) → ([A-Z]+)", enum[1])
    return {name: (set(before.split(", ")), after) for name, before, after in lines}


def body_of(signature):
    """Of a function in batch.cc."""
    return read("server/engine/batch.cc").split(signature)[1].split("\n}\n")[0]


def transitions_of_the_fold():
    """As Batch has them: the states that Allows names, and the one that Apply moves to."""
    before = {}
    for names, states in re.findall(r"((?:\s*case JobTransition::k\w+:)+)\s*return ([^;]+);",
                                    body_of("bool Batch::Allows(const JobChange&")):
        found = set(re.findall(r"JOB_STATE_(\w+)", states))
        if states.startswith("!Ended("):
            found = {"QUEUED", "RUNNING", "RETRYING"}
        before.update((name, found) for name in re.findall(r"k\w+", names))
    after = {}
    for name, block in re.findall(r"case JobTransition::(k\w+):(.*?)break;",
                                  body_of("void Batch::Apply(const JobChange&"), re.S):
        after[name] = re.search(r"(?:Move|End)\(.*?JOB_STATE_(\w+)", block)[1]
    return {name: (before[name], after[name]) for name in after}


class StateMachine(unittest.TestCase):
    maxDiff = None

    def test_the_transitions_are_those_of_the_enum(self):
        self.assertEqual(len(transitions_of_the_docs()), 7)
        self.assertEqual(transitions_of_the_docs(), transitions_of_the_enum())

    def test_the_transitions_are_those_of_the_fold(self):
        self.assertEqual(transitions_of_the_docs(), transitions_of_the_fold())

    def test_every_reason_has_its_line(self):
        reasons = re.findall(r"^  REASON_(\w+) = [1-9]", read("proto/jobrunner/v1/event.proto"),
                             re.M)
        self.assertEqual(sorted(row[0] for row in table("reasons")), sorted(reasons))

    def test_deadlines_have_their_code(self):
        for reason, code, *_ in table("reasons"):
            is_deadline = "TIMEOUT" in reason or reason == "CALL_DEADLINE"
            self.assertEqual(code == "DEADLINE_EXCEEDED", is_deadline, reason)


if __name__ == "__main__":
    unittest.main()
