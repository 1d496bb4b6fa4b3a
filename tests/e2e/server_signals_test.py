"""What signals do to jobrunnerd."""

import os
import signal
import unittest
import urllib.request
from urllib.error import HTTPError

import grpc

from server_process import ServerTest

# Says its own pid, and that of a child that has left the session, and then goes on for ever.
LEAVES_A_DAEMON = """
setsid sh -c 'echo $$ > {fifo}; trap "" TERM HUP INT; while :; do sleep 1000; done' &
echo $$ > {fifo}
wait
"""


class SignalsTest(ServerTest):
    def test_an_idle_server_ends_with_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.serve()
            server.send(number)
            self.assertEqual(server.await_exit(), 0)
            self.assertEqual(server.process.stdout.read(), b"", "more than one line")

    def test_a_drain_under_load_ends_every_process_and_tells_every_reader(self):
        fifo = self.fifo("pids")
        server = self.serve("--workers_max=4", config := self.config('{"shutdown_grace": "0.1s"}'))
        batch = self.submit_commands(server, *[LEAVES_A_DAEMON.format(fifo=fifo.path)] * 4,
                                     *["true"] * 20)
        events = self.stream(server, batch)
        processes = [self.hold(fifo.read_line()) for _ in range(8)]
        server.send(signal.SIGTERM)
        seen = list(events)
        self.assertEqual(server.await_exit(), 0, config)
        self.assertTrue(all(process.has_ended() for process in processes))
        self.assertEqual(seen[-1].WhichOneof("kind"), "batch_finished")
        results = self.results(seen)
        self.assertEqual(len(results), 24)
        self.assertEqual({self.state_name(result) for result in results}, {"JOB_STATE_CANCELLED"})
        self.assertEqual({self.reason_name(result) for result in results},
                         {"REASON_SERVER_SHUTDOWN"})

    def config(self, json):
        return "--config=" + self.write("config.json", json)

    def test_what_runs_may_finish_within_the_grace_and_nothing_new_is_accepted(self):
        begun, gate = self.fifo("begun"), self.fifo("gate")
        server = self.serve(self.config('{"shutdown_grace": "60s"}'), "--web_listen=127.0.0.1:0")
        page = "http://" + server.await_said("http on ").split()[-1] + "/healthz"
        batch = self.submit_commands(server, f"echo > {begun.path}; read line < {gate.path}")
        begun.read_line()
        self.assertEqual(self.health(server), "SERVING")
        self.assertEqual(urllib.request.urlopen(page).status, 200)

        server.send(signal.SIGTERM)
        server.await_said("drains")
        self.assertEqual(self.health(server), "NOT_SERVING")
        with self.assertRaises(HTTPError) as refused:
            urllib.request.urlopen(page)
        self.assertEqual(refused.exception.code, 503)
        refused.exception.close()
        with self.assertRaises(grpc.RpcError) as refused:
            self.submit_commands(server, "true")
        self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAVAILABLE)
        # A stream that begins now is served to its end.
        events = self.stream(server, batch)
        gate.write_line("go")
        results = self.results(events)
        self.assertEqual([self.state_name(result) for result in results], ["JOB_STATE_SUCCEEDED"])
        self.assertEqual(server.await_exit(), 0)

    def test_a_ctrl_c_at_the_terminal_lets_what_runs_finish(self):
        begun, gate = self.fifo("begun"), self.fifo("gate")
        server = self.serve(self.config('{"shutdown_grace": "60s"}'), start_new_session=True)
        batch = self.submit_commands(server, f"echo > {begun.path}; read line < {gate.path}")
        begun.read_line()
        events = self.stream(server, batch)
        # As the terminal does it: to every process of the group.
        os.killpg(server.process.pid, signal.SIGINT)
        server.await_said("drains")
        gate.write_line("go")
        self.assertEqual([self.state_name(result) for result in self.results(events)],
                         ["JOB_STATE_SUCCEEDED"])
        self.assertEqual(server.await_exit(), 0)

    def test_a_second_signal_ends_it_at_once(self):
        fifo = self.fifo("pids")
        server = self.serve(self.config('{"shutdown_grace": "3600s"}'))
        self.submit_commands(server, LEAVES_A_DAEMON.format(fifo=fifo.path))
        processes = [self.hold(fifo.read_line()) for _ in range(2)]
        server.send(signal.SIGTERM)
        server.await_said("drains")
        server.send(signal.SIGINT)
        self.assertEqual(server.await_exit(), 1)
        self.assertTrue(all(process.has_ended(10) for process in processes))

    def test_nothing_that_it_started_outlives_a_server_that_is_killed(self):
        fifo = self.fifo("pids")
        server = self.serve()
        self.submit_commands(server, LEAVES_A_DAEMON.format(fifo=fifo.path))
        processes = [self.hold(fifo.read_line()) for _ in range(2)]
        server.send(signal.SIGKILL)
        server.await_exit()
        self.assertTrue(all(process.has_ended(10) for process in processes))

    def test_admin_drain_does_as_sigterm(self):
        fifo = self.fifo("pids")
        server = self.serve(self.config('{"shutdown_grace": "3600s"}'))
        batch = self.submit_commands(server, LEAVES_A_DAEMON.format(fifo=fifo.path))
        processes = [self.hold(fifo.read_line()) for _ in range(2)]
        events = self.stream(server, batch)
        request = self.stubs["admin_service_pb2"].DrainRequest()
        request.grace_period.nanos = 1
        self.admin(server).Drain(request)
        self.assertEqual([self.reason_name(result) for result in self.results(events)],
                         ["REASON_SERVER_SHUTDOWN"])
        self.assertEqual(server.await_exit(), 0)
        self.assertTrue(all(process.has_ended() for process in processes))

    def test_sighup_takes_over_the_pool_the_queues_and_the_log_level(self):
        server = self.serve(self.config('{"workers": {"max": 3}, "log": {"level": "error"}}'))
        self.config('{"workers": {"min": 2, "max": 7}, "log": {"level": "debug"},'
                    ' "queues": [{"name": "default", "max_running": 5}, {"name": "slow"}],'
                    ' "retention": "60s"}')
        server.send(signal.SIGHUP)
        self.assertIn('retention', server.await_said("waits for the next start"))
        server.await_said("configuration taken over")
        info = self.admin(server).GetServerInfo(
            self.stubs["admin_service_pb2"].GetServerInfoRequest())
        self.assertEqual({queue.name: queue.max_running for queue in info.queues},
                         {"default": 5, "slow": 0})
        statistics = self.statistics(server)
        self.assertEqual((statistics.pool.workers_min, statistics.pool.workers_max), (2, 7))

    def statistics(self, server):
        return self.admin(server).GetStatistics(
            self.stubs["admin_service_pb2"].GetStatisticsRequest())

    def test_sighup_with_a_bad_file_changes_nothing_and_says_why(self):
        server = self.serve(self.config('{"workers": {"max": 3}}'))
        for json, why in (('{"workers": {"max": 0}}', "workers.max: must be from 1"),
                          ('{"workers": {"max": 9}, "quues": []}', "quues: no such field"),
                          ('{"workers": {"max": 9}', "line 1, column 23: expected")):
            self.config(json)
            server.send(signal.SIGHUP)
            self.assertIn(why, server.await_said("not taken over"))
        os.unlink(self.path("config.json"))
        server.send(signal.SIGHUP)
        self.assertIn("config.json", server.await_said("not taken over"))
        self.assertEqual(self.statistics(server).pool.workers_max, 3)
        server.send(signal.SIGTERM)
        self.assertEqual(server.await_exit(), 0)


if __name__ == "__main__":
    unittest.main()
