"""Capacity units of every operation beside their floor, and what they cost.

The floor of a commit is 2 × Σ⌈KB⌉ of the items it puts: a transaction writes all twice. Units
are as MiniStack counts them: it rounds every item up, like the service. (DynamoDB Local rounds a
transaction as a whole.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bench.dynamodb import Meter, context, on, open_ledger, order, receive, stock_up
from bench.measured import Aim, Measured, Report, detail
from docs import cost
from ledger.domain.streams import stock_stream
from ledger.service import CancelOrder, Context, Ledger, ShipOrder
from ledger.service.commands import Command

Prepared = tuple[Command, Context]

_STREAMS: Final = [stock_stream(f"SKU-{n}", "main") for n in range(50)]
"""What the operations are about."""


@dataclass(frozen=True, slots=True)
class Units:
    """What one operation consumed.

    Parameters
    ----------
    cold_floor
        Read units of what a cold process must read: half a unit per position, eventually
        consistent, and the order, strongly, where it is about one.
    floor
        Write units of the items that were put, 0 if nothing was to be put.
    warm, cold
        Read units of a process that knows the positions already, and of one that knows nothing.
        (One that was outrun on a position lately reads it strongly: a unit.)
    stored
        Whether it is a new commit: neither refused nor a replay.
    """

    operation: str
    cold_floor: float
    items: int
    write: float
    floor: int
    warm: float
    cold: float
    stored: bool


def run() -> Report:
    """Every operation once, warm and cold."""
    with on("ministack") as (endpoint, prefix):
        units = list(measured(endpoint, prefix))
    commits = [one for one in units if one.stored]
    rows = [
        Measured.of(
            f"write units of {len(commits)} kinds of commit",
            "2 × Σ⌈KB⌉ of the items put",
            Aim("≤", 1),
            [one.write / one.floor for one in commits],
        ),
        Measured.of(
            f"read units of {len(commits)} kinds of commit, cold",
            "0.5 per position, 1 for an order's stream",
            Aim("≤", 1),
            [one.cold / one.cold_floor for one in commits],
            f"warm: {max(one.warm for one in commits):g} at most",
        ),
    ]
    return Report(rows, [_table(units)])


def _table(units: list[Units]) -> Table:
    prices = cost.load()["price"]
    per_write, per_read = (
        prices[kind]["usd"] * 1_000_000 / prices[kind]["per"] for kind in ("write", "read")
    )
    columns = ("operation", "items", "write", "floor", "read warm", "read cold", "$ per million")
    return detail(
        "Capacity units per operation, as MiniStack counts them",
        columns,
        (
            (
                one.operation,
                one.items or "",
                f"{one.write:g}",
                one.floor,
                f"{one.warm:g}",
                f"{one.cold:g}",
                f"{one.write * per_write + one.warm * per_read:.2f} to "
                f"{one.write * per_write + one.cold * per_read:.2f}",
            )
            for one in units
        ),
    )


def measured(endpoint: str, prefix: str) -> Iterator[Units]:
    """Every operation, each by a warm and a cold ledger on the same tables, which are empty."""
    meter = Meter()
    ledger = open_ledger(endpoint, prefix, meter)
    stock_up(ledger)
    for label, cold_floor, stored, make in _operations(ledger):
        cold_meter = Meter()
        cold = open_ledger(endpoint, prefix, cold_meter)
        _do(cold, cold_meter, make())
        ledger.positions(_STREAMS, remembered=False)  # the cold one wrote there
        _do(ledger, meter, make())
        items = len(meter.items) if meter.write else 0
        floor = meter.floor if meter.write else 0
        read, cold_read = meter.read, cold_meter.read
        yield Units(label, cold_floor, items, meter.write, floor, read, cold_read, stored)


def _do(ledger: Ledger, meter: Meter, prepared: Prepared) -> None:
    meter.reset()
    ledger.handle(*prepared)


def _operations(ledger: Ledger) -> list[tuple[str, float, bool, Callable[[], Prepared]]]:
    """Label, units a cold process must read, whether it is stored, and what prepares it."""

    def placed(lines: int) -> str:
        outcome = ledger.handle(order(range(lines)), context())
        assert outcome.order is not None
        return outcome.order.order_id

    replayed = context()
    ledger.handle(order(range(3)), replayed)
    three = range(3)
    return [
        ("receipt, 1 position", 0.5, True, lambda: (receive(range(1), 5), context())),
        ("receipt, 40 positions", 20, True, lambda: (receive(range(40), 5), context())),
        ("order of 1 line", 0.5, True, lambda: (order(range(1)), context())),
        ("order of 3 lines", 1.5, True, lambda: (order(three), context())),
        ("order of 10 lines", 5, True, lambda: (order(range(10)), context())),
        ("shipment of 3 lines", 2.5, True, lambda: (ShipOrder(placed(3)), context())),
        ("cancellation of 3 lines", 2.5, True, lambda: (CancelOrder(placed(3)), context())),
        (
            "order of 3 lines, rejected",
            1.5,
            False,
            lambda: (order(three, quantity=10**9), context()),
        ),
        ("order of 3 lines, replayed", 1.5, False, lambda: (order(three), replayed)),
    ]
