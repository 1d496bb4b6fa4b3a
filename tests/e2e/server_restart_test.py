"""What a server that was killed, or drained, leaves to the next one on the same store."""

import os
import signal
import unittest
import uuid

import grpc

from server_process import PATIENCE_SECONDS, ServerTest


class RestartTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.store = "--store=rocksdb:" + self.path("store")

    def serve_again(self, *words):
        return self.serve(self.store, *words)

    def kill(self, server):
        server.send(signal.SIGKILL)
        server.await_exit()

    def batch(self, jobs, **spec):
        return self.stubs["batch_pb2"].BatchSpec(jobs=jobs, **spec)

    def command(self, script, **options):
        job_pb2 = self.stubs["job_pb2"]
        return job_pb2.Job(command=job_pb2.Command(argv=["/bin/sh", "-c", script]),
                           options=job_pb2.JobOptions(**options))

    def echo(self, text):
        job_pb2 = self.stubs["job_pb2"]
        return job_pb2.Job(handler=job_pb2.HandlerCall(name="echo", payload=text.encode()))

    def submit(self, server, batch, request_id=""):
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(batch=batch,
                                                                  request_id=request_id)
        return self.jobs(server).SubmitBatch(request).batch

    def read_on(self, server, batch_id, events):
        """Adds to `events` what comes after them, until the batch has finished."""
        request = self.stubs["job_service_pb2"].StreamResultsRequest(
            batch_id=batch_id, follow=True, after_sequence=events[-1].sequence if events else 0)
        for response in self.jobs(server).StreamResults(request, timeout=PATIENCE_SECONDS):
            events.extend(response.events)
        return events

    def get(self, server, batch_id):
        request = self.stubs["job_service_pb2"].GetBatchRequest(batch_id=batch_id)
        return self.jobs(server).GetBatch(request).batch

    def assert_one_result_each(self, events, count):
        """No gap, no duplicate, and each job ended once."""
        self.assertEqual([event.sequence for event in events], list(range(1, len(events) + 1)))
        ended = [event.job_index for event in events if event.HasField("result")]
        self.assertEqual(sorted(ended), list(range(count)))
        self.assertTrue(events[-1].HasField("batch_finished"))

    def test_a_batch_goes_on_where_a_killed_server_left_it(self):
        begun = self.fifo("begun")
        server = self.serve_again("--workers_max=2")
        jobs = [self.echo(str(i)) for i in range(500)]
        # While this one runs the others go by; it does not end with the first server.
        jobs[0] = self.command(f"echo > {begun.path}; test -e {self.path('go')} || sleep 1000")
        batch = self.submit(server, self.batch(jobs)).id
        begun.read_line()
        seen = []
        for event in self.stream(server, batch):
            seen.append(event)
            if len(seen) == 100:
                break
        self.kill(server)

        self.write("go", "")
        server = self.serve_again("--workers_max=2")
        self.assert_one_result_each(self.read_on(server, batch, seen), 500)
        self.assertEqual(self.get(server, batch).counts.succeeded, 500)
        begun.read_line()
        # A lost attempt is no failure of the job, and was one of its attempts.
        first, = [event.result for event in seen if event.HasField("result") and
                  event.job_index == 0]
        self.assertEqual(first.attempts, 2)

    def test_commands_of_a_killed_server_are_gone(self):
        pids = self.fifo("pids")
        server = self.serve_again()
        batch = self.submit(server, self.batch([self.command(
            f"echo $$ > {pids.path}; trap '' TERM; while :; do sleep 1000; done")])).id
        first = self.hold(pids.read_line())
        self.kill(server)
        server = self.serve_again()
        second = pids.read_line()
        self.assertTrue(first.has_ended(), "two attempts at once")
        self.hold(second)
        cancel = self.stubs["job_service_pb2"].CancelRequest(batch_id=batch)
        cancel.grace_period.nanos = 1
        self.jobs(server).Cancel(cancel)
        self.assert_one_result_each(self.read_on(server, batch, []), 1)

    def test_a_job_that_may_run_once_fails_when_its_server_is_killed(self):
        begun = self.fifo("begun")
        server = self.serve_again()
        batch = self.submit(server, self.batch(
            [self.command(f"echo > {begun.path}; sleep 1000", max_lost_attempts=0)])).id
        begun.read_line()
        self.kill(server)
        events = self.read_on(self.serve_again(), batch, [])
        self.assert_one_result_each(events, 1)
        result, = self.results(events)
        self.assertEqual(self.reason_name(result), "REASON_WORKER_LOST")

    def test_a_request_id_is_known_after_a_crash(self):
        request_id = str(uuid.uuid4())
        jobs = self.batch([self.echo("x")] * 300)
        server = self.serve_again()
        first = self.submit(server, jobs, request_id)
        self.kill(server)
        server = self.serve_again()
        self.assertEqual(self.submit(server, jobs, request_id).id, first.id)
        self.read_on(server, first.id, [])
        self.assertEqual(self.submit(server, jobs, request_id).id, first.id)
        with self.assertRaises(grpc.RpcError) as refused:
            self.submit(server, self.batch([self.echo("y")]), request_id)
        self.assertEqual(refused.exception.code(), grpc.StatusCode.ALREADY_EXISTS)

    def test_a_finished_batch_is_there_after_a_restart(self):
        server = self.serve_again()
        jobs = [self.echo(str(i)) for i in range(300)] + [self.command("exit 3")]
        batch = self.submit(server, self.batch(jobs, name="kept", labels={"a": "b"})).id
        events = self.read_on(server, batch, [])
        before = self.get(server, batch)
        server.send(signal.SIGTERM)
        self.assertEqual(server.await_exit(), 0)

        server = self.serve_again()
        self.assertEqual(self.get(server, batch), before)
        self.assertEqual(self.read_on(server, batch, []), events)
        job_service = self.stubs["job_service_pb2"]
        job = self.jobs(server).GetJob(job_service.GetJobRequest(batch_id=batch, index=300)).job
        self.assertEqual(job.result.exit_code, 3)
        jobs = self.jobs(server).ListJobs(job_service.ListJobsRequest(
            batch_id=batch, states=[self.stubs["job_pb2"].JOB_STATE_FAILED])).jobs
        self.assertEqual([job.index for job in jobs], [300])
        running = self.submit(server, self.batch([self.command("sleep 1000")])).id
        listed = self.jobs(server).ListBatches(job_service.ListBatchesRequest())
        self.assertEqual([found.id for found in listed.batches], [running, batch])
        again = self.jobs(server).RetryJobs(job_service.RetryJobsRequest(batch_id=batch)).batch
        self.assertEqual((again.parent_id, again.counts.total), (batch, 1))

    def test_a_drain_puts_back_what_runs_and_the_next_server_finishes_it(self):
        begun = self.fifo("begun")
        config = self.write("config.json", '{"shutdown_grace": "0.1s"}')
        server = self.serve_again("--config=" + config)
        batch = self.submit(server, self.batch([
            self.command(f"echo > {begun.path}; test -e {self.path('go')} || sleep 1000"),
            *[self.echo("x")] * 10])).id
        begun.read_line()
        server.send(signal.SIGTERM)
        self.assertEqual(server.await_exit(), 0)
        self.write("go", "")
        server = self.serve_again()
        events = self.read_on(server, batch, [])
        self.assert_one_result_each(events, 11)
        self.assertEqual({self.state_name(result) for result in self.results(events)},
                         {"JOB_STATE_SUCCEEDED"})
        # What a drain puts back counts for nothing.
        self.assertEqual({result.attempts for result in self.results(events)}, {1})

    def test_a_second_server_on_the_store_ends_at_once_and_says_who_has_it(self):
        first = self.serve_again()
        second = self.launch("--listen=127.0.0.1:0", self.store)
        self.assertEqual(second.await_exit(), 1)
        said = second.process.stderr.read().decode()
        self.assertIn(f"is held by process {first.process.pid}", said)
        self.assertEqual(second.process.stdout.read(), b"")
        self.assertEqual(self.health(first), "SERVING")

    def test_the_store_is_in_the_state_directory_unless_named(self):
        environment = {**os.environ, "STATE_DIRECTORY": self.path("state/of/jobrunner")}
        server = self.serve(env=environment)
        info = self.admin(server).GetServerInfo(
            self.stubs["admin_service_pb2"].GetServerInfoRequest())
        self.assertEqual(info.store, "rocksdb")
        self.assertTrue(os.path.isdir(self.path("state/of/jobrunner")))


if __name__ == "__main__":
    unittest.main()
