"""The DynamoDB engines the tests run on.

==================  ================================================================================
`moto`              in this process; its transactions are not atomic between threads: no races
`ministack`         the emulator the deployment is tested on, a process in an environment of its own
`dynamodb-local`    Amazon's own engine, a Java process
==================  ================================================================================

Each process is started when the first test wants it, listens on a free port of 127.0.0.1, keeps
everything in memory and is stopped with the session; every worker of pytest-xdist has its own.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from tests.support import dynamodb_local

EngineName = Literal["ministack", "dynamodb-local"]
MINISTACK: Final = dynamodb_local.ROOT / ".venv-ministack" / "bin" / "python"
KEEP_ALIVE: Final = 24 * 3600
"""Seconds before MiniStack's server closes an idle connection: when it does (after 75, left to
itself), it now and then closes under a request that has just come, and the answer is lost."""
PATIENCE: Final = 60.0
"""Seconds within which an engine must answer: a cold Java on a busy machine takes its time."""

AWS_ENVIRONMENT: Final[Mapping[str, str]] = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # moto does not know the endpoints that carry an account id.
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "NO_PROXY": "127.0.0.1",
}
"""What boto3 must find, so that no test ever speaks with an account of whoever runs it."""

AWS_ABSENT: Final = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_DYNAMODB_STREAMS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SESSION_TOKEN",
)
"""What boto3 must not find."""


class Engines:
    """The engines of one test session."""

    def __init__(self) -> None:
        self._running: dict[EngineName, str] = {}
        self._stop = ExitStack()

    def endpoint(self, name: EngineName) -> str:
        """Where an engine listens; it is started if need be."""
        if name not in self._running:
            self._running[name] = self._stop.enter_context(serving(name))
        return self._running[name]

    def close(self) -> None:
        """Stop what was started."""
        self._stop.close()


@contextmanager
def serving(name: EngineName) -> Iterator[str]:
    """Run an engine; where it listens.

    Raises
    ------
    RuntimeError
        It is not installed, or does not start; says what to do, or what it said.
    """
    port = free_port()
    command, folder = _command(name, port)
    with TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "TMPDIR": scratch}
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder or scratch,
                env={**os.environ, **AWS_ENVIRONMENT, **settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_it_answers(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _command(name: EngineName, port: int) -> tuple[list[str], Path | None]:
    """How an engine is started, and in which folder."""
    installed = MINISTACK if name == "ministack" else dynamodb_local.FOLDER / "DynamoDBLocal.jar"
    if not installed.exists():
        raise RuntimeError(f"{name} is not installed: run `make engines`")
    if name == "ministack":
        server = [str(MINISTACK), "-m", "hypercorn", "ministack.app:app", "--workers", "0"]
        bind = ["--bind", f"127.0.0.1:{port}"]
        closing = ["--keep-alive", str(KEEP_ALIVE), "--graceful-timeout", "0"]
        return [*server, *bind, *closing], None
    options = ["-Xmx512m", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", installed.name]
    serve = ["-inMemory", "-sharedDb", "-port", str(port)]
    return [dynamodb_local.java(), *options, *serve], dynamodb_local.FOLDER


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it does not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port
