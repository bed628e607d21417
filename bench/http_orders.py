"""`POST /v1/orders` with three lines beside a bare route that inserts five rows."""

from __future__ import annotations

import http.client
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from rich.table import Table

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


def run() -> Table:
    """Measure in turns, so that a machine whose speed drifts is fair to both."""
    table = Table(title="POST /v1/orders, three lines, beside a bare FastAPI route (5 rows)")
    for column in (
        "connections",
        "ours/s",
        "bare/s",
        "ratio",
        "ours p50/p99 ms",
        "bare p50/p99 ms",
    ):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ledger_server(folder) as ledger_port, bare_server(folder) as bare_port:
            stock_up(ledger_port, [f"SKU-{n}" for n in range(SKUS)], 1_000_000)
            for clients in (1, 8):
                count = REQUESTS // clients
                load(ledger_port, clients, ours(count))
                load(bare_port, clients, bare(count))
                pairs = [
                    (load(ledger_port, clients, ours(count)), load(bare_port, clients, bare(count)))
                    for _ in range(ROUNDS)
                ]
                table.add_row(str(clients), *_row(pairs))
    return table


def _row(pairs: list[tuple[Load, Load]]) -> list[str]:
    for mine, _ in pairs:
        if set(mine.statuses) != {201}:
            msg = f"orders were not all accepted: {mine.statuses}"
            raise RuntimeError(msg)
    return [
        f"{median(mine.rate for mine, _ in pairs):.0f}",
        f"{median(other.rate for _, other in pairs):.0f}",
        f"{median(mine.rate / other.rate for mine, other in pairs):.2f}",
        *(
            " / ".join(
                f"{median(pair[side].quantile(q) for pair in pairs):.2f}" for q in (0.5, 0.99)
            )
            for side in (0, 1)
        ),
    ]
