"""An order: its lines, what each line got where, and what became of it.

The order's stream says *who* holds which units; positions only count them. Every unit of a line is
at any time exactly one of: pending (not decided yet), reserved, backordered, shipped, cancelled,
expired, rejected or unfilled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from ledger.domain.errors import LawBroken
from ledger.domain.events import Allocation, Shortfall
from ledger.domain.streams import order_stream, stock_stream
from ledger.domain.values import OrderPolicy


class OrderStatus(StrEnum):
    """What an order is, in one word."""

    ALLOCATING = "allocating"
    ALLOCATED = "allocated"
    BACKORDERED = "backordered"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class TaskKind(StrEnum):
    """Work of a large order that takes several commits."""

    ALLOCATION = "allocation"
    DEALLOCATION = "deallocation"
    SHIPMENT = "shipment"
    CANCELLATION = "cancellation"
    EXPIRY = "expiry"


class Place(NamedTuple):
    """What one line holds at one location."""

    reserved: int = 0
    backordered: int = 0
    shipped: int = 0
    entry: int | None = None
    """Version of the line's entry in the position's backorder queue."""
    lane: int = 0
    """The position's lane that holds the units."""


class Line(NamedTuple):
    """One line: what was asked for and every unit's fate."""

    line: int
    sku: str
    quantity: int
    location: str | None = None
    places: Mapping[str, Place] = MappingProxyType({})
    unfilled: int = 0
    cancelled: int = 0
    expired: int = 0
    rejected: int = 0

    @property
    def reserved(self) -> int:
        """Units promised to the line and not shipped yet."""
        return sum(place.reserved for place in self.places.values())

    @property
    def backordered(self) -> int:
        """Units the line waits for."""
        return sum(place.backordered for place in self.places.values())

    @property
    def shipped(self) -> int:
        """Units that left."""
        return sum(place.shipped for place in self.places.values())

    @property
    def open(self) -> int:
        """Units that can still be shipped or cancelled."""
        return self.reserved + self.backordered

    @property
    def pending(self) -> int:
        """Units whose allocation is not decided yet."""
        pending = self.quantity - self.unfilled - self.cancelled - self.expired - self.rejected
        for place in self.places.values():
            pending -= place.reserved + place.backordered + place.shipped
        return pending

    @property
    def closed(self) -> int:
        """Units that will never ship."""
        return self.unfilled + self.cancelled + self.expired + self.rejected

    def moved(
        self,
        location: str,
        *,
        reserved: int = 0,
        backordered: int = 0,
        shipped: int = 0,
        entry: int | None = None,
        lane: int | None = None,
    ) -> Line:
        """The line with signed changes to what it holds at a location."""
        place = self.places.get(location) or Place(lane=lane or 0)
        if lane is not None and lane != place.lane:
            msg = f"line {self.line} would hold units of two lanes at {location}"
            raise LawBroken(msg)
        reserved, backordered = place.reserved + reserved, place.backordered + backordered
        shipped = place.shipped + shipped
        if reserved < 0 or backordered < 0 or shipped < 0:
            msg = f"line {self.line} would hold less than nothing at {location}"
            raise LawBroken(msg)
        entry = place.entry if entry is None else entry
        held = Place(reserved, backordered, shipped, entry, place.lane)
        places = {**self.places, location: held}
        return Line(
            self.line,
            self.sku,
            self.quantity,
            self.location,
            places,
            self.unfilled,
            self.cancelled,
            self.expired,
            self.rejected,
        )

    def check(self) -> None:
        """Assert that every unit has exactly one fate."""
        if self.pending < 0:
            msg = f"line {self.line}: more units accounted for than the {self.quantity} ordered"
            raise LawBroken(msg)


class Shipment(NamedTuple):
    """One shipment of an order, over all its events."""

    shipment_id: str
    units: int
    reference: str | None


class Task(NamedTuple):
    """Work under way: what of each line and location is still to be done (reserved, waiting)."""

    kind: TaskKind
    remaining: Mapping[tuple[int, str], tuple[int, int]] = MappingProxyType({})
    shipment_id: str | None = None
    note: str | None = None
    """The shipment's reference, or the cancellation's reason."""


