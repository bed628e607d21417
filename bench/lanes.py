"""One hot SKU bought by eight processes at once: whole, and in lanes.

Every process is a warm client with one order under way at a time. An emulator has one machine to
share with them, so what lanes save shows in the tries that each order takes as much as in the rate.
"""

from __future__ import annotations

import uuid
from statistics import quantiles
from typing import Final

from bench.dynamodb import ENGINES, context, on, open_ledger
from bench.hot_buyers import PROCESSES, Bought, buyers
from bench.measured import Measured, Report, detail
from ledger.service import Context, ReceiptLine, ReceiveStock, SetLanes
from tests.support.engines import EngineName

COUNTS: Final = (1, 4, 16)
SECONDS: Final = 10.0
STOCK: Final = 1_000_000


def run() -> Report:
    """Orders of one unit, by the number of lanes."""
    rows: list[Measured] = []
    cells: list[list[object]] = []
    for engine in ENGINES:
        bought = [_bought(engine, count) for count in COUNTS]
        rates = [one.sold / SECONDS for one in bought]
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
        cells += ([engine, *_cells(*pair)] for pair in zip(COUNTS, bought, strict=True))
    columns = ("engine", "lanes", "orders/s", "tries per order", "told to come back", "p50 ms")
    title = f"{PROCESSES} processes on one hot SKU, {SECONDS:g} s each"
    return Report(rows, [detail(title, (*columns, "p99 ms"), cells)])


def _bought(engine: EngineName, lanes: int) -> Bought:
    with on(engine) as (endpoint, prefix):
        ledger = open_ledger(endpoint, prefix)
        sku = f"HOT-{uuid.uuid4().hex[:6]}"
        ledger.handle(ReceiveStock((ReceiptLine(sku, "main", STOCK),)), context())
        ledger.handle(SetLanes(sku, "main", lanes), Context("bench"))
        environment = {"AWS_ENDPOINT_URL_DYNAMODB": endpoint}
        with buyers(f"dynamodb:{prefix}", environment) as running:
            bought = Bought.together(running.buy([sku] * PROCESSES, SECONDS))
        level = ledger.history.position(f"stock:{sku}@main")
        if level is None or level.balance.reserved != bought.sold:
            msg = f"{bought.sold} were sold, the position says {level}"
            raise RuntimeError(msg)
        return bought


def _cells(lanes: int, bought: Bought) -> list[object]:
    cuts = quantiles(bought.milliseconds, n=100)
    return [
        lanes,
        f"{bought.sold / SECONDS:.0f}",
        f"{bought.tries / bought.sold:.2f}",
        bought.busy,
        f"{cuts[49]:.1f}",
        f"{cuts[98]:.1f}",
    ]
