"""jobrunner run, with a private server: what GNU parallel's users expect of it."""

import os
import signal
import subprocess
import unittest

from programs import ProgramTest


class RunTest(ProgramTest):
    def run_lines(self, *words, **more):
        return self.client("run", *words, check=0, **more).stdout.splitlines()

    def test_standard_input_gives_the_results_of_xargs(self):
        for i in range(50):
            self.write(f"file {i}.cc", "line\n" * i)
        names = "".join(f"./file {i}.cc\n" for i in range(50))
        xargs = subprocess.run(["xargs", "-d", "\n", "-n1", "wc", "-l"], input=names, text=True,
                               capture_output=True, cwd=self.directory, check=True)
        ours = self.run_lines("--", "wc", "-l", "{}", stdin=names)
        self.assertEqual(sorted(ours), sorted(xargs.stdout.splitlines()))
        self.assert_nothing_is_left()

    def test_thousands_of_jobs_come_back_once_each(self):
        numbers = [str(i) for i in range(2_000)]
        self.assertEqual(self.run_lines("-k", "echo", stdin="\n".join(numbers)), numbers)

    def test_the_exit_status_counts_failures(self):
        self.client("run", "--shell", "exit {}", ":::", "0", "1", "0", "2", check=2)
        self.client("run", "true", ":::", "a", "b", check=0)
        self.client("run", "false", ":::", *["x"] * 120, check=101)

    def test_keep_order_and_tag(self):
        lines = self.run_lines("-j4", "-k", "--tag", "--shell", "sleep 0.{}; echo did {}",
                               ":::", "4", "3", "2", "1")
        self.assertEqual(lines, ["4\tdid 4", "3\tdid 3", "2\tdid 2", "1\tdid 1"])

    def test_outputs_are_not_mixed_and_go_where_the_job_wrote_them(self):
        done = self.client("run", "-j8", "--shell",
                           "for i in 1 2 3; do echo out {}; echo err {} >&2; done",
                           ":::", *"abcdefgh", check=0)
        for name, text in (("out", done.stdout), ("err", done.stderr)):
            lines = text.splitlines()
            self.assertEqual(len(lines), 24)
            for i in range(0, 24, 3):
                self.assertEqual(len(set(lines[i:i + 3])), 1, text)
                self.assertTrue(lines[i].startswith(name))

    def test_placeholders(self):
        self.assertEqual(self.run_lines("-k", "echo", "{#}", "{.}", "{/}", "{//}", "{/.}",
                                        ":::", "d/a.txt", "b"),
                         ["1 d/a a.txt d a", "2 b b . b"])

    def test_nul_and_files_of_arguments(self):
        self.assertEqual(self.run_lines("-k", "-0", "echo", stdin="a\nb\0c\0"), ["a", "b", "c"])
        self.write("list", "x\ny\n")
        self.assertEqual(self.run_lines("-k", "-a", "list", "echo"), ["x", "y"])

    def test_lines_are_commands_without_a_command(self):
        self.assertEqual(self.run_lines("-k", stdin="echo 'a  b'\n\necho $HOME\n"),
                         ["a  b", "$HOME"])
        self.assertEqual(self.run_lines("--shell", stdin="echo a | tr a b\n"), ["b"])

    def test_directory_and_environment_are_the_callers(self):
        env = self.environment(SAID="by me", LD_BIND_NOW="1")
        self.assertEqual(
            self.run_lines("--shell", "echo $SAID $LD_BIND_NOW; pwd; echo {}", ":::", "x",
                           env=env),
            ["by me 1", os.path.realpath(self.directory), "x"])

    def test_programs_are_found_on_the_callers_path(self):
        script = self.write("mine", "#!/bin/sh\necho mine $1\n")
        os.chmod(script, 0o755)
        env = self.environment(PATH=self.directory + ":/usr/bin:/bin")
        self.assertEqual(self.run_lines("mine", ":::", "a", env=env), ["mine a"])
        self.assertEqual(self.run_lines("./mine", ":::", "a"), ["mine a"])

    def test_no_more_than_j_at_once(self):
        os.mkdir(self.path("now"))
        counts = self.run_lines("-j3", "--shell",
                                "touch now/{}; ls now | wc -l; sleep 0.05; rm now/{}",
                                ":::", *map(str, range(30)))
        self.assertLessEqual(max(map(int, counts)), 3)

    def test_a_line_runs_while_the_input_stays_open(self):
        client = self.start_client("run", "echo", "got")
        for word in ("one", "two", "three"):
            client.stdin.write(word + "\n")
            client.stdin.flush()
            self.assertEqual(client.stdout.readline(), f"got {word}\n")
        client.stdin.close()
        self.assertEqual(client.wait(60), 0)

    def test_joblog(self):
        self.client("run", "-j1", "--joblog", "log", "--shell",
                    ":::", "echo abc", "exit 3", "kill -9 $$", check=2)
        rows = [line.split("\t") for line in self.read("log").splitlines()]
        self.assertEqual(rows[0], ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive",
                                   "Exitval", "Signal", "Command"])
        shown = sorted((row[0], row[5], row[6], row[7], row[8]) for row in rows[1:])
        self.assertEqual(shown, [("1", "4", "0", "0", "echo abc"), ("2", "0", "3", "0", "exit 3"),
                                 ("3", "0", "0", "9", "kill -9 $$")])

    def test_timeout(self):
        done = self.client("run", "--timeout", "0.2", "--joblog", "log", "sleep", ":::", "100",
                           check=1)
        self.assertIn("sleep 100", done.stderr)
        self.assertIn("\t-1\t", self.read("log"))

    def test_retries(self):
        self.client("run", "--retries", "3", "--shell",
                    "echo x >> {}; test $(wc -l < {}) -ge 3", ":::", "tries", check=0)
        self.assertEqual(self.read("tries"), "x\n" * 3)

    def test_halt_now_ends_what_runs(self):
        done = self.client("run", "-j2", "--halt", "now,fail=1", "--shell",
                           ":::", "sleep 1000", "exit 7", "touch never", check=7)
        self.assertIn("exit 7", done.stderr)

    def test_halt_soon_lets_it_end(self):
        self.client("run", "-j2", "--halt", "soon,fail=1", "--shell", ":::",
                    "exit 7", "sleep 0.5; touch ended", "touch never", "touch never",
                    "touch never", "touch never", check=7)
        self.assertTrue(os.path.exists(self.path("ended")))

    def test_halt_soon_with_one_worker_starts_nothing_more(self):
        self.client("run", "-j1", "--halt", "soon,fail=1", "--shell", ":::",
                    "exit 7", "touch never", check=7)
        self.assertFalse(os.path.exists(self.path("never")))

    def test_what_is_cut_is_said(self):
        done = self.client("run", "head", "-c", "{}", "/dev/zero", ":::", "3000000", check=204)
        self.assertIn("left out", done.stderr)

    def test_a_command_that_is_not_there(self):
        done = self.client("run", "no-such-command", ":::", "a", check=200)
        self.assertIn("no-such-command", done.stderr)
        done = self.client("run", "-k", stdin="no-such-command a\necho b\n", check=1)
        self.assertEqual(done.stdout, "b\n")
        self.assertIn("no-such-command", done.stderr)

    def test_an_argument_that_is_not_utf8(self):
        done = subprocess.run([os.path.join(os.environ["JOBRUNNER_BIN"], "jobrunner"), "run",
                               "echo"], input=b"a\ncaf\xe9\n", capture_output=True, timeout=60,
                              env=self.environment(), check=False)
        self.assertEqual(done.returncode, 200)
        self.assertIn(b"argument 2", done.stderr)

    def test_json_output(self):
        import json
        lines = self.run_lines("-j1", "--output", "json", "echo", ":::", "a", "b")
        results = [json.loads(line) for line in lines]
        self.assertEqual([result["jobKey"] for result in results], ["a", "b"])
        self.assertEqual(results[0]["result"]["state"], "JOB_STATE_SUCCEEDED")

    def test_a_reader_that_leaves_ends_the_run(self):
        client = self.start_client("run", "--shell", "echo {}; sleep 0.01")
        client.stdin.write("x\n" * 5_000)
        client.stdin.close()
        client.stdin = None
        client.stdout.readline()
        client.stdout.close()
        self.assertEqual(client.wait(60), 128 + signal.SIGPIPE)
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()
