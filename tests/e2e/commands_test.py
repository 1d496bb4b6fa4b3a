"""The client's commands against a server that is named."""

import json
import os
import re
import signal
import unittest

from cutting_proxy import CuttingProxy
from programs import PATIENCE_SECONDS, ProgramTest, await_that


def echo(text):
    return {"handler": {"name": "echo", "payload": text}}


class CommandsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.server, self.address = self.start_server("--allow_any_command", "--workers_max=4")

    def ask(self, *words, **more):
        return self.client(words[0], "--server", self.address, *words[1:], **more)

    def submit(self, jobs, *words, **batch):
        request = {"batch": {"jobs": jobs, **batch}}
        return self.ask("submit", "-", *words, stdin=json.dumps(request), check=0).stdout.strip()

    def json_lines(self, *words, **more):
        done = self.ask(*words, "--output", "json", **more)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def command(self, *argv):
        return {"command": {"argv": list(argv)}}

    def test_submit_and_results(self):
        batch = self.submit([self.command("echo", "hello"), echo("aGk=")])
        done = self.ask("results", batch, check=0)
        self.assertIn("hello\n", done.stdout)
        self.assertIn("hi", done.stdout)
        self.assertIn("2 succeeded", done.stderr)

    def test_submit_reads_a_job_a_line_and_waits(self):
        lines = json.dumps({"key": "a", **echo("YQ==")}) + "\n" + json.dumps(
            {"key": "b", **self.command("sh", "-c", "exit 3")}) + "\n"
        done = self.ask("submit", "--wait", "--name", "both", "-", stdin=lines, check=1)
        self.assertIn("job 1 (b): failed", done.stderr)
        self.assertIn("1 succeeded, 1 failed", done.stderr)

    def test_results_go_on_after_a_sequence(self):
        batch = self.submit([echo("YQ==")] * 10)
        everything = self.json_lines("results", batch, check=0)
        self.assertEqual([int(event["sequence"]) for event in everything], list(range(1, 12)))
        self.assertEqual(self.json_lines("results", batch, "--after", "7"), everything[7:])

    def test_results_survive_a_connection_that_is_cut(self):
        proxy = CuttingProxy(self.address)
        self.addCleanup(proxy.close)
        batch = self.submit([self.command("sleep", "0.05")] * 40, maxParallelism=2)
        client = self.start_client("results", "--server", proxy.address, "--output", "json", batch)
        sequences = []
        for line in client.stdout:
            sequences.append(int(json.loads(line)["sequence"]))
            if len(sequences) in (3, 20):
                self.assertGreater(proxy.cut(), 0)
        self.assertEqual(client.wait(60), 0, client.stderr.read())
        self.assertEqual(sequences, list(range(1, 42)))

    def test_a_bad_request_names_the_field(self):
        done = self.ask("submit", "-", stdin=json.dumps({"batch": {
            "jobs": [echo("YQ=="), {**echo("YQ=="), "options": {"timeout": "-1s"}}]}}), check=202)
        self.assertIn("batch.jobs[1].options.timeout", done.stderr)

    def test_a_bad_file_names_the_line(self):
        done = self.ask("submit", "-", stdin='{"key": "a"}\n{"kee": "b"}\n', check=200)
        self.assertIn("line 2", done.stderr)

    def test_status_of_a_batch_and_its_jobs(self):
        batch = self.submit([{"key": "one", **self.command("true")}, self.command("false")])
        self.ask("results", batch, check=1)
        done = self.ask("status", batch, check=0)
        self.assertIn("1 succeeded, 1 failed", done.stdout)
        self.assertIn("failed", self.ask("status", batch, "--job", "1", check=0).stdout)
        self.assertIn("succeeded", self.ask("status", batch, "--key", "one", check=0).stdout)
        jobs = self.json_lines("status", batch, "--jobs", check=0)
        self.assertEqual([job["index"] for job in jobs], [0, 1])
        failed = self.json_lines("status", batch, "--state", "failed", check=0)
        self.assertEqual([job["index"] for job in failed], [1])

    def test_status_of_jobs_that_wait(self):
        retried = {"retryPolicy": {"maxAttempts": 2, "initialBackoff": "200s"}}
        batch = self.submit([{"handler": {"name": "nobody-has-it"}}] * 3 + [
            {"handler": {"name": "fail"}, "options": retried},
            {**echo("YQ=="), "options": {"delay": "3600s"}}])
        self.assert_waits(batch, 2, "a worker that offers its handler", "before it", "about 2 jobs")
        await_that(lambda: "retrying" in self.ask("status", batch, "--job", "3").stdout, "the retry")
        self.assert_waits(batch, 3, "its backoff", "next retry", "")
        self.assert_waits(batch, 4, "its delay", "until", "")
        rows = self.ask("status", batch, "--jobs", check=0).stdout
        self.assertIn("waits for a worker that offers its handler, about 2 jobs before it", rows)
        self.ask("cancel", batch, check=0)

    def assert_waits(self, batch, job, what, more, said):
        shown = self.ask("status", batch, "--job", str(job), check=0).stdout
        lines = dict(re.split("  +", line, 1) for line in shown.splitlines())
        self.assertEqual(lines["waits for"], what)
        self.assertRegex(lines["since"], r"^\d{4}-\d\d-\d\d")
        self.assertIn(said, lines[more])

    def test_cancel(self):
        batch = self.submit([self.command("sleep", "1000")] * 2)
        self.ask("cancel", batch, "--job", "0", "--reason", "not needed", check=0)
        self.ask("cancel", batch, check=0)
        done = self.ask("results", batch, check=1)
        self.assertIn("not needed", done.stderr)
        self.assertIn("0 succeeded, 0 failed, 2 cancelled", done.stderr)

    def test_retry_and_delete(self):
        batch = self.submit([self.command("true"), {"key": "bad", **self.command("false")}])
        self.ask("results", batch, check=1)
        again = self.ask("retry", batch, "--wait", check=1)
        self.assertIn("(bad): failed", again.stderr)
        self.assertIn("0 succeeded, 1 failed", again.stderr)
        child = self.ask("retry", batch, "--job", "1", check=0).stdout.strip()
        self.assertIn(batch, self.ask("status", child, check=0).stdout)
        self.assertIn("succeeded", self.ask("retry", batch, "--job", "0", check=202).stderr)
        self.ask("delete", batch, check=0)
        self.assertIn("has been removed", self.ask("status", batch, check=202).stderr)
        self.ask("delete", batch, check=202)
        self.ask("delete", "--allow-missing", batch, check=0)

    def test_list_filters(self):
        mine = self.submit([echo("YQ==")], "--label", "who=me", "--name", "first")
        self.submit([echo("YQ==")])
        self.ask("results", mine, check=0)
        listed = self.json_lines("list", "--label", "who=me", check=0)
        self.assertEqual([batch["id"] for batch in listed], [mine])
        self.assertEqual(len(self.json_lines("list", check=0)), 2)
        self.assertEqual(len(self.json_lines("list", "--limit", "1", check=0)), 1)
        self.assertIn("first", self.ask("list", "--state", "succeeded", check=0).stdout)

    def test_errors_of_all_batches(self):
        client = self.start_client("errors", "--server", self.address)
        # The channel shows what happens once it is open: batches fail until it says so.
        import threading
        shown = threading.Event()
        lines = []

        def read():
            lines.append(client.stdout.readline())
            shown.set()

        reader = threading.Thread(target=read)
        reader.start()
        await_that(lambda: shown.is_set() or not self.submit([self.command("false")]) or
                   shown.wait(0.1), "an error to be shown")
        client.send_signal(signal.SIGTERM)
        reader.join(PATIENCE_SECONDS)
        self.assertIn("failed", lines[0])

    def test_health(self):
        self.ask("health", check=0)
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(PATIENCE_SECONDS)
        self.ask("health", check=1)

    def test_admin(self):
        self.assertIn("echo", self.ask("admin", "info", check=0).stdout)
        self.assertIn("accepted", self.ask("admin", "stats", check=0).stdout)
        self.assertIn("paused", self.ask("admin", "pause", "default", check=0).stdout)
        batch = self.submit([echo("YQ==")])
        waiting = self.ask("status", batch, "--job", "0", check=0).stdout
        self.assertIn("its queue, which is paused", waiting)
        self.ask("admin", "resume", "default", check=0)
        self.ask("results", batch, check=0)
        self.assertIn("1 to 2", self.ask("admin", "resize", "--min", "1", "--max", "2",
                                         check=0).stdout)
        self.ask("admin", "drain", check=0)
        self.assertEqual(self.server.wait(PATIENCE_SECONDS), 0)

    def test_run_on_a_named_server(self):
        done = self.ask("run", "-j2", "-k", "--env", "MINE", "--shell", "echo {} $MINE $OTHER",
                        ":::", *"abcdef", check=0,
                        env=self.environment(MINE="given", OTHER="kept"))
        self.assertEqual(done.stdout.split("\n")[:-1], [f"{name} given" for name in "abcdef"])

    def test_run_on_a_named_server_has_j_as_a_bound(self):
        os.mkdir(self.path("now"))
        done = self.ask("run", "-j2", "--shell",
                        "touch now/{}; ls now | wc -l; sleep 0.05; rm now/{}",
                        ":::", *map(str, range(20)), check=0)
        self.assertLessEqual(max(map(int, done.stdout.split())), 2)

    def test_the_server_may_be_named_in_the_environment(self):
        env = self.environment(JOBRUNNER_SERVER=self.address)
        self.client("admin", "info", env=env, check=0)
        self.client("run", "true", ":::", "a", env=env, check=0)
        self.assertEqual(len(self.json_lines("list", check=0)), 1)

    def test_a_killed_client_takes_its_batch_with_it(self):
        client = self.start_client("run", "--server", self.address, "sleep", ":::", "1000")
        await_that(lambda: self.json_lines("list", "--state", "running"), "the batch to run")
        batch = self.json_lines("list")[0]["id"]
        await_that(lambda: "running" in self.ask("status", batch, "--job", "0").stdout,
                   "the job to run")
        client.kill()
        self.ask("results", batch, check=1)


class RefusalTest(ProgramTest):
    def test_commands_are_refused_by_a_server_that_allows_none(self):
        _, address = self.start_server()
        done = self.client("run", "--server", address, "true", ":::", "a", check=202)
        self.assertIn("batch.jobs[0]", done.stderr)

    def test_commands_allowed_by_name_are_run_by_name(self):
        config = self.write("config.json", json.dumps(
            {"commands": {"allow": [{"name": "say", "path": "/bin/echo"}]}}))
        _, address = self.start_server("--config=" + config)
        done = self.client("run", "--server", address, "say", "hello", ":::", "you", check=0)
        self.assertEqual(done.stdout, "hello you\n")

    def test_nobody_answers(self):
        done = self.client("list", "--server", "127.0.0.1:1", check=201)
        self.assertIn("127.0.0.1:1", done.stderr)


if __name__ == "__main__":
    unittest.main()
