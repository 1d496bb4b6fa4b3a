"""What every worker kit has to do, shown with the handlers of its example program. The test of a kit
is this, on a ServerTest, and how the kit's example is started."""

import json
import os
import signal
import time

from cutting_proxy import CuttingProxy
from worker_process import PATIENCE_SECONDS, Worker

MIB = 1 << 20
UNKNOWN, NOT_FOUND = 2, 5


def seconds(count):
    return {"seconds": int(count), "nanos": round(count % 1 * 1e9)}


def job(handler, payload=b"", **options):
    payload = payload.encode() if isinstance(payload, str) else payload
    return {"handler": {"name": handler, "payload": payload}, "options": options}


def failing(retries=None, **how):
    options = {"retry_policy": {"max_attempts": retries, "initial_backoff": seconds(0.01)}}
    return job("failing", json.dumps(how), **(options if retries else {}))


class WorkerConformance:
    # How the kit's example is started, and with what environment.
    command = None
    env = None

    # Given.

    def a_server(self, lease=10, durable=False, **more):
        config = {"workers": {"lease": f"{lease}s"}, "shutdown_grace": "0s", **more}
        if durable:
            config["store"] = "rocksdb:" + self.path("store")
        path = self.write("config.json", json.dumps(config))
        words = [f"--config={path}"] + ([f"--store={config['store']}"] if durable else [])
        self.server = self.serve(*words)
        return self.server

    def a_proxy(self):
        proxy = CuttingProxy(self.server.address)
        self.addCleanup(proxy.close)
        return proxy

    def a_worker(self, name="first", slots=4, at=None):
        worker = Worker(self.command, at or self.server.address, name, slots,
                        self.path(f"{name}.log"), self.env)
        self.addCleanup(worker.close)
        return worker

    # When.

    def submit(self, *jobs, **batch):
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(batch=dict(jobs=jobs, **batch))
        return self.jobs(self.server).SubmitBatch(request, timeout=PATIENCE_SECONDS).batch.id

    def cancel(self, batch_id, grace):
        self.jobs(self.server).Cancel(self.stubs["job_service_pb2"].CancelRequest(
            batch_id=batch_id, grace_period=seconds(grace)), timeout=PATIENCE_SECONDS)

    def events(self, batch_id):
        """All events of the batch, up to its end."""
        request = self.stubs["job_service_pb2"].StreamResultsRequest(
            batch_id=batch_id, follow=True)
        responses = self.jobs(self.server).StreamResults(request, timeout=PATIENCE_SECONDS)
        for response in responses:
            yield from response.events

    def await_begun(self, batch_id, count=1, attempt=1):
        """Waits until the handlers of so many jobs have said that they run."""
        for event in self.events(batch_id):
            count -= event.progress.message == "begun" and event.progress.attempt == attempt
            if count == 0:
                return
        self.fail("the batch ended")

    def results(self, batch_id):
        """The results by their jobs' indexes; each job has one."""
        results = {}
        for event in self.events(batch_id):
            if event.HasField("result"):
                self.assertNotIn(event.job_index, results)
                results[event.job_index] = event.result
        return results

    def result(self, batch_id):
        return self.results(batch_id)[0]

    def status(self, batch_id, index=0):
        request = self.stubs["job_service_pb2"].GetJobRequest(batch_id=batch_id, index=index)
        return self.jobs(self.server).GetJob(request, timeout=PATIENCE_SECONDS).job

    def await_that(self, condition, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited in vain: " + what)
            time.sleep(0.01)

    # Then.

    def assert_ended(self, result, state, reason="UNSPECIFIED"):
        self.assertEqual(self.state_name(result), "JOB_STATE_" + state, result)
        self.assertEqual(self.reason_name(result), "REASON_" + reason, result)

    def assert_nothing_was_lost(self, batch_id, count):
        for index, result in self.results(batch_id).items():
            self.assert_ended(result, "SUCCEEDED")
            self.assertEqual((result.attempts, result.output), (1, b"done by attempt 1"))
            self.assertEqual(self.status(batch_id, index).lost_attempts, 0)
            count -= 1
        self.assertEqual(count, 0)

    def assert_still_works(self, *workers):
        """Each of them does a job."""
        seen = set()
        while seen != {worker.name for worker in workers}:
            results = self.results(self.submit(*[job("upper", "x")] * 8)).values()
            self.assertEqual([result.output for result in results], [b"X"] * 8)
            seen.update(result.worker for result in results)

    # Jobs.

    def test_payloads_and_outputs_are_exact(self):
        self.a_server()
        self.a_worker(slots=4)
        payloads = [b"", bytes(range(256)), os.urandom(MIB), *(b"job %d" % i for i in range(200))]
        results = self.results(self.submit(*(job("upper", payload) for payload in payloads)))
        self.assertEqual([results[i].output for i in range(len(payloads))],
                         [payload.upper() for payload in payloads])
        for result in results.values():
            self.assert_ended(result, "SUCCEEDED")
            self.assertEqual((result.attempts, result.worker), (1, "first"))

    def test_large_outputs_together_and_one_that_is_too_large(self):
        self.a_server()
        self.a_worker(slots=10)
        results = self.results(self.submit(
            *[job("zeros", str(MIB))] * 9, job("zeros", str(5 * MIB))))
        for index in range(9):
            self.assertEqual(results[index].output, bytes(MIB))
        self.assert_ended(results[9], "FAILED", "HANDLER")

    def test_a_handler_knows_its_job(self):
        self.a_server()
        self.a_worker()
        call = {"name": "about", "content_type": "text/x-test"}
        batch_id = self.submit(job("upper", ""), {"key": "mine", "handler": call},
                               {"handler": call, "options": {"timeout": seconds(1000)}})
        results = self.results(batch_id)
        self.assertEqual(json.loads(results[1].output), {
            "batch_id": batch_id, "job_index": 1, "job_key": "mine", "attempt": 1,
            "content_type": "text/x-test", "seconds_left": None})
        left = json.loads(results[2].output)["seconds_left"]
        self.assertTrue(900 < left <= 1000, left)

    def test_progress_and_output_arrive_in_order(self):
        self.a_server()
        self.a_worker()
        events = list(self.events(self.submit(job("steps", "5", stream_output=True))))
        output = b"".join(event.output.output for event in events)
        error_output = b"".join(event.output.error_output for event in events)
        self.assertEqual(output, b"".join(b"out %d\n" % i for i in range(1, 6)))
        self.assertEqual(error_output, b"".join(b"err %d\n" % i for i in range(1, 6)))
        steps = [event.progress for event in events if event.HasField("progress")]
        self.assertEqual((steps[-1].fraction, steps[-1].message), (1, "step 5"))
        self.assertEqual(sorted(steps, key=lambda step: step.fraction), steps)

    # Failures.

    def test_failures_are_as_the_handler_says(self):
        self.a_server()
        self.a_worker()
        batch_id = self.submit(failing(message="no such thing", code=NOT_FOUND),
                               failing(**{"raise": "oh"}),
                               failing(message="often", code=NOT_FOUND, retries=3),
                               failing(message="once", code=NOT_FOUND, final=True, retries=3),
                               failing(**{"raise": "oh"}, retries=2))
        errors = [event for event in self.events(batch_id) if event.HasField("attempt_error")]
        results = self.results(batch_id)
        for result in results.values():
            self.assert_ended(result, "FAILED", "HANDLER")
        self.assertEqual([results[i].attempts for i in range(5)], [1, 1, 3, 1, 2])
        self.assertEqual([results[i].error.code for i in range(5)],
                         [NOT_FOUND, UNKNOWN, NOT_FOUND, NOT_FOUND, UNKNOWN])
        self.assertEqual(results[0].error.message, "no such thing")
        self.assertIn("oh", results[1].error.message)
        self.assertEqual(sorted(event.job_index for event in errors), [2, 2, 4])

    def test_a_critical_failure_ends_the_batch(self):
        self.a_server()
        self.a_worker()
        results = self.results(self.submit(job("slow", "3600"), failing(
            message="all is lost", critical=True, code=NOT_FOUND, retries=3)))
        self.assert_ended(results[0], "CANCELLED", "CRITICAL_ERROR")
        self.assert_ended(results[1], "FAILED", "HANDLER")
        self.assertTrue(results[1].error.critical)

    # Stops.

    def test_a_handler_that_heeds_its_stop_ends_within_its_grace(self):
        self.a_server()
        worker = self.a_worker()
        batch_id = self.submit(job("slow", "3600"))
        self.await_begun(batch_id)
        self.cancel(batch_id, grace=3600)
        self.assert_ended(self.result(batch_id), "CANCELLED", "CLIENT_CANCEL")
        self.assert_still_works(worker)

    def test_a_timeout_stops_the_attempt_and_the_next_one_runs(self):
        self.a_server()
        self.a_worker()
        result = self.result(self.submit(job(
            "slow", "3600", timeout=seconds(0.3), grace_period=seconds(3600),
            retry_policy={"max_attempts": 2, "initial_backoff": seconds(0.01)})))
        self.assert_ended(result, "FAILED", "ATTEMPT_TIMEOUT")
        self.assertEqual(result.attempts, 2)

    def test_a_handler_that_ignores_its_stop_is_given_up(self):
        self.a_server()
        worker = self.a_worker(slots=1)
        batch_id = self.submit(job("stubborn", "1"))
        self.await_begun(batch_id)
        self.cancel(batch_id, grace=0.05)
        self.assert_ended(self.result(batch_id), "CANCELLED", "CLIENT_CANCEL")
        self.await_that(lambda: "outcome was refused" in worker.said(), "the late outcome")
        self.assert_still_works(worker)

    # Faults of the worker.

    def test_a_killed_worker_s_attempt_runs_elsewhere(self):
        self.a_server(lease=2)
        first = self.a_worker("first")
        batch_id = self.submit(job("slow", "3600"))
        self.await_begun(batch_id)
        second = self.a_worker("second")
        self.assertEqual(first.kill(), -signal.SIGKILL)
        self.await_begun(batch_id, attempt=2)
        self.assertGreaterEqual(self.status(batch_id).lost_attempts, 1)
        self.cancel(batch_id, grace=3600)
        result = self.result(batch_id)
        self.assertEqual(result.worker, second.name)
        self.assertGreaterEqual(result.attempts, 2)

    def test_what_a_paused_worker_brings_after_its_lease_counts_for_nothing(self):
        self.a_server(lease=2)
        first = self.a_worker("first", slots=1)
        batch_id = self.submit(job("stubborn", "1"))
        self.await_begun(batch_id)
        first.pause()
        second = self.a_worker("second", slots=1)
        result = self.result(batch_id)
        self.assert_ended(result, "SUCCEEDED")
        self.assertEqual(result.output, b"done by attempt %d" % result.attempts)
        self.assertEqual(result.worker, second.name)
        self.assertGreaterEqual(self.status(batch_id).lost_attempts, 1)
        first.wake()
        self.await_that(lambda: "no longer ours" in first.said() or
                        "outcome was refused" in first.said(), "what it held to be refused")
        self.assert_still_works(first, second)
        self.assertEqual(self.result(batch_id), result)

    # Faults of the connection.

    def test_attempts_outlive_their_connection(self):
        self.a_server()
        proxy = self.a_proxy()
        worker = self.a_worker(at=proxy.address)
        batch_id = self.submit(*[job("slow", "1.5")] * 4)
        self.await_begun(batch_id, count=4)
        for _ in range(3):
            self.await_that(proxy.cut, "a connection to cut")
        self.assert_nothing_was_lost(batch_id, 4)
        self.assertIn("the stream", worker.said())

    def test_a_connection_that_is_dead_without_a_word_is_left(self):
        # The worker has a third of it to come back in.
        self.a_server(lease=12)
        proxy = self.a_proxy()
        worker = self.a_worker(at=proxy.address)
        batch_id = self.submit(job("slow", "0.5"))
        self.await_begun(batch_id)
        self.assertGreater(proxy.strand(), 0)
        self.assert_nothing_was_lost(batch_id, 1)
        self.assertIn("the stream", worker.said())

    # The server ends, and comes again.

    def restart_while_attempts_run(self, end):
        """Some of them end while no server is there. Returns the batch."""
        self.a_server(durable=True)
        proxy = self.a_proxy()
        worker = self.a_worker(at=proxy.address)
        batch_id = self.submit(job("slow", "0.5"), *[job("slow", "2")] * 3)
        self.await_begun(batch_id, count=4)
        end()
        # The first handler has run its time.
        time.sleep(0.6)
        proxy.lead_to(self.a_server(durable=True).address)
        self.assert_nothing_was_lost(batch_id, 4)
        self.assertIn("the stream", worker.said())

    def test_outcomes_are_brought_to_the_server_after_one_that_was_killed(self):
        def kill():
            self.server.send(signal.SIGKILL)
            self.assertEqual(self.server.await_exit(), -signal.SIGKILL)
        self.restart_while_attempts_run(kill)

    def test_outcomes_are_brought_to_the_server_after_one_that_drained(self):
        def drain():
            self.server.send(signal.SIGTERM)
            self.assertEqual(self.server.await_exit(), 0)
        self.restart_while_attempts_run(drain)

    def test_a_worker_waits_for_its_server(self):
        proxy = CuttingProxy("127.0.0.1:1")
        self.addCleanup(proxy.close)
        worker = self.a_worker(at=proxy.address)
        self.await_that(lambda: "the stream" in worker.said(), "that it finds no server")
        proxy.lead_to(self.a_server().address)
        self.assert_still_works(worker)

    # The end of the worker.

    def test_a_worker_that_leaves_finishes_what_it_has_and_takes_no_more(self):
        self.a_server()
        first = self.a_worker("first", slots=1)
        batch_id = self.submit(job("slow", "3"), job("slow", "0"))
        self.await_begun(batch_id)
        first.ask_to_leave()
        self.assertEqual(first.await_exit(), 0, first.said())
        self.a_worker("second", slots=1)
        self.assert_nothing_was_lost(batch_id, 2)
        results = self.results(batch_id)
        self.assertEqual([results[i].worker for i in range(2)], ["first", "second"])

    def test_what_is_under_way_to_a_worker_that_leaves_is_neither_begun_nor_lost(self):
        self.a_server(lease=3600)
        proxy = self.a_proxy()
        first = self.a_worker("first", slots=1, at=proxy.address)
        self.assert_still_works(first)
        proxy.freeze()
        batch_id = self.submit(job("slow", "0"))
        first.ask_to_leave()
        self.await_that(lambda: proxy.held_back() == 2, "the assignment and the leave to cross")
        self.a_worker("second")
        proxy.thaw()
        self.assert_nothing_was_lost(batch_id, 1)
        self.assertEqual(first.await_exit(), 0, first.said())

    def test_a_worker_with_nothing_to_do_leaves_at_once(self):
        self.a_server(lease=3600)
        worker = self.a_worker()
        self.assert_still_works(worker)
        worker.ask_to_leave()
        self.assertEqual(worker.await_exit(), 0, worker.said())

    def test_a_worker_that_is_refused_says_so_and_ends(self):
        self.a_server()
        worker = self.a_worker(name="a\nb")
        self.assertNotEqual(worker.await_exit(), 0)
        self.assertIn("hello.name", worker.said())
