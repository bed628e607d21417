"""Servers under measurement and the clients that load them, over real HTTP on loopback."""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Request = tuple[str, str, dict[str, Any], dict[str, str]]
"""Method, path, JSON body, headers."""


@dataclass(frozen=True)
class Load:
    """What one run of clients measured."""

    seconds: float
    latencies: tuple[float, ...]
    statuses: dict[int, int]
    per_client: tuple[float, ...]
    """Seconds each client took."""

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    def quantile(self, q: float) -> float:
        """Latency in ms that the fraction `q` of the requests did not exceed."""
        return (
            sorted(self.latencies)[min(len(self.latencies) - 1, int(q * len(self.latencies)))] * 1e3
        )

    @property
    def slowest_client(self) -> float:
        """Time of the slowest client over the mean of all."""
        return max(self.per_client) / statistics.mean(self.per_client)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(command: Sequence[str], port: int, path: str, env: dict[str, str]) -> Iterator[int]:
    """Run a server until the block ends; yields its process id once it answers `path`."""
    process = subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, path, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, path: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    msg = f"the server on port {port} did not start"
    raise RuntimeError(msg)


@contextmanager
def ledger_process(folder: Path, **settings: str) -> Iterator[tuple[int, int]]:
    """`ledger serve` on a new file, with settings of its own: its port and its process id."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("ledger")), "serve", "--port", str(port)]
    env = {"LEDGER_STORE": f"sqlite:{folder / 'ledger.db'}", **settings}
    with server(command, port, "/healthz", env) as process_id:
        yield port, process_id


@contextmanager
def ledger_server(folder: Path) -> Iterator[int]:
    """`ledger serve` on a new file: its port."""
    with ledger_process(folder) as (port, _):
        yield port


@contextmanager
def bare_server(folder: Path) -> Iterator[int]:
    """The bare app of `bench.bare` on a new file: its port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port)]
    env = {"BARE_DB": str(folder / "bare.db")}
    with server([*command, "--no-access-log"], port, "/openapi.json", env):
        yield port


def send(connection: http.client.HTTPConnection, request: Request) -> tuple[int, bytes]:
    """One request on a kept connection."""
    method, path, body, headers = request
    connection.request(
        method, path, json.dumps(body), {"Content-Type": "application/json", **headers}
    )
    response = connection.getresponse()
    return response.status, response.read()


def load(port: int, clients: int, requests: Callable[[int], Iterator[Request]]) -> Load:
    """Let every client send its requests in turn; `requests(n)` are those of client n."""

    def client(number: int) -> tuple[float, list[float], list[int]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        latencies, statuses = [], []
        began = time.perf_counter()
        for request in requests(number):
            start = time.perf_counter()
            status, _ = send(connection, request)
            latencies.append(time.perf_counter() - start)
            statuses.append(status)
        connection.close()
        return time.perf_counter() - began, latencies, statuses

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        results = list(pool.map(client, range(clients)))
    seconds = time.perf_counter() - began
    counts: dict[int, int] = {}
    for _, _, statuses in results:
        for status in statuses:
            counts[status] = counts.get(status, 0) + 1
    return Load(
        seconds,
        tuple(latency for _, latencies, _ in results for latency in latencies),
        counts,
        tuple(took for took, _, _ in results),
    )
