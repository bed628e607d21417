"""`ledger serve` as processes of its own, and clients that speak HTTP with them."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds within which everything waited for must have happened."""


def start(arguments: list[str], store: Path, log: Path) -> subprocess.Popen[bytes]:
    """A `ledger` command on a file, writing all it says to another file."""
    return start_in({"LEDGER_STORE": f"sqlite:{store}"}, arguments, log)


def start_in(
    environment: Mapping[str, str], arguments: list[str], log: Path
) -> subprocess.Popen[bytes]:
    """A `ledger` command with nothing of the tester's own settings."""
    inherited = {name: value for name, value in os.environ.items() if name[:7] != "LEDGER_"}
    command = [sys.executable, "-c", "from ledger.cli import main; main()", *arguments]
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            stdout=file,
            stderr=file,
            env={**inherited, "PYTHONPATH": str(ROOT), **environment},
            cwd=log.parent,
        )


def wait_until(happened: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait for something that happens within moments."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002 if patience == PATIENCE else 0.1)


@dataclass
class Server:
    """A process that serves the API."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0
    """Where it listens, once it does."""

    def wait_ready(self) -> None:
        """Wait until it says where it listens."""
        wait_until(self._announced)

    def _announced(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        said = re.search(r"on http://127\.0\.0\.1:(\d+),", self.log.read_text())
        self.port = int(said[1]) if said else 0
        return bool(said)

    def kill(self) -> None:
        """End the process as a power cut would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(store: Path, count: int = 1) -> Iterator[list[Server]]:
    """Servers on one file, started at once; none of them may log a failure."""
    with ExitStack() as stack:
        servers = []
        for n in range(count):
            log = store.with_name(f"server-{n}.log")
            log.unlink(missing_ok=True)
            process = stack.enter_context(start(["serve", "--port", "0"], store, log))
            stack.callback(process.terminate)
            servers.append(Server(process, log))
        for server in servers:
            server.wait_ready()
        yield servers
    for server in servers:
        assert "Traceback" not in server.log.read_text(), server.log.read_text()


class Request(NamedTuple):
    """A request that changes something, under its idempotency key."""

    path: str
    body: dict[str, Any]
    key: str


class Answer(NamedTuple):
    """What the server answered; `replayed` if it says that it did so before."""

    status: int
    body: dict[str, Any]
    replayed: bool


class Lost(Exception):
    """The connection broke before the answer was there."""


class Client:
    """One kept connection to a server."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self._connection.close()

    def get(self, path: str) -> dict[str, Any]:
        """Read something that is there."""
        status, _, body = self._exchange("GET", path)
        assert status == HTTPStatus.OK, body
        return body

    def put(self, request: Request) -> Answer:
        """Set something, as `post` does."""
        return self._send("PUT", request)

    def post(self, request: Request) -> Answer:
        """Send a request until it is answered: 503 says when to come back."""
        return self._send("POST", request)

    def _send(self, method: str, request: Request) -> Answer:
        path, body, key = request
        while True:
            status, headers, answer = self._exchange(method, path, body, key)
            if status != HTTPStatus.SERVICE_UNAVAILABLE:
                assert status < 500, answer
                return Answer(status, answer, headers.get("Idempotency-Replayed") == "true")
            assert int(headers["Retry-After"]) > 0, answer
            time.sleep(int(headers["Retry-After"]))

    def log(self) -> Iterator[dict[str, Any]]:
        """Every event there is, oldest first."""
        after = 0
        while True:
            page = self.get(f"/v1/events?limit=1000&after={after}")
            yield from page["items"]
            if not page["items"]:
                return
            after = page["next"]

    def _exchange(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str = ""
    ) -> tuple[int, http.client.HTTPMessage, dict[str, Any]]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key} if key else {}
        try:
            self._connection.request(method, path, json.dumps(body) if key else None, headers)
            response = self._connection.getresponse()
            return response.status, response.headers, json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Lost(path) from error
