"""HTTP jobs and the telling of a batch's end, before a real HTTP server."""

import base64
import hashlib
import hmac
import signal
import threading
import unittest

import grpc
from google.protobuf import json_format
from http_hook import HookTest
from server_process import PATIENCE_SECONDS

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


class HttpJobsTest(HookTest):
    def assert_signed(self, request):
        """As the page of Standard Webhooks says, in another language than the server's."""
        headers = request.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
        digest = hmac.new(KEY, signed, hashlib.sha256).digest()
        self.assertEqual(headers["webhook-signature"], "v1," + base64.b64encode(digest).decode())

    def test_a_request_is_sent_and_its_answer_is_the_result(self):
        hook = self.hook()
        server = self.serve_for(hook)
        batch = self.submit(server, self.spec(hook.url("/a?b")))
        result, = self.results(self.stream(server, batch))
        self.assertEqual(self.state_name(result), "JOB_STATE_SUCCEEDED")
        self.assertEqual((result.http.status, result.output), (200, b"there"))
        request = hook.next_request()
        self.assertEqual((request.path, request.body), ("/a?b", b"payload"))
        self.assertEqual(request.headers["Idempotency-Key"], batch + "/0")

    def test_what_is_not_allowed_is_refused_at_once_and_named(self):
        hook = self.hook()
        server = self.serve_for(hook)
        error = self.refusal(server, self.spec(hook.url("/"), "http://127.0.0.1:1/?secret"))
        self.assertEqual(error.code(), grpc.StatusCode.PERMISSION_DENIED)
        self.assertIn("batch.jobs[1].http.url", error.details())
        self.assertNotIn("secret", error.details())
        error = self.refusal(server, self.spec(hook.url("/"), finished_url="http://elsewhere/"))
        self.assertEqual(error.code(), grpc.StatusCode.PERMISSION_DENIED)
        self.assertIn("batch.finished_url", error.details())

    def info(self, server):
        request = self.stubs["admin_service_pb2"].GetServerInfoRequest()
        return self.admin(server).GetServerInfo(request)

    def test_a_server_says_where_requests_may_go(self):
        hook = self.hook()
        hosts = self.info(self.serve_for(hook)).http.hosts
        self.assertEqual(list(hosts), [f"127.0.0.1:{hook.server_port}"])

    def test_they_are_off_unless_enabled(self):
        hook = self.hook()
        server = self.serve_for(hook, enabled=False)
        self.assertFalse(self.info(server).HasField("http"))
        error = self.refusal(server, self.spec(hook.url("/")))
        self.assertEqual(error.code(), grpc.StatusCode.PERMISSION_DENIED)
        self.assertIn("does not allow HTTP jobs", error.details())

    def test_a_signature_can_be_verified_and_no_secret_is_in_a_log(self):
        hook = self.hook(lambda request: (503 if request.path == "/no?token=hidden" else 200, {}))
        server = self.serve_for(hook, signing_secret_file=self.write("secret", SECRET + "\n"))
        batch = self.spec(hook.url("/yes?token=hidden"), hook.url("/no?token=hidden"))
        list(self.stream(server, self.submit(server, batch)))
        for _ in range(2):
            self.assert_signed(hook.next_request())
        server.send(signal.SIGTERM)
        server.await_exit()
        said = server.process.stderr.read().decode() + self.read("jobs.log")
        self.assertIn("REASON_HTTP_STATUS", said)
        self.assertNotIn("hidden", said)
        self.assertNotIn(SECRET[6:], said)

    def test_a_retry_is_the_same_request_and_waits_for_as_long_as_it_was_told(self):
        answers = iter([(429, {"Retry-After": "1"}), (200, {})])
        hook = self.hook(lambda request: next(answers))
        server = self.serve_for(hook)
        batch = self.spec(hook.url("/"))
        policy = batch.job_defaults.retry_policy
        policy.max_attempts = 2
        policy.initial_backoff.nanos = 1
        events = list(self.stream(server, self.submit(server, batch)))
        error = events[0].attempt_error
        self.assertEqual(error.http_status, 429)
        waited = error.next_attempt_time.ToNanoseconds() - events[0].time.ToNanoseconds()
        self.assertEqual(waited, 10**9)
        first, second = hook.next_request(), hook.next_request()
        self.assertEqual(first.headers["Idempotency-Key"], second.headers["Idempotency-Key"])
        self.assertEqual((first.headers["Jobrunner-Attempt"], second.headers["Jobrunner-Attempt"]),
                         ("1", "2"))

    def test_a_batchs_end_is_told_though_the_server_is_killed(self):
        release = threading.Event()
        self.addCleanup(release.set)
        told = []

        def answer(request):
            told.append(request)
            if len(told) == 1:
                release.wait(PATIENCE_SECONDS)  # The server dies meanwhile.
            return 200, {}

        hook = self.hook(answer)
        store = "--store=rocksdb:" + self.path("store")
        server = self.serve_for(hook, store, signing_secret=SECRET)
        batch = self.submit(server, self.spec_of_echo(finished_url=hook.url("/done"), name="n"))
        first = hook.next_request()
        server.send(signal.SIGKILL)
        server.await_exit()
        release.set()
        server = self.serve_for(hook, store, signing_secret=SECRET)
        second = hook.next_request()
        for request in (first, second):
            self.assert_signed(request)
            self.assertEqual(request.path, "/done")
            self.assertEqual(request.headers["Idempotency-Key"], batch)
            self.assertEqual(request.headers["webhook-id"], batch)
        self.assertEqual(first.body, second.body)
        look = self.stubs["job_service_pb2"].GetBatchRequest(batch_id=batch)
        expected = self.jobs(server).GetBatch(look).batch
        found = json_format.Parse(second.body, self.stubs["batch_pb2"].Batch())
        self.assertEqual(found, expected)
        self.assertEqual(second.headers["Jobrunner-Attempt"], "2")

    def test_what_tells_an_end_is_run_again_under_the_same_key(self):
        answers = iter([(400, {}), (200, {})])
        hook = self.hook(lambda request: next(answers))
        server = self.serve_for(hook)
        batch = self.submit(server, self.spec_of_echo(finished_url=hook.url("/done")))
        first = hook.next_request()
        messages = self.stubs["job_service_pb2"]
        listed = self.jobs(server).ListBatches(messages.ListBatchesRequest()).batches
        notice, = (listed_one.id for listed_one in listed if listed_one.parent_id == batch)
        refused, = self.results(self.stream(server, notice))
        self.assertEqual(refused.http.status, 400)
        retry = messages.RetryJobsRequest(batch_id=notice)
        again = self.jobs(server).RetryJobs(retry).batch
        result, = self.results(self.stream(server, again.id))
        self.assertEqual(self.state_name(result), "JOB_STATE_SUCCEEDED")
        second = hook.next_request()
        self.assertEqual(second.body, first.body)
        for request in (first, second):
            self.assertEqual(request.headers["Idempotency-Key"], batch)

    def spec_of_echo(self, **fields):
        batch = self.stubs["batch_pb2"].BatchSpec(**fields)
        batch.jobs.add().handler.name = "echo"
        return batch


if __name__ == "__main__":
    unittest.main()
