"""Remote workers that are killed, paused, cut off, asked to leave, and started again while they hold
attempts: real processes, each behind a proxy of its own."""

import os
import random
import signal
import sys
import threading
import time

from cutting_proxy import CuttingProxy
from worker_process import PATIENCE_SECONDS, Worker, environment

# The shortest that a server takes.
LEASE_SECONDS = 1
SLOTS = 4
CALM_SECONDS = (0.05, 0.8)
# Of a lease.
SHORT_PAUSE, LONG_PAUSE = (0.1, 0.6), (1.2, 2.5)

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "telling_worker.py")


class FaultyWorker(threading.Thread):
    """One worker, and what befalls it until `stop` is set; from then on it works. Each fault is
    written down: in `history`, and counted in `faults` by its kind."""

    def __init__(self, number, seed, run, history):
        super().__init__(name=f"worker {number}", daemon=True)
        self.number = number
        self.random = random.Random(f"{seed} worker {number}")
        self.run_directory = run.directory
        self.history = history
        # No server yet.
        self.proxy = CuttingProxy("127.0.0.1:1")
        self.processes = 0
        self.worker = None
        self.stopping = threading.Event()
        # Each kind of fault has had its turn.
        self.went_round = threading.Event()
        self.failure = None
        self.faults = {fault.__name__: 0 for fault in self.kinds()}

    def kinds(self):
        return (self.killed, self.paused, self.paused_past_its_lease, self.cut, self.reset,
                self.stranded, self.left)

    def run(self):
        try:
            self.start_process()
            while not self.stopping.is_set():
                # Each in its turn, so that none is missed by chance.
                for fault in self.random.sample(self.kinds(), len(self.kinds())):
                    if not self.stopping.wait(self.random.uniform(*CALM_SECONDS)):
                        self.suffer(fault)
                self.went_round.set()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure
        finally:
            self.history.close()

    def suffer(self, fault):
        worker, began = self.worker.name, time.time()
        if fault():
            self.faults[fault.__name__] += 1
            self.history.write("fault", worker=worker, kind=fault.__name__, began=began,
                               ended=time.time())

    def start_process(self):
        self.processes += 1
        name = f"w{self.number}.{self.processes}"
        starts = os.path.join(self.run_directory, "remote-starts")
        stubs = os.path.join(self.run_directory, "stubs")
        self.worker = TellingWorker(self.proxy.address, name, starts,
                                    os.path.join(self.run_directory, f"worker-{name}.log"), stubs)

    # What may befall it. Each says whether it did.

    def killed(self):
        self.worker.kill()
        self.worker.close()
        self.stopping.wait(self.random.uniform(0, LEASE_SECONDS))
        self.start_process()
        return True

    def pause_for(self, leases):
        self.worker.pause()
        # Also when all else ends: it must be woken.
        self.stopping.wait(self.random.uniform(*leases) * LEASE_SECONDS)
        self.worker.wake()
        return True

    def paused(self):
        return self.pause_for(SHORT_PAUSE)

    def paused_past_its_lease(self):
        return self.pause_for(LONG_PAUSE)

    def once_connected(self, fault):
        while not self.stopping.is_set():
            if fault():
                return True
            self.stopping.wait(0.01)
        return False

    def cut(self):
        return self.once_connected(self.proxy.cut)

    def reset(self):
        return self.once_connected(self.proxy.reset)

    def stranded(self):
        return self.once_connected(self.proxy.strand)

    def left(self):
        self.leave()
        self.start_process()
        return True

    def leave(self):
        """It finishes what it has."""
        self.worker.ask_to_leave()
        code = self.worker.await_exit()
        # It was asked before it could hear, as Python starts.
        if code not in (0, -signal.SIGTERM):
            raise AssertionError(f"{self.worker.name} left with {code}: {self.worker.said()}")
        self.worker.close()
        self.worker = None

    def close(self):
        self.stopping.set()
        if self.is_alive():
            self.join()
        if self.worker is not None:
            self.worker.close()
        self.proxy.close()


class TellingWorker(Worker):
    def __init__(self, address, name, starts, log_path, stubs):
        super().__init__([sys.executable, "-B", PROGRAM, starts], address, name, SLOTS, log_path,
                         environment(PYTHONPATH=stubs))


class FaultyWorkers:
    """All of a run. `told` counts what came of the faults, as the workers say it."""

    def __init__(self, count, seed, run, make_history):
        self.all = [FaultyWorker(number, seed, run, make_history(f"worker-{number}"))
                    for number in range(count)]

    def start(self):
        for worker in self.all:
            worker.start()

    def lead_to(self, address):
        for worker in self.all:
            worker.proxy.lead_to(address)

    def await_each_fault(self):
        for worker in self.all:
            worker.went_round.wait(PATIENCE_SECONDS)

    def calm(self):
        """From here on nothing befalls them, and they work."""
        for worker in self.all:
            worker.stopping.set()
        for worker in self.all:
            worker.join()

    def leave(self):
        """Returns what is wrong."""
        faults = [f"{worker.name}: {worker.failure!r}" for worker in self.all if worker.failure]
        if not faults:
            for worker in self.all:
                worker.leave()
        return faults

    def counted(self):
        """{fault: how often it came about}"""
        kinds = self.all[0].faults if self.all else ()
        return {kind: sum(worker.faults[kind] for worker in self.all) for kind in kinds}

    def said(self, text, directory):
        """How many lines of all that the workers said have the text."""
        paths = [entry.path for entry in os.scandir(directory)
                 if entry.name.startswith("worker-") and entry.name.endswith(".log")]
        return sum(text in line for path in paths for line in open(path, encoding="utf-8"))

    def close(self):
        for worker in self.all:
            worker.close()
