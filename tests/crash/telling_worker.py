#!/usr/bin/env python3
"""A worker made with the Python kit whose one handler tells of each of its starts (starts.py), and then
does as it is told:

usage: telling_worker.py STARTS ADDRESS NAME SLOTS"""

import json
import logging
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "examples", "workers", "python"))
# pylint: disable=wrong-import-position
from jobrunner_worker import Failure, Worker
from starts import TELLS, tell_of_remote_start


def main(starts, address, name, slots):
    worker = Worker(address, name=name, slots=int(slots))

    @worker.handler(TELLS)
    def tells(attempt):
        """Runs for so many seconds, heeds its stop or not, and ends with its assignment's id."""
        tell_of_remote_start(starts, name, attempt.assignment)
        how = json.loads(attempt.payload)
        if how["heeds"]:
            attempt.stop.wait(how["seconds"])
        else:
            time.sleep(how["seconds"])
        if how["fails"]:
            raise Failure(attempt.id)
        return attempt.id.encode()

    worker.run()


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    main(*sys.argv[1:])
