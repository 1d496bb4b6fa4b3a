"""A real HTTP server of the test's own, and a jobrunnerd that may send requests to it."""

import http.server
import json
import queue
import threading

import grpc
from server_process import PATIENCE_SECONDS, ServerTest


class Hook(http.server.ThreadingHTTPServer):
    """Notes each request, and answers it with what answer(request) returns: a status and headers.
    With an ssl.SSLContext it serves https."""

    daemon_threads = True

    def __init__(self, answer, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.requests = queue.Queue()
        self.scheme = "https" if context else "http"
        if context:
            # Handshakes are the connections' own: one that fails holds up none.
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, target):
        return f"{self.scheme}://127.0.0.1:{self.server_port}{target}"

    def next_request(self):
        return self.requests.get(timeout=PATIENCE_SECONDS)

    def handle_error(self, request, client_address):
        pass  # A client that was killed, or that refused the certificate.


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.put(self)
        status, headers = self.server.answer(self)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"there")

    def log_message(self, *words):
        pass


class HookTest(ServerTest):
    def hook(self, answer=lambda request: (200, {}), context=None):
        hook = Hook(answer, context)
        self.addCleanup(hook.server_close)
        self.addCleanup(hook.shutdown)
        return hook

    def serve_for(self, hook, *words, enabled=True, **http_fields):
        allow = [{"host": "127.0.0.1", "port": hook.server_port, "allow_private": True}]
        config = {"http": {"enabled": enabled, "allow": allow, **http_fields},
                  "log": {"level": "debug", "job_log": self.path("jobs.log"),
                          "job_log_format": "json"}}
        return self.serve("--config=" + self.write("config.json", json.dumps(config)), *words)

    def spec(self, *urls, **fields):
        batch = self.stubs["batch_pb2"].BatchSpec(**fields)
        for url in urls:
            batch.jobs.add().http.url = url
            batch.jobs[-1].http.body = b"payload"
        return batch

    def submit(self, server, batch):
        request = self.stubs["job_service_pb2"].SubmitBatchRequest(batch=batch)
        return self.jobs(server).SubmitBatch(request).batch.id

    def refusal(self, server, batch):
        with self.assertRaises(grpc.RpcError) as refused:
            self.submit(server, batch)
        return refused.exception
