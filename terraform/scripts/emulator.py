"""MiniStack, an emulator of AWS, as a process of its own that outlives whoever starts it."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from check import ROOT

PYTHON: Final = ROOT / ".venv-ministack" / "bin" / "python"
APP: Final = f"{Path(__file__).with_name('repeating.py')}:app"
KEEP_ALIVE: Final = 24 * 3600
"""Seconds before the server closes an idle connection. Left to itself, MiniStack's server closes
after 75, and now and then under a request that has just come."""

PATIENCE: Final = 60.0
"""Seconds within which it must answer."""

REGION: Final = "ap-southeast-4"
CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""What an emulator asks for, so that nothing of anybody's account is ever used."""


class Failed(Exception):
    """Something did not work; says what, and where to look."""


class MiniStack:
    """One MiniStack, whose process is remembered in a folder, beside its log.

    What it holds is in its memory.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._port = port
        self._process = folder / "ministack.pid"
        self._started: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it.

        Raises
        ------
        Failed
            The port is taken, it is not installed, or it does not answer.
        """
        if self._answers():
            raise Failed(f"port {self._port} is taken; choose another with --port")
        if not PYTHON.exists():
            raise Failed("MiniStack is not installed: run `make engines`")
        scratch = self._folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        own = {
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "TMPDIR": str(scratch),
        }
        log = self._folder / "ministack.log"
        with log.open("wb") as output:
            process = self._started = subprocess.Popen(  # noqa: S603 (our own program)
                self._command,
                cwd=scratch,
                env={**without_aws(), **CREDENTIALS, **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process.write_text(f"{process.pid} {self._port}\n")
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"MiniStack does not start; see {log}")
            time.sleep(0.1)

    @property
    def _command(self) -> list[str]:
        server = [str(PYTHON), "-m", "hypercorn", APP, "--workers", "0"]
        bind = f"127.0.0.1:{self._port}"
        return [*server, "--bind", bind, "--keep-alive", str(KEEP_ALIVE), "--graceful-timeout", "0"]

    def stop(self) -> None:
        """Stop it, and the functions it runs."""
        if self.runs():
            group = int(self._process.read_text().split()[0])
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)
            deadline = time.monotonic() + PATIENCE
            while self._answers() and time.monotonic() < deadline:
                time.sleep(0.1)
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            if self._started is not None:
                self._started.wait()
        self._process.unlink(missing_ok=True)

    def runs(self) -> bool:
        """Whether the one started from this folder still runs.

        Raises
        ------
        Failed
            It does, on another port.
        """
        if not self._process.exists():
            return False
        pid, port = map(int, self._process.read_text().split())
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        if port != self._port:
            raise Failed(f"MiniStack runs on port {port} already; say --port {port}")
        return self._answers()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True


def without_aws() -> dict[str, str]:
    """The environment, but nothing that says how to reach an account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
