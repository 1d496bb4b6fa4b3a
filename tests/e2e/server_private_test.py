"""A jobrunnerd that a program starts for itself."""

import os
import unittest

from server_process import ServerTest


class PrivateServerTest(ServerTest):
    def serve_privately(self):
        """A server on a socket in a directory of its own, for as long as self.life is open."""
        self.private = self.path("private")
        os.mkdir(self.private, 0o700)
        reading, self.life = os.pipe()
        server = self.launch("--listen=unix:" + os.path.join(self.private, "socket"),
                             "--allow_any_command", f"--exit_with_parent_fd={reading}",
                             "--remove_directory_on_exit=" + self.private, pass_fds=[reading])
        os.close(reading)
        return server.await_serving()

    def test_it_ends_and_leaves_nothing_when_its_parent_goes(self):
        server = self.serve_privately()
        self.assertEqual(server.address, "unix:" + os.path.join(self.private, "socket"))
        begun = self.fifo("pids")
        self.submit_commands(server, f"trap '' TERM; echo $$ > {begun.path}; sleep 1000")
        command = self.hold(begun.read_line())
        os.close(self.life)
        self.assertEqual(server.await_exit(), 0)
        self.assertTrue(command.has_ended())
        self.assertFalse(os.path.exists(self.private))

    def test_what_it_starts_does_not_hold_the_descriptor(self):
        server = self.serve_privately()
        events = list(self.stream(server, self.submit_commands(server, "ls /proc/self/fd")))
        # 0 to 2, and the one that ls reads the directory with.
        self.assertEqual(self.results(events)[0].output.split(), [b"0", b"1", b"2", b"3"])
        os.close(self.life)
        self.assertEqual(server.await_exit(), 0)

    def test_a_descriptor_that_is_not_open_is_refused(self):
        for number in (77, -1):
            server = self.launch(f"--exit_with_parent_fd={number}")
            self.assertEqual(server.await_exit(), 2)
            self.assertIn(f"--exit_with_parent_fd={number}: is not an open".encode(),
                          server.process.stderr.read())

    def test_a_directory_that_is_not_private_is_not_taken(self):
        server = self.launch("--remove_directory_on_exit=/tmp")
        self.assertEqual(server.await_exit(), 2)
        self.assertIn(b"--remove_directory_on_exit=/tmp: must be", server.process.stderr.read())


if __name__ == "__main__":
    unittest.main()
