"""A network between a client and a DynamoDB engine that loses answers on demand."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

from tests.support.api_calls import WRITE

Loss = Literal["before", "after", "silence", "error"]
"""The connection breaks before or after the commit; after it, nothing is heard any more, or the
answer is an error 500."""


class LosingProxy(ThreadingHTTPServer):
    """Passes everything on; the next writes lose their answer as `losses` says, oldest first."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = str(urlsplit(upstream).netloc)
        self.losses: list[Loss] = []
        self.gone = False
        """Whether the network is gone for good once a loss has happened."""
        self._lost = False
        self.writes: list[bytes] = []
        """The bodies of all writes that reached the engine."""
        self.released = threading.Event()
        """Set when the test is over: nobody need be silent any longer."""

    def next_loss(self, writing: bool) -> Loss | None:
        """What happens to the answer that is due now."""
        if self.gone and self._lost:
            return "before"
        if not writing or not self.losses:
            return None
        self._lost = True
        return self.losses.pop(0)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LosingProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        writing = self.headers["X-Amz-Target"].endswith(WRITE)
        loss = self.server.next_loss(writing)
        if loss == "before":
            self.close_connection = True
            return
        if writing:
            self.server.writes.append(body)
        status, headers, answer = self._pass_on(body)
        if loss == "silence":
            self.server.released.wait()
        if loss in ("after", "silence"):
            self.close_connection = True
            return
        self.send_response(500 if loss == "error" else status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date"):
                self.send_header(name, value)
        answer = b"{}" if loss == "error" else answer
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            connection.request("POST", self.path, body, dict(self.headers.items()))
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def losing_proxy(upstream: str) -> Iterator[LosingProxy]:
    """A proxy in front of an engine."""
    with LosingProxy(upstream) as proxy:
        serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield proxy
        finally:
            proxy.released.set()
            proxy.shutdown()
            serving.join()
