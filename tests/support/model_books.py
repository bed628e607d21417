"""What the model keeps: who holds and awaits which units. Everything else is counted from that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Spot = tuple[str, str]
"""A SKU and a location."""

Written = list[tuple[str, int, str]]
"""Stream, version and type of the events of a commit."""

Limit = tuple[str, str | None, int, int]
"""A shortfall: SKU, named location, units asked for, units that could be had."""

BalanceTold = tuple[int, int, int, int, int | None]
"""On hand, reserved, backordered, damaged, and the low-stock threshold."""

FATES = ("unfilled", "cancelled", "expired", "rejected")


class Refused(Exception):
    """The model says no: `what` is the refusal's name and what it tells."""

    def __init__(self, *what: object) -> None:
        self.what = what
        super().__init__(*what)


@dataclass
class Answer:
    """What a command answers. `order` is the order as it stood then (see `Books.snapshot`)."""

    refusal: tuple[object, ...] = ()
    written: Written = field(default_factory=list)
    order: dict[str, Any] | None = None


@dataclass
class Waiting:
    """One entry of a position's queue: an order and what each of its lines waits for."""

    order_id: str
    lines: dict[int, int]

    @property
    def units(self) -> int:
        """Units the entry waits for."""
        return sum(self.lines.values())


@dataclass
class Stock:
    """What is physically at a position, and who queues for it, first come first."""

    on_hand: int = 0
    damaged: int = 0
    threshold: int | None = None
    queue: list[Waiting] = field(default_factory=list)

    @property
    def backordered(self) -> int:
        """Units the queue waits for."""
        return sum(entry.units for entry in self.queue)

    def awaited(self, order_id: str, number: int) -> int:
        """Units one line of an order waits for."""
        return sum(e.lines.get(number, 0) for e in self.queue if e.order_id == order_id)

    def leave(self, order_id: str, number: int) -> int:
        """Take one line of an order out of the queue; answers the units it waited for."""
        units = self.awaited(order_id, number)
        for entry in self.queue:
            if entry.order_id == order_id:
                entry.lines.pop(number, None)
        self.queue = [entry for entry in self.queue if entry.units]
        return units


@dataclass
class AskedLine:
    """One line: what was asked for, where units are held or left from, and the other fates."""

    sku: str
    quantity: int
    location: str | None
    reserved: Counter[str] = field(default_factory=Counter)
    shipped: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)


@dataclass
class AskedOrder:
    """An order and its lines by number."""

    order_id: str
    policy: str
    customer: str | None
    lines: dict[int, AskedLine]
    expires_at: datetime | None = None
    shortfalls: list[Limit] = field(default_factory=list)


@dataclass
class Books:
    """All positions and orders, and how many events each stream has."""

    candidates: Sequence[str]
    stock: dict[Spot, Stock] = field(default_factory=dict)
    orders: dict[str, AskedOrder] = field(default_factory=dict)
    versions: Counter[str] = field(default_factory=Counter)

    def at(self, sku: str, location: str) -> Stock:
        """The stock of a position."""
        return self.stock.setdefault((sku, location), Stock())

    def reserved(self, sku: str, location: str) -> int:
        """Units that orders hold at a position."""
        lines = [line for order in self.orders.values() for line in order.lines.values()]
        return sum(line.reserved[location] for line in lines if line.sku == sku)

    def free(self, sku: str, location: str) -> int:
        """Units that are fit for sale and promised to nobody."""
        spot = self.at(sku, location)
        return spot.on_hand - spot.damaged - self.reserved(sku, location)

    def write(self, stream: str, kind: str) -> Written:
        """One more event in a stream."""
        self.versions[stream] += 1
        return [(stream, self.versions[stream], kind)]

    def write_all(self, order_id: str, what: str, movements: dict[Spot, str]) -> Written:
        """A commit about an order: its event, then one movement per position."""
        written = self.write(f"order:{order_id}", what)
        streams = {f"stock:{sku}@{at}": kind for (sku, at), kind in movements.items()}
        for stream in sorted(streams):
            written += self.write(stream, streams[stream])
        return written

    def balances(self) -> dict[str, BalanceTold]:
        """The balances of positions with history."""
        return {
            stream: (
                spot.on_hand,
                self.reserved(sku, location),
                spot.backordered,
                spot.damaged,
                spot.threshold,
            )
            for (sku, location), spot in self.stock.items()
            if self.versions[stream := f"stock:{sku}@{location}"]
        }

    def snapshot(self, order_id: str) -> dict[str, Any]:
        """An order in plain values: every unit's fate, zeroes left out."""
        order = self.orders[order_id]
        return {
            "order_id": order_id,
            "policy": order.policy,
            "customer": order.customer,
            "expires_at": order.expires_at,
            "status": self.status(order_id),
            "shortfalls": sorted(order.shortfalls, key=repr),
            "lines": {n: self._line(order, n) for n in order.lines},
        }

    def _line(self, order: AskedOrder, number: int) -> dict[str, Any]:
        line = order.lines[number]
        waits = {
            location: units
            for (sku, location), spot in self.stock.items()
            if sku == line.sku and (units := spot.awaited(order.order_id, number))
        }
        return {
            "asked": (line.sku, line.quantity, line.location),
            "reserved": dict(+line.reserved),
            "backordered": waits,
            "shipped": dict(+line.shipped),
            **{fate: line.fates[fate] for fate in FATES},
        }

    def status(self, order_id: str) -> str:
        """What became of an order, in one word."""
        order = self.orders[order_id]
        lines = [self._line(order, number) for number in order.lines]
        held = any(line["reserved"] for line in lines)
        waits = any(line["backordered"] for line in lines)
        shipped = any(line["shipped"] for line in lines)
        if held or waits:
            if shipped:
                return "partially_shipped"
            return "backordered" if waits else "allocated"
        if shipped:
            return "shipped"
        if any(line["expired"] for line in lines):
            return "expired"
        return "cancelled" if any(line["cancelled"] for line in lines) else "rejected"
