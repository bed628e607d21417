"""Orders over HTTP at a steady rate for minutes, embedded, beside the first minute of the same run.

Requests are due at fixed moments, whatever the ones before them took, and a latency is counted
from when its request was due: a stall counts for everyone who had to wait for it. A bare route is
asked at the same time, half as often. What it became slower by since the first minute was the
machine, and is divided out.

The server remembers few streams (`LEDGER_CACHE_SIZE`), so that this memory is full within the
first minute and what grows afterwards would grow for ever.
"""

from __future__ import annotations

import http.client
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from rich.table import Table

from bench.http_orders import SKUS, body, ours, stock_up
from bench.measured import Aim, Measured, Report, detail
from bench.resident import resident
from bench.serving import Request, bare_server, ledger_process, load, send

MOST: Final = 100
"""Orders a second, over all connections."""

SHARE: Final = 0.2
"""Of what the server can do now. Nearer to it, whatever else the machine does makes queues."""

CONNECTIONS: Final = 4
CACHE_SIZE: Final = 1_000
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


class Side(NamedTuple):
    """A server, how often a second it is asked, and what for."""

    port: int
    rate: int
    request: Callable[[int], Request]


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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            ledger_process(folder, LEDGER_CACHE_SIZE=str(CACHE_SIZE)) as (port, process_id),
            bare_server(folder) as bare_port,
        ):
            stock_up(port, [f"SKU-{n}" for n in range(SKUS)], 1_000_000)
            rate = max(1, min(MOST, int(SHARE * load(port, CONNECTIONS, ours(200)).rate)))
            sides = (Side(port, rate, _order), Side(bare_port, max(1, rate // 2), _bare))
            _steady(sides, WARM_UP, process_id)
            (answered, bare), held = _steady(sides, length, process_id)
    return _report(f"{rate} orders/s for {minutes:g} minutes", minutes, answered, bare, held)


def _report(
    label: str,
    minutes: float,
    answered: Sequence[Answered],
    bare: Sequence[Answered],
    held: Sequence[Held],
) -> Report:
    starts = _starts(minutes * MINUTE)
    first_memory = median(one.megabytes for one in held if one.at < MINUTE)
    memory = [median(h.megabytes for h in held if a <= h.at < a + SLICE) for a in starts]
    whole = [one.latency for one in answered]
    told = " / ".join(f"{quantile(whole, q):.1f}" for q in (0.5, 0.99, 0.999))
    beside = "its own first minute"
    drift = f"{beside}, and a bare route's drift"
    rows = [
        Measured.of(f"{label}: p50", drift, FLAT, _drifts(answered, bare, starts, 0.5)),
        Measured.of(
            f"{label}: p99",
            drift,
            FLAT_TAIL,
            _drifts(answered, bare, starts, 0.99),
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
    return Report(rows, [_by_slice(answered, bare, held, minutes * MINUTE)])


def _drifts(
    answered: Sequence[Answered], bare: Sequence[Answered], starts: Sequence[float], q: float
) -> list[float]:
    """How much slower the slices are than the first minute, over the same of the bare route."""

    def slower(side: Sequence[Answered], start: float) -> float:
        first = quantile(_latencies(side, 0, MINUTE), q)
        return quantile(_latencies(side, start, start + SLICE), q) / first

    return [slower(answered, start) / slower(bare, start) for start in starts]


def _by_slice(
    answered: Sequence[Answered], bare: Sequence[Answered], held: Sequence[Held], length: float
) -> Table:
    rows = []
    for start in _starts(length, 0):
        ours, others = (_latencies(side, start, start + SLICE) for side in (answered, bare))
        memory = median(one.megabytes for one in held if start <= one.at < start + SLICE)
        quantiles = [f"{quantile(ours, q):.1f}" for q in (0.5, 0.99, 0.999)]
        quantiles += [f"{quantile(others, q):.1f}" for q in (0.5, 0.99)]
        rows.append([f"{start:.0f} s", len(ours), *quantiles, f"{memory:.0f}"])
    columns = ("from", "orders", "p50 ms", "p99", "p99.9", "bare p50", "bare p99", "RSS MB")
    return detail("The soak, slice by slice", columns, rows)


def _starts(length: float, first: float = MINUTE) -> list[float]:
    return [first + n * SLICE for n in range(int((length - first) / SLICE))]


def _latencies(answered: Sequence[Answered], start: float, end: float) -> list[float]:
    return [one.latency for one in answered if start <= one.due < end]


def quantile(values: Sequence[float], q: float) -> float:
    """What the fraction `q` of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def _order(number: int) -> Request:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    return "POST", "/v1/orders", body(number), key


def _bare(number: int) -> Request:
    return "POST", "/orders", body(number), {}


def _steady(
    sides: Sequence[Side], seconds: float, process_id: int
) -> tuple[list[list[Answered]], list[Held]]:
    """Ask both servers at their steady rates; answers the latencies, and the ledger's memory."""
    began = time.perf_counter() + 0.1
    with ThreadPoolExecutor(len(sides) * CONNECTIONS + 1) as pool:
        memory = pool.submit(_memory, process_id, began, seconds)
        clients = [
            [pool.submit(_client, side, n, began, seconds) for n in range(CONNECTIONS)]
            for side in sides
        ]
        answered = [[one for each in side for one in each.result()] for side in clients]
        return answered, memory.result()


def _client(side: Side, number: int, began: float, seconds: float) -> list[Answered]:
    connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=60)
    answered = []
    for turn in range(number, int(seconds * side.rate), CONNECTIONS):
        due = turn / side.rate
        time.sleep(max(0, began + due - time.perf_counter()))
        status, answer = send(connection, side.request(turn))
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
