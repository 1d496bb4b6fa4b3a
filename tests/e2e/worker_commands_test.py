"""`jobrunner worker`: commands that run for a server elsewhere."""

import os
import signal
import subprocess
import unittest

from programs import CLIENT
from server_process import ServerTest
from worker_process import PATIENCE_SECONDS, Worker

POOL = "build"


class WorkerCommandsTest(ServerTest):
    # Given.

    def a_server(self):
        """It runs no command itself."""
        config = self.write("config.json", '{"workers": {"lease": "2s"}, "shutdown_grace": "0s"}')
        self.server = self.launch("--listen=127.0.0.1:0", "--config=" + config).await_serving()

    def a_worker(self, *words, name="first", slots=4):
        worker = CommandWorker(words, self.server.address, name, slots, self.path(f"{name}.log"),
                               dict(os.environ))
        self.addCleanup(worker.close)
        return worker

    # When.

    def submit(self, *scripts, pool=POOL, options=None, program="/bin/sh", env=None):
        jobs = [{"command": {"argv": [program, "-c", script], "pool": pool, "env": env or {}},
                 "options": options or {}} for script in scripts]
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(batch={"jobs": jobs})
        return self.jobs(self.server).SubmitBatch(request, timeout=PATIENCE_SECONDS).batch.id

    def run_scripts(self, *scripts, **more):
        return self.results(self.stream(self.server, self.submit(*scripts, **more)))

    def cancel(self, batch_id, grace_seconds):
        self.jobs(self.server).Cancel(self.stubs["job_service_pb2"].CancelRequest(
            batch_id=batch_id, grace_period={"seconds": grace_seconds}), timeout=PATIENCE_SECONDS)

    def status(self, batch_id):
        request = self.stubs["job_service_pb2"].GetJobRequest(batch_id=batch_id, index=0)
        return self.jobs(self.server).GetJob(request, timeout=PATIENCE_SECONDS).job

    # Then.

    def assert_ended(self, result, state, reason="UNSPECIFIED"):
        self.assertEqual((self.state_name(result), self.reason_name(result)),
                         ("JOB_STATE_" + state, "REASON_" + reason), result)

    # Commands.

    def test_a_command_runs_there_with_all_that_its_result_has(self):
        self.a_server()
        self.a_worker("--allow-any-command", "--env", "COLOUR=blue",
                      "--working-directory", self.directory)
        results = self.run_scripts(
            'pwd; echo $COLOUR $SIZE $JOBRUNNER_ATTEMPT; echo oh >&2', "exit 3", "kill -9 $$",
            env={"SIZE": "9"})
        results.sort(key=lambda result: (result.exit_code, result.signal))
        done, killed, failed = results
        self.assert_ended(done, "SUCCEEDED")
        self.assertEqual(done.output.decode(), f"{self.directory}\nblue 9 1\n")
        self.assertEqual((done.error_output, done.output_bytes), (b"oh\n", len(done.output)))
        self.assertEqual(done.worker, "first")
        self.assertGreater(done.usage.max_resident_bytes, 0)
        self.assert_ended(failed, "FAILED", "EXIT_CODE")
        self.assertEqual(failed.exit_code, 3)
        self.assert_ended(killed, "FAILED", "SIGNAL")
        self.assertEqual(killed.signal, signal.SIGKILL)

    def test_output_is_streamed_and_cut_at_the_worker_s_cap(self):
        self.a_server()
        self.a_worker("--allow-any-command", "--output-bytes-max", "10")
        events = list(self.stream(self.server, self.submit(
            "echo one; echo two >&2", options={"stream_output": True})))
        self.assertEqual(b"".join(event.output.output for event in events), b"one\n")
        self.assertEqual(b"".join(event.output.error_output for event in events), b"two\n")
        result, = self.run_scripts("printf 0123456789abcdef")
        self.assertEqual((result.output, result.output_omitted), (b"01234bcdef", 6))
        self.assertTrue(result.output_truncated)

    def test_a_batch_with_work_for_the_server_and_for_two_pools(self):
        self.a_server()
        self.a_worker("--allow-any-command", name="first")
        self.a_worker("--allow-any-command", "--pool", "test", name="second")
        jobs = [{"command": {"argv": ["/bin/echo", "a"], "pool": POOL}},
                {"handler": {"name": "echo", "payload": b"b\n"}},
                {"command": {"argv": ["/bin/echo", "c"], "pool": "test"}}]
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(batch={"jobs": jobs})
        batch_id = self.jobs(self.server).SubmitBatch(request, timeout=PATIENCE_SECONDS).batch.id
        results = self.results(self.stream(self.server, batch_id))
        self.assertEqual(sorted(result.output for result in results), [b"a\n", b"b\n", b"c\n"])
        worker_of = {result.output: result.worker for result in results}
        self.assertEqual(worker_of[b"c\n"], "second")
        self.assertNotIn(worker_of[b"b\n"], ("first", "second"))

    def test_a_failed_command_is_retried_by_its_exit_code(self):
        self.a_server()
        self.a_worker("--allow-any-command")
        retries = {"max_attempts": 3, "retryable_exit_codes": [7],
                   "initial_backoff": {"nanos": 1000000}}
        result, = self.run_scripts("exit $((6 + JOBRUNNER_ATTEMPT))",
                                   options={"retry_policy": retries})
        self.assert_ended(result, "FAILED", "EXIT_CODE")
        self.assertEqual((result.attempts, result.exit_code), (2, 8))

    # `jobrunner run --pool`.

    def test_run_has_its_commands_run_there(self):
        self.a_server()
        self.a_worker("--allow", "say=/bin/echo", "--working-directory", "/")
        done = subprocess.run(
            [CLIENT, "run", "--server", self.server.address, "--pool", POOL, "-k", "say", "it's",
             "{}", ":::", "a", "b"],
            text=True, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "it's a\nit's b\n"), done)

    def test_run_says_what_a_pool_needs(self):
        for words, what in (([], "--server"),
                            (["--server", "127.0.0.1:1", "--halt", "soon,fail=1"], "--jobs")):
            done = subprocess.run(
                [CLIENT, "run", *words, "--pool", POOL, "say", ":::", "a"],
                text=True, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
            self.assertEqual(done.returncode, 200, done)
            self.assertIn(what, done.stderr)

    # What may run.

    def test_what_is_not_allowed_fails_and_says_why(self):
        self.a_server()
        self.a_worker("--allow", "shell=/bin/sh")
        result, = self.run_scripts("echo hi", program="shell")
        self.assert_ended(result, "SUCCEEDED")
        result, = self.run_scripts("echo hi")
        self.assert_ended(result, "FAILED", "SPAWN_FAILED")
        self.assertIn('"first" does not run it', result.error.message)
        self.assertIn('the command "/bin/sh" is not allowed', result.error.message)
        result, = self.run_scripts("echo hi", program="shell", env={"LD_PRELOAD": "/tmp/x.so"})
        self.assert_ended(result, "FAILED", "SPAWN_FAILED")
        self.assertIn("LD_PRELOAD", result.error.message)

    def test_nothing_is_allowed_unless_it_is_said(self):
        self.a_server()
        self.a_worker()
        result, = self.run_scripts("echo hi")
        self.assert_ended(result, "FAILED", "SPAWN_FAILED")

    def test_a_worker_with_a_wrong_allow_list_says_so_and_ends(self):
        self.a_server()
        worker = self.a_worker("--allow", "shell=bin/sh")
        self.assertEqual(worker.await_exit(), 200)
        self.assertIn("commands.allow[0].path", worker.said())

    # Waits, stops, ends.

    def test_a_job_waits_until_a_worker_offers_its_pool(self):
        self.a_server()
        batch_id = self.submit("echo hi")
        self.a_worker("--allow-any-command", "--pool", "other", name="other")
        wait = self.status(batch_id).wait.reason
        self.assertEqual(self.stubs["batch_pb2"].WaitReason.Name(wait),
                         "WAIT_REASON_NO_WORKER")
        self.a_worker("--allow-any-command")
        result, = self.results(self.stream(self.server, batch_id))
        self.assertEqual((result.output, result.worker), (b"hi\n", "first"))

    def test_a_cancel_ends_the_command_and_what_it_started(self):
        self.a_server()
        self.a_worker("--allow-any-command")
        fifo = self.fifo("pids")
        batch_id = self.submit(
            f"trap '' TERM; setsid sleep 1000 & echo $! > {fifo.path}; echo $$ > {fifo.path}; wait; "
            "sleep 1000")
        sleeper, shell = (self.hold(fifo.read_line()) for _ in range(2))
        self.cancel(batch_id, grace_seconds=0)
        result, = self.results(self.stream(self.server, batch_id))
        self.assert_ended(result, "CANCELLED", "CLIENT_CANCEL")
        self.assertTrue(shell.has_ended(PATIENCE_SECONDS))
        self.assertTrue(sleeper.has_ended(PATIENCE_SECONDS))

    def test_a_killed_worker_s_command_dies_and_runs_elsewhere(self):
        self.a_server()
        first = self.a_worker("--allow-any-command", name="first")
        fifo = self.fifo("pids")
        batch_id = self.submit(
            f"echo $$ > {fifo.path}; test $JOBRUNNER_ATTEMPT != 1 || sleep 1000; echo again")
        command = self.hold(fifo.read_line())
        self.a_worker("--allow-any-command", name="second")
        self.assertEqual(first.kill(), -signal.SIGKILL)
        self.assertTrue(command.has_ended(PATIENCE_SECONDS))
        fifo.read_line()
        result, = self.results(self.stream(self.server, batch_id))
        self.assertEqual((result.output, result.worker, result.attempts), (b"again\n", "second", 2))

    def test_a_worker_that_leaves_finishes_what_it_has(self):
        self.a_server()
        worker = self.a_worker("--allow-any-command", slots=1)
        fifo, gate = self.fifo("pids"), self.fifo("gate")
        batch_id = self.submit(f"echo $$ > {fifo.path}; read line < {gate.path}; echo $line",
                               "echo next")
        fifo.read_line()
        worker.ask_to_leave()
        worker.await_said("leaving")
        gate.write_line("done")
        self.assertEqual(worker.await_exit(), 0, worker.said())
        self.a_worker("--allow-any-command", name="second")
        results = self.results(self.stream(self.server, batch_id))
        self.assertEqual([(result.output, result.worker) for result in results],
                         [(b"done\n", "first"), (b"next\n", "second")])

    def test_a_second_signal_ends_a_worker_and_its_commands_at_once(self):
        self.a_server()
        worker = self.a_worker("--allow-any-command")
        fifo = self.fifo("pids")
        self.submit(f"echo $$ > {fifo.path}; sleep 1000")
        command = self.hold(fifo.read_line())
        worker.ask_to_leave()
        worker.await_said("leaving")
        worker.ask_to_leave()
        self.assertEqual(worker.await_exit(), 128 + signal.SIGTERM)
        self.assertTrue(command.has_ended(PATIENCE_SECONDS))


class CommandWorker(Worker):
    def command_line(self, command, address, name, slots):
        words = command if "--pool" in command else [*command, "--pool", POOL]
        return [CLIENT, "worker", "--server", address, "--name", name, "--slots", str(slots), *words]


if __name__ == "__main__":
    unittest.main()
