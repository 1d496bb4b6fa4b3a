"""Batches of all kinds, made by chance, and what is promised of each."""

import json
import uuid

from starts import TELLS, script_that_tells

# The label by which a batch names the request that made it, and what every key begins with.
REQUEST_LABEL = "crash-request"
KEY = "crash-job-"

# A batch may have one of them, so many seconds long.
DEADLINES = {"batch": 0.3, "start": 0.15, "total": 0.4, "attempt": 0.03, "call": 1.0}
DELAYS_SECONDS = (0.05, 0.5, 1.5)
SHORT_RETENTION_SECONDS = 0.5
LARGE_JOBS, LARGE_BYTES = 300, 10_000
# An attempt at a remote worker has a deadline, so that it knows when it was sent (starts.py).
REMOTE_TIMEOUT_SECONDS = 600


class Plan:
    """A batch to be asked for. `promised` goes into the history:
      keys                a key for each job
      max_attempts, max_lost_attempts, backoff: [initial, multiplier, max, jitter]
      delays              {job: seconds}, with text as keys, as JSON has it
      deadlines           {kind of DEADLINES: seconds}
      commands            the jobs that tell of their starts
      remote              those that do so at remote workers
      retention           seconds, or null for long
    """

    def __init__(self, request_id, spec, promised):
        self.request_id = request_id
        self.spec = spec
        self.promised = promised

    def of_jobs(self, request_id, indexes):
        """What RetryJobs promises that runs these jobs again."""
        places = {job: place for place, job in enumerate(indexes)}
        was = self.promised
        return Plan(request_id, None, {
            **was, "keys": [was["keys"][job] for job in indexes],
            "delays": {str(places[int(job)]): delay for job, delay in was["delays"].items()
                       if int(job) in places},
            **{kind: [places[job] for job in was[kind] if job in places]
               for kind in ("commands", "remote")}})


class Planner:
    """`short_retention` and `uploads` are how many of all batches are kept for a short time only, and
    are to be uploaded; `remote`: some jobs are for remote workers."""

    def __init__(self, random, stubs, starts_path, short_retention, uploads, remote=False):
        self.random = random
        self.stubs = stubs
        self.starts_path = starts_path
        self.short_retention = short_retention
        self.uploads = uploads
        self.remote = remote

    def request_id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def plan(self, large=False):
        """`large`: of some MiB."""
        request_id = self.request_id()
        promised = {"keys": [], "delays": {}, "commands": [], "remote": [], "deadlines": {},
                    "retention": None}
        spec = self.stubs["batch_pb2"].BatchSpec(labels={REQUEST_LABEL: request_id})
        for _ in range(self.random.choice((1, 8, 40, 200))):
            self.add_job(spec, promised)
        for _ in range(LARGE_JOBS if large else 0):
            self.add_echo(spec, promised, LARGE_BYTES)
        if self.random.random() < 0.2:
            self.add_array(spec, promised)
        self.set_retries(spec, promised)
        if self.random.random() < 0.4:
            self.set_deadline(spec, promised)
        if "attempt" not in promised["deadlines"]:
            for index in promised["remote"]:
                set_duration(spec.jobs[index].options.timeout, REMOTE_TIMEOUT_SECONDS)
        if self.random.random() < self.short_retention:
            promised["retention"] = SHORT_RETENTION_SECONDS
            set_duration(spec.retention, SHORT_RETENTION_SECONDS)
        return Plan(request_id, spec, promised)

    def add_job(self, spec, promised):
        index = len(promised["keys"])
        promised["keys"].append(f"{KEY}{index}")
        job = spec.jobs.add(key=promised["keys"][-1])
        kinds = {"echo": 76, "sleep": 8, "fail": 8, "command": 8, "remote": 12 * self.remote}
        kind = self.random.choices(tuple(kinds), kinds.values())[0]
        if kind == "remote":
            promised["remote"].append(index)
            job.handler.name = TELLS
            job.handler.payload = self.remote_payload().encode()
        elif kind == "command":
            promised["commands"].append(index)
            job.command.argv.extend(script_that_tells(
                self.starts_path, f"sleep 0.0{self.random.randrange(10)}; "
                                  f"exit {self.random.choice((0, 0, 1))}"))
        else:
            job.handler.name = kind
            job.handler.payload = self.payload(kind).encode()
        if self.random.random() < 0.1:
            delay = self.random.choice(DELAYS_SECONDS)
            promised["delays"][str(index)] = delay
            set_duration(job.options.delay, delay)

    def add_echo(self, spec, promised, size):
        promised["keys"].append(f"{KEY}{len(promised['keys'])}")
        job = spec.jobs.add(key=promised["keys"][-1])
        job.handler.name = "echo"
        job.handler.payload = b"x" * size

    def payload(self, kind):
        if kind == "echo":
            return "x" * self.random.randrange(200)
        if kind == "sleep":
            return str(self.random.randrange(60))
        return '{"message": "no", "succeed_on_attempt": %d}' % self.random.randrange(1, 6)

    def remote_payload(self):
        # Now and then so long that it outlives a server, or a lease.
        seconds = self.random.choice((0, 0, 0.01, 0.01, 0.05, 0.05, 0.05, 0.2, 0.2, 1.5))
        return json.dumps({"seconds": seconds, "heeds": self.random.random() < 0.7,
                           "fails": self.random.random() < 0.2})

    def add_array(self, spec, promised):
        count = self.random.choice((2, 30, 300))
        job = spec.jobs.add(key=KEY + "of-array", count=count)
        job.handler.name = "echo"
        job.handler.payload = b"number {index}"
        promised["keys"].extend(f"{KEY}of-array[{k}]" for k in range(count))

    def set_retries(self, spec, promised):
        options = spec.job_defaults
        policy = options.retry_policy
        policy.max_attempts = self.random.choice((1, 3))
        initial, multiplier, most = self.random.choice(((0.02, 2, 1), (0.2, 1.5, 0.25), (1, 1.5, 1.2)))
        set_duration(policy.initial_backoff, initial)
        set_duration(policy.max_backoff, most)
        policy.backoff_multiplier = multiplier
        policy.jitter = 0.1
        # 0: at most once.
        options.max_lost_attempts = self.random.choice((0, 3, 3))
        promised.update(max_attempts=policy.max_attempts,
                        max_lost_attempts=options.max_lost_attempts,
                        backoff=[initial, multiplier, most, policy.jitter])

    def set_deadline(self, spec, promised):
        kind = self.random.choice(tuple(DEADLINES))
        promised["deadlines"][kind] = DEADLINES[kind]
        if kind == "call":
            # Of SubmitBatch; of RunBatch it is always so.
            spec.lifetime = self.stubs["batch_pb2"].LIFETIME_CALL_DEADLINE
            return
        field = {"batch": spec.timeout, "start": spec.job_defaults.start_timeout,
                 "total": spec.job_defaults.total_timeout,
                 "attempt": spec.job_defaults.timeout}[kind]
        set_duration(field, DEADLINES[kind])


def set_duration(field, seconds):
    field.seconds = int(seconds)
    field.nanos = round((seconds - int(seconds)) * 1_000_000_000)
