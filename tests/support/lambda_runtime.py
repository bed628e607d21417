"""A small Lambda: it runs functions as AWS does, by the Runtime API that AWS's own client speaks.

The client (`awslambdaric`, which the base image has as well) asks for an invocation, calls the
handler, and posts what it answered or raised. What AWS does around it is left out: no time-outs,
no freezing, one invocation at a time.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from uuid import uuid4

PATIENCE: Final = 60.0
"""Seconds within which a function must answer: a cold start on a busy machine takes its time."""

VERSION: Final = "/2018-06-01/runtime"


class FunctionFailed(Exception):
    """The function raised, or could not be loaded; holds what its client reported."""

    def __init__(self, report: Mapping[str, Any], output: str) -> None:
        super().__init__(f"{report.get('errorType')}: {report.get('errorMessage')}\n{output}")
        self.type = report.get("errorType")


@dataclass(slots=True)
class _Posted:
    """What the client posted: an answer, or the report of an error."""

    failed: bool
    body: bytes


@dataclass(slots=True)
class _Mailbox:
    """What goes between whoever invokes and the function's client."""

    events: queue.Queue[bytes | None] = field(default_factory=queue.Queue)
    posted: queue.Queue[_Posted] = field(default_factory=queue.Queue)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, mailbox: _Mailbox, arn: str) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeApi)
        self.mailbox = mailbox
        self.arn = arn


class _RuntimeApi(BaseHTTPRequestHandler):
    """The four calls of the Runtime API."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """The next invocation; the client waits for it for as long as it takes."""
        assert self.path == f"{VERSION}/invocation/next", self.path
        event = self.server.mailbox.events.get()
        if event is None:
            self.close_connection = True
            return
        deadline = int((time.time() + PATIENCE) * 1000)
        self._answer(
            200,
            event,
            {
                "Lambda-Runtime-Aws-Request-Id": str(uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(deadline),
                "Lambda-Runtime-Invoked-Function-Arn": self.server.arn,
                "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        """The answer to an invocation, its error, or an error before there was any."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        failed = self.path.endswith("/error")
        assert failed or self.path.endswith("/response"), self.path
        self.server.mailbox.posted.put(_Posted(failed, body))
        self._answer(202, b'{"status": "OK"}')

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what matters is in what the functions answer."""


class Function:
    """A function that runs."""

    def __init__(self, mailbox: _Mailbox, process: subprocess.Popen[bytes], log: Path) -> None:
        self._mailbox = mailbox
        self._process = process
        self._log = log

    def invoke(self, event: Any) -> Any:
        """What the function answers to an event.

        Raises
        ------
        FunctionFailed
            It raised, or could not be loaded.
        """
        self._mailbox.events.put(json.dumps(event).encode())
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                posted = self._mailbox.posted.get(timeout=0.1)
                break
            except queue.Empty:
                if self._process.poll() is not None and self._mailbox.posted.empty():
                    report = {"errorType": "Exited", "errorMessage": str(self._process.returncode)}
                    raise FunctionFailed(report, self.output) from None
                assert time.monotonic() < deadline, f"no answer:\n{self.output}"
        if posted.failed:
            raise FunctionFailed(json.loads(posted.body), self.output)
        return json.loads(posted.body)

    @property
    def output(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(
    handler: str,
    *,
    root: Path,
    libraries: Sequence[Path],
    log: Path,
    environment: Mapping[str, str],
) -> Iterator[Function]:
    """Run a function for as long as the context lasts.

    Parameters
    ----------
    handler
        Module and callable, as the image's command names them: `api.lambda_handler.handler`.
    root
        The folder that the image has at `/var/task`.
    libraries
        Folders that the base image has elsewhere: the client of the Runtime API.
    log
        The file that gets what the function prints.
    environment
        All that the function finds there, besides what Lambda itself sets.
    """
    mailbox = _Mailbox()
    name = handler.split(".")[-2]
    server = _Server(mailbox, f"arn:aws:lambda:eu-west-1:111122223333:function:{name}:live")
    Thread(target=server.serve_forever, daemon=True).start()
    host, port = "127.0.0.1", server.server_port
    with log.open("wb") as output:
        process = subprocess.Popen(
            # -S: none of this interpreter's own libraries, only the image's.
            [sys.executable, "-S", "-m", "awslambdaric", handler],
            cwd=root,
            env={
                **environment,
                "AWS_LAMBDA_FUNCTION_NAME": name,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
                "AWS_LAMBDA_FUNCTION_VERSION": "1",
                "AWS_LAMBDA_RUNTIME_API": f"{host}:{port}",
                "LAMBDA_TASK_ROOT": str(root),
                "NO_PROXY": host,
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join(str(folder) for folder in (root, *libraries)),
                "_HANDLER": handler,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Function(mailbox, process, log)
    finally:
        process.kill()
        process.wait()
        mailbox.events.put(None)
        server.shutdown()
        server.server_close()