class Totals(NamedTuple):
    """Units of an order by fate, over all its lines."""

    ordered: int = 0
    reserved: int = 0
    backordered: int = 0
    shipped: int = 0
    unfilled: int = 0
    cancelled: int = 0
    expired: int = 0
    rejected: int = 0

    @property
    def open(self) -> int:
        """Units that can still be shipped or cancelled."""
        return self.reserved + self.backordered

    @property
    def pending(self) -> int:
        """Units whose allocation is not decided yet."""
        ordered, *fates = self
        return ordered - sum(fates)

    @property
    def status(self) -> OrderStatus:
        """The order's status. One rule for the order itself and for every view of it."""
        ordered, reserved, backordered, shipped, unfilled, _, expired, rejected = self
        if rejected + unfilled == ordered:
            return OrderStatus.REJECTED
        if self.pending:
            return OrderStatus.ALLOCATING
        if reserved + backordered:
            if shipped:
                return OrderStatus.PARTIALLY_SHIPPED
            return OrderStatus.BACKORDERED if backordered else OrderStatus.ALLOCATED
        if shipped:
            return OrderStatus.SHIPPED
        return OrderStatus.EXPIRED if expired else OrderStatus.CANCELLED


class Order(NamedTuple):
    """State of an order: the fold of its stream."""

    order_id: str
    version: int = 0
    customer: str | None = None
    policy: OrderPolicy = OrderPolicy.ALL_OR_NOTHING
    expires_at: str | None = None
    lines: Mapping[int, Line] = MappingProxyType({})
    shipments: tuple[Shipment, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    task: Task | None = None

    @property
    def stream(self) -> str:
        """The order's stream id."""
        return order_stream(self.order_id)

    @property
    def totals(self) -> Totals:
        """Units by fate."""
        lines = self.lines.values()
        return Totals(
            ordered=sum(line.quantity for line in lines),
            reserved=sum(line.reserved for line in lines),
            backordered=sum(line.backordered for line in lines),
            shipped=sum(line.shipped for line in lines),
            unfilled=sum(line.unfilled for line in lines),
            cancelled=sum(line.cancelled for line in lines),
            expired=sum(line.expired for line in lines),
            rejected=sum(line.rejected for line in lines),
        )

    @property
    def status(self) -> OrderStatus:
        """The order's status."""
        return self.totals.status

    def stream_of(self, part: Allocation) -> str:
        """The stream of the position, or of its lane, that holds a part of the order."""
        line = self.lines[part.line]
        return stock_stream(line.sku, part.location, line.places[part.location].lane)

    def holdings(self) -> Iterable[tuple[str, int, int, int]]:
        """(stream that holds them, reserved, backordered, shipped) of each line's every place."""
        for line in self.lines.values():
            for location, place in line.places.items():
                stream = stock_stream(line.sku, location, place.lane)
                yield stream, place.reserved, place.backordered, place.shipped

    def open_places(self, lines: Iterable[int] | None = None) -> list[Allocation]:
        """What the given lines (None: all) still hold or wait for, sorted by position."""
        chosen = self.lines.values() if lines is None else [self.lines[n] for n in lines]
        found = [
            (line.sku, location, line.line, place)
            for line in chosen
            for location, place in line.places.items()
            if place.reserved or place.backordered
        ]
        return [
            Allocation.computed(number, location, place.reserved, place.backordered)
            for _, location, number, place in sorted(found)
        ]

    def pick(self, wanted: Mapping[int, int]) -> list[Allocation]:
        """Which reserved units to take for `wanted` units of each line, sorted by position.

        A line's locations are drained in the order they were allocated. The caller has checked
        that each line has that many reserved.
        """
        picked = []
        for number, quantity in wanted.items():
            line, left = self.lines[number], quantity
            for location, place in line.places.items():
                take = min(left, place.reserved)
                if take:
                    picked.append((line.sku, location, number, take))
                    left -= take
        return [
            Allocation.computed(number, location, take)
            for _, location, number, take in sorted(picked)
        ]
