"""Orders over HTTP at a steady rate for minutes, embedded, beside the first minute of the same run.

Requests are due at fixed moments, whatever the ones before them took, and a latency is counted
from when its request was due: a stall counts for everyone who had to wait for it.
"""

from __future__ import annotations

import http.client
import tempfile
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from rich.table import Table

from bench.http_orders import SKUS, body, stock_up
from bench.measured import Aim, Measured, Report, detail
from bench.resident import resident
from bench.serving import ledger_process, send

RATE: Final = 100
"""Orders a second, over all connections: well below what the server can do."""

CONNECTIONS: Final = 8
SLICE: Final = 20.0
"""Seconds of a slice that is held beside the first minute."""

MINUTE: Final = 60.0
WARM_UP: Final = 5.0
FLAT: Final = Aim("≤", 1.1)
FLAT_TAIL: Final = Aim("≤", 1.5)
"""The 99th percentile of a slice rests on 20 requests."""


class Answered(NamedTuple):
    """When a request was due, in seconds of the run, and its latency in ms."""

    due: float
    latency: float


class Held(NamedTuple):
    """Resident memory of the server in MB, at a moment of the run."""

    at: float
    megabytes: float


def run(minutes: float = 3) -> Report:
    """Latency and memory after the first minute beside those of the first minute.

    Raises
    ------
    ValueError
        There is nothing after the first minute.
    """
    length = minutes * MINUTE
    if length < MINUTE + SLICE:
        raise ValueError("a soak takes a minute and a third at least")
    with tempfile.TemporaryDirectory() as name, ledger_process(Path(name)) as (port, process_id):
        stock_up(port, [f"SKU-{n}" for n in range(SKUS)], 1_000_000)
        _steady(port, WARM_UP, process_id)
        answered, held = _steady(port, length, process_id)
    slices = [(start, start + SLICE) for start in _starts(length)]
    first = [one.latency for one in answered if one.due < MINUTE]
    later = [_latencies(answered, *each) for each in slices]
    first_memory = median(one.megabytes for one in held if one.at < MINUTE)
    memory = [median(h.megabytes for h in held if a <= h.at < b) for a, b in slices]
    beside, label = "its own first minute", f"{RATE} orders/s for {minutes:g} minutes"
    whole = [one.latency for one in answered]
    told = " / ".join(f"{quantile(whole, q):.1f}" for q in (0.5, 0.99, 0.999))
    rows = [
        Measured.of(f"{label}: p50", beside, FLAT, _ratios(later, first, 0.5), "20 s slices"),
        Measured.of(
            f"{label}: p99",
            beside,
            FLAT_TAIL,
            _ratios(later, first, 0.99),
            f"p50 / p99 / p99.9 of all {len(whole):,}: {told} ms",
        ),
        Measured.of(
            f"{label}: resident memory",
            beside,
            FLAT,
            [one / first_memory for one in memory],
            f"{memory[-1]:.0f} MB in the end, {first_memory:.0f} MB in the first minute",
        ),
    ]
    return Report(rows, [_by_slice(answered, held, length)])


def _by_slice(answered: Sequence[Answered], held: Sequence[Held], length: float) -> Table:
    rows = []
    for start in _starts(length, 0):
        latencies = _latencies(answered, start, start + SLICE)
        memory = median(one.megabytes for one in held if start <= one.at < start + SLICE)
        quantiles = [f"{quantile(latencies, q):.1f}" for q in (0.5, 0.99, 0.999)]
        rows.append([f"{start:.0f} s", len(latencies), *quantiles, f"{memory:.0f}"])
    columns = ("from", "orders", "p50 ms", "p99", "p99.9", "RSS MB")
    return detail("The soak, slice by slice", columns, rows)


def _starts(length: float, first: float = MINUTE) -> list[float]:
    return [first + n * SLICE for n in range(int((length - first) / SLICE))]


def _latencies(answered: Sequence[Answered], start: float, end: float) -> list[float]:
    return [one.latency for one in answered if start <= one.due < end]


def _ratios(later: Sequence[Sequence[float]], first: Sequence[float], q: float) -> list[float]:
    return [quantile(each, q) / quantile(first, q) for each in later]


def quantile(values: Sequence[float], q: float) -> float:
    """What the fraction `q` of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def _steady(port: int, seconds: float, process_id: int) -> tuple[list[Answered], list[Held]]:
    """Send orders at the steady rate; answers their latencies, and the server's memory."""
    began = time.perf_counter() + 0.1
    with ThreadPoolExecutor(CONNECTIONS + 1) as pool:
        memory = pool.submit(_memory, process_id, began, seconds)
        clients = [pool.submit(_client, port, n, began, seconds) for n in range(CONNECTIONS)]
        return [one for client in clients for one in client.result()], memory.result()


def _client(port: int, number: int, began: float, seconds: float) -> list[Answered]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    answered = []
    for turn in range(number, int(seconds * RATE), CONNECTIONS):
        due = turn / RATE
        time.sleep(max(0, began + due - time.perf_counter()))
        key = {"Idempotency-Key": str(uuid.uuid4())}
        status, answer = send(connection, ("POST", "/v1/orders", body(turn), key))
        if status != 201:
            raise RuntimeError(answer.decode())
        answered.append(Answered(due, 1000 * (time.perf_counter() - began - due)))
    connection.close()
    return answered


def _memory(process_id: int, began: float, seconds: float) -> list[Held]:
    held = []
    for second in range(int(seconds)):
        time.sleep(max(0, began + second - time.perf_counter()))
        held.append(Held(second, resident(process_id)))
    return held
