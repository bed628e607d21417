"""`POST /v1/orders` with three lines beside a bare route that inserts five rows."""

from __future__ import annotations

import http.client
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.measured import Measured, Report, detail, in_turns
from bench.serving import Load, Request, bare_server, ledger_server, load, send

SKUS = 300
ROUNDS = 5
REQUESTS = 400


def body(number: int) -> dict[str, object]:
    """Three lines over many SKUs."""
    skus = [f"SKU-{(number * 7 + 13 * k) % SKUS}" for k in range(3)]
    return {"lines": [{"sku": sku, "quantity": 1} for sku in skus]}


def ours(count: int) -> Callable[[int], Iterator[Request]]:
    """Orders for the ledger, each under a key of its own."""

    def requests(client: int) -> Iterator[Request]:
        for number in range(count):
            key = {"Idempotency-Key": str(uuid.uuid4())}
            yield "POST", "/v1/orders", body(client * count + number), key

    return requests


def bare(count: int) -> Callable[[int], Iterator[Request]]:
    """The same bodies for the bare route."""

    def requests(client: int) -> Iterator[Request]:
        for number in range(count):
            yield "POST", "/orders", body(client * count + number), {}

    return requests


def stock_up(port: int, skus: list[str], quantity: int) -> None:
    """Receive the same quantity of every SKU."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for start in range(0, len(skus), 90):
        lines = [
            {"sku": sku, "location": "main", "quantity": quantity}
            for sku in skus[start : start + 90]
        ]
        key = {"Idempotency-Key": str(uuid.uuid4())}
        status, answer = send(connection, ("POST", "/v1/receipts", {"lines": lines}, key))
        if status != 201:
            raise RuntimeError(answer.decode())


def run() -> Report:
    """Measure in turns, so that a machine whose speed drifts is fair to both."""
    rows: list[Measured] = []
    details: list[list[object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ledger_server(folder) as ledger_port, bare_server(folder) as bare_port:
            stock_up(ledger_port, [f"SKU-{n}" for n in range(SKUS)], 1_000_000)
            for clients in (1, 8):

                def mine(clients: int = clients) -> Load:
                    return load(ledger_port, clients, ours(REQUESTS // clients))

                def other(clients: int = clients) -> Load:
                    return load(bare_port, clients, bare(REQUESTS // clients))

                mine()
                other()
                pairs = in_turns(ROUNDS, mine, other)
                rows.append(_row(clients, pairs))
                details.append([clients, *_latencies(pairs)])
    columns = ("connections", "ours p50 ms", "p99", "bare p50 ms", "p99")
    return Report(rows, [detail("POST /v1/orders, three lines", columns, details)])


def _row(clients: int, pairs: Sequence[tuple[Load, Load]]) -> Measured:
    for mine, _ in pairs:
        if set(mine.statuses) != {201}:
            msg = f"orders were not all accepted: {mine.statuses}"
            raise RuntimeError(msg)
    ours_rate, bare_rate = (median(pair[side].rate for pair in pairs) for side in (0, 1))
    return Measured.of(
        f"POST /v1/orders of 3 lines, {clients} connection{'s' * (clients > 1)}",
        "a bare FastAPI route inserting 5 rows",
        None,
        [mine.rate / other.rate for mine, other in pairs],
        f"{ours_rate:.0f} orders/s beside {bare_rate:.0f}",
    )


def _latencies(pairs: Sequence[tuple[Load, Load]]) -> list[str]:
    return [
        f"{median(pair[side].quantile(q) for pair in pairs):.2f}"
        for side in (0, 1)
        for q in (0.5, 0.99)
    ]
