"""A TCP proxy on loopback whose connections can be cut, in each way in which networks lose them."""

import socket
import struct
import threading

# close() then sends a reset, where it would else say goodbye.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CuttingProxy:
    """Passes connections on to `address` ("host:port") until it is closed."""

    def __init__(self, address):
        self.lead_to(address)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._sockets = []
        self._passes = threading.Event()
        self._passes.set()
        self._stranded = frozenset()
        self._held_back = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self._listener.getsockname()[1]

    def lead_to(self, address):
        """From here on new connections go there."""
        host, port = address.rsplit(":", 1)
        self._target = (host, int(port))

    def cut(self):
        """Ends every connection there is, as a process that ends does; returns how many. New ones are
        passed on."""
        sockets = self._take()
        for side in sockets:
            self._shut(side)
        return len(sockets) // 2

    def reset(self):
        """As cut, with a TCP reset to both sides."""
        sockets = self._take()
        for side in sockets:
            try:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            except OSError:
                # It has ended by itself meanwhile.
                continue
            # Whoever reads from it holds the socket open until it is woken.
            self._shut(side, socket.SHUT_RD)
            side.close()
        return len(sockets) // 2

    def freeze(self):
        """Passes nothing on any more, in either direction, and ends nothing: what a machine leaves
        behind that has lost its power."""
        self._held_back.clear()
        self._passes.clear()

    def held_back(self):
        """From how many sides something has come since, and waits."""
        return len(self._held_back)

    def thaw(self):
        """Passes on what waits, and what comes."""
        self._passes.set()

    def strand(self):
        """Passes nothing on through the connections there are, not even their end; returns how many.
        New ones are passed on."""
        with self._lock:
            self._stranded = self._stranded.union(self._sockets)
            return len(self._sockets) // 2

    def close(self):
        self._listener.close()
        self.cut()
        self._passes.set()

    def _take(self):
        with self._lock:
            sockets, self._sockets = self._sockets, []
        return [side for side in sockets if side.fileno() >= 0]

    @staticmethod
    def _shut(side, how=socket.SHUT_RDWR):
        try:
            side.shutdown(how)
        except OSError:
            pass

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._sockets = [side for side in self._sockets if side.fileno() >= 0]
                self._sockets += [near, far]
            pair = _Pair(near, far)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink, pair), daemon=True).start()

    def _pass(self, source, sink, pair):
        try:
            while data := source.recv(65536):
                if not self._passes.is_set():
                    self._held_back.add(source)
                self._passes.wait()
                if source not in self._stranded:
                    sink.sendall(data)
        except OSError:
            pass
        if source in self._stranded:
            source.close()
        else:
            pair.one_way_ended()


class _Pair:
    """Two ends of a connection, closed when neither is read any more."""

    def __init__(self, *sides):
        self._sides = sides
        self._lock = threading.Lock()
        self._ways = 2

    def one_way_ended(self):
        for side in self._sides:
            CuttingProxy._shut(side)  # pylint: disable=protected-access
        with self._lock:
            self._ways -= 1
            if self._ways:
                return
        for side in self._sides:
            side.close()
