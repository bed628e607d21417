"""Sixteen clients on one SKU until it is sold out, beside sixteen clients on sixteen SKUs."""

from __future__ import annotations

import http.client
import json
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.http_orders import stock_up
from bench.measured import Aim, Measured, Report, detail
from bench.serving import Load, Request, ledger_server, load, send

CLIENTS = 16
ORDERS = 60
ROUNDS = 3


def orders(sku: Callable[[int], str], count: int) -> Callable[[int], Iterator[Request]]:
    """Orders of one unit of each client's SKU."""

    def requests(client: int) -> Iterator[Request]:
        for _ in range(count):
            key = {"Idempotency-Key": str(uuid.uuid4())}
            line = {"sku": sku(client), "quantity": 1}
            yield "POST", "/v1/orders", {"lines": [line]}, key

    return requests


def run() -> Report:
    """Half again as many orders as there is stock: exactly the stock must be sold."""
    hot: list[Load] = []
    cold: list[Load] = []
    stock = CLIENTS * ORDERS * 2 // 3
    with tempfile.TemporaryDirectory() as name, ledger_server(Path(name)) as port:
        for number in range(ROUNDS):
            stock_up(port, [f"HOT-{number}"], stock)
            stock_up(port, [f"COLD-{number}-{c}" for c in range(CLIENTS)], ORDERS)
            hot.append(load(port, CLIENTS, orders(lambda _, n=number: f"HOT-{n}", ORDERS)))  # type: ignore[misc]
            cold.append(load(port, CLIENTS, orders(lambda c, n=number: f"COLD-{n}-{c}", ORDERS)))  # type: ignore[misc]
            _check(port, f"HOT-{number}", hot[-1], stock)
    told_later = sum(run.statuses.get(503, 0) for run in hot + cold)
    rates = [f"{median(run.rate for run in runs):.0f}" for runs in (hot, cold)]
    row = Measured.of(
        f"{CLIENTS} clients on one SKU until it is sold out",
        f"as many on {CLIENTS} SKUs",
        Aim("≥", 0.8),
        [one.rate / other.rate for one, other in zip(hot, cold, strict=True)],
        f"{rates[0]} requests/s beside {rates[1]}; exactly the stock sold; 503: {told_later}",
    )
    columns = ("", "requests/s", "sold", "slowest client / mean")
    table = detail(row.what, columns, [_cells(hot, "one SKU"), _cells(cold, f"{CLIENTS} SKUs")])
    return Report([row], [table])


def _cells(runs: Sequence[Load], label: str) -> list[object]:
    rate = median(run.rate for run in runs)
    slowest = median(run.slowest_client for run in runs)
    sold = runs[-1].statuses.get(201, 0)
    return [label, f"{rate:.0f}", sold, f"{slowest:.2f}"]


def _check(port: int, sku: str, run: Load, stock: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    path = f"/v1/stock/{sku}/main?consistent=true"
    _, answer = send(connection, ("GET", path, {}, {}))
    level = json.loads(answer)
    if run.statuses.get(201) != stock or level["reserved"] != stock or level["available"] != 0:
        msg = f"sold {run.statuses} of {stock}; the ledger says {level}"
        raise RuntimeError(msg)
