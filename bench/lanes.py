"""One hot SKU bought by eight processes at once: whole, and in lanes.

Every process is a warm client with one order under way at a time. An emulator has one machine to
share with them, so what lanes save shows in the tries that each order takes as much as in the rate.
Run as a program it is one such process: `python -m bench.lanes STORE SECONDS`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import quantiles
from typing import Any, Final

from eventsourcing.persistence import StoredEvent
from rich.table import Table

from bench.dynamodb import ENGINES, context, on, open_ledger
from bench.measured import Measured, Report
from ledger.bootstrap import open_event_store
from ledger.errors import Contention
from ledger.service import (
    Context,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    SetLanes,
)
from ledger.settings import Settings
from ledger.store.base import LedgerRecorder

PROCESSES: Final = 8
COUNTS: Final = (1, 4, 16)
SECONDS: Final = 10.0
STOCK: Final = 1_000_000


def run() -> Report:
    """Orders of one unit, by the number of lanes."""
    table = Table(title=f"{PROCESSES} processes on one hot SKU, {SECONDS:g} s each")
    columns = ("engine", "lanes", "orders/s", "tries per order", "told to come back", "p50 ms")
    for column in (*columns, "p99 ms"):
        table.add_column(column, justify="left" if column == "engine" else "right")
    rows: list[Measured] = []
    for engine in ENGINES:
        rates: list[float] = []
        for count in COUNTS:
            with on(engine) as (endpoint, prefix):
                ledger = open_ledger(endpoint, prefix)
                sku = f"HOT-{uuid.uuid4().hex[:6]}"
                ledger.handle(ReceiveStock((ReceiptLine(sku, "main", STOCK),)), context())
                ledger.handle(SetLanes(sku, "main", count), Context("bench"))
                told = _buyers(endpoint, prefix, sku)
                level = ledger.history.position(f"stock:{sku}@main")
                sold = sum(len(one["milliseconds"]) for one in told)
                if level is None or level.balance.reserved != sold:
                    msg = f"{sold} were sold, the position says {level}"
                    raise RuntimeError(msg)
            table.add_row(engine, str(count), *_cells(told))
            rates.append(sold / SECONDS)
        rows.append(
            Measured.of(
                f"{PROCESSES} processes on one SKU in {COUNTS[-1]} lanes, {engine}",
                "the same in one lane",
                None,
                [rates[-1] / rates[0]],
                " / ".join(f"{rate:.0f}" for rate in rates)
                + f" orders/s in {' / '.join(map(str, COUNTS))} lanes; never oversold",
            )
        )
    return Report(rows, [table])


def _cells(told: Sequence[dict[str, Any]]) -> list[str]:
    took = sorted(ms for one in told for ms in one["milliseconds"])
    tries = sum(one["tries"] for one in told)
    cuts = quantiles(took, n=100)
    busy = sum(one["busy"] for one in told)
    return [
        f"{len(took) / SECONDS:.0f}", f"{tries / len(took):.2f}", str(busy),
        f"{cuts[49]:.1f}", f"{cuts[98]:.1f}",
    ]  # fmt: skip


def _buyers(endpoint: str, prefix: str, sku: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.lanes", f"dynamodb:{prefix}", sku, str(SECONDS)]
    environment = {**os.environ, "AWS_ENDPOINT_URL_DYNAMODB": endpoint}
    with ExitStack() as running:
        buyers = [
            running.enter_context(
                subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(PROCESSES)
        ]
        for buyer in buyers:
            assert buyer.stdout is not None
            if buyer.stdout.readline() != "ready\n":
                msg = "a buyer did not start"
                raise RuntimeError(msg)
        for buyer in buyers:
            assert buyer.stdin is not None
            buyer.stdin.write("go\n")
            buyer.stdin.flush()
        return [json.loads(buyer.communicate()[0]) for buyer in buyers]


class _Counting:
    """Counts how often a recorder is asked to append."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        self.tries = 0
        insert = recorder.insert_events

        def counted(events: Sequence[StoredEvent], **more: Any) -> Sequence[int] | None:
            self.tries += 1
            return insert(events, **more)

        recorder.insert_events = counted  # type: ignore[method-assign,assignment]


def main(store: str, sku: str, seconds: str) -> None:
    """Be one buyer."""
    recorder = open_event_store(Settings(store=store))
    ledger, counting = Ledger(recorder), _Counting(recorder)
    ledger.handle(_order(sku), context())  # warm, and on a lane of its own
    print("ready", flush=True)
    sys.stdin.readline()
    until = time.monotonic() + float(seconds)
    # The one before counts as well: it is on the position like the others.
    milliseconds, busy = [0.0], 0
    while time.monotonic() < until:
        began = time.perf_counter()
        try:
            ledger.handle(_order(sku), context())
        except Contention:
            busy += 1
        else:
            milliseconds.append(1000 * (time.perf_counter() - began))
    told = {"milliseconds": milliseconds, "tries": counting.tries, "busy": busy}
    print(json.dumps(told), flush=True)
    recorder.close()


def _order(sku: str) -> PlaceOrder:
    return PlaceOrder((OrderRequestLine(sku, 1),))


if __name__ == "__main__":
    main(*sys.argv[1:])
