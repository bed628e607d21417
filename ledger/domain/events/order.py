"""Events of orders, and the parts they are made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ledger.domain.events.base import Event, Version, recorded_as
from ledger.domain.trusted import trusted
from ledger.domain.values import Count, Id, Instant, LineNumber, OrderPolicy, Quantity, Text, Units


class OrderLine(BaseModel):
    """One line of an order as it was asked for."""

    model_config = ConfigDict(frozen=True, extra="allow")

    line: LineNumber
    sku: Id
    quantity: Quantity
    location: Id | None = None


class Allocation(BaseModel):
    """What one line got at one location: reserved units, and units waiting there.

    `entry` is the version of the `StockBackordered` that put the line into the position's queue.
    `lane` is the lane of the position that gave the units, if it isn't lane 0; it is said once,
    when they are allocated.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    line: LineNumber
    location: Id
    reserved: Count = 0
    backordered: Count = 0
    entry: Version | None = None
    lane: Version | None = None

    @classmethod
    def computed(
        cls,
        line: int,
        location: str,
        reserved: int,
        backordered: int = 0,
        *,
        entry: int | None = None,
        lane: int | None = None,
    ) -> Allocation:
        """An allocation of what is known of an order and its positions; not validated again."""
        fields = {"line": line, "location": location, "reserved": reserved}
        rest = {"backordered": backordered, "entry": entry, "lane": lane}
        return trusted(cls, {**fields, **rest})


class LineQuantity(BaseModel):
    """Units of one line."""

    model_config = ConfigDict(frozen=True, extra="allow")

    line: LineNumber
    quantity: Quantity


class Shortfall(BaseModel):
    """Why a line could not be had: what was asked for and what was there at that moment."""

    model_config = ConfigDict(frozen=True, extra="allow")

    sku: Id
    requested: Units
    available: Count
    location: Id | None = None
    lines: tuple[LineNumber, ...] = ()


class OrderEvent(Event):
    """Something that happened to one order."""


@recorded_as("OrderPlaced")
class OrderPlaced(OrderEvent):
    """An order was accepted.

    An order that fits one commit is allocated in it: `allocations` and `unfilled` account for
    every line. A larger one has `line_count` lines, is placed first (lines beyond the first event
    follow in `OrderLinesAdded`) and allocated in chunks (`OrderAllocated`).
    """

    policy: OrderPolicy
    line_count: LineNumber
    lines: tuple[OrderLine, ...]
    customer: Text | None = None
    expires_at: Instant | None = None
    allocations: tuple[Allocation, ...] = ()
    unfilled: tuple[LineQuantity, ...] = ()


@recorded_as("OrderLinesAdded")
class OrderLinesAdded(OrderEvent):
    """Further lines of an order that is being placed, in the commit that placed it."""

    lines: tuple[OrderLine, ...]


@recorded_as("OrderAllocated")
class OrderAllocated(OrderEvent):
    """One chunk of a large order was allocated."""

    allocations: tuple[Allocation, ...] = ()
    unfilled: tuple[LineQuantity, ...] = ()


@recorded_as("OrderDeallocated")
class OrderDeallocated(OrderEvent):
    """One chunk of a large order that ran short was given back, on the way to its rejection."""

    released: tuple[Allocation, ...]
    shortfalls: tuple[Shortfall, ...] = ()


@recorded_as("OrderRejected")
class OrderRejected(OrderEvent):
    """The order ran short and its policy takes no less: lost demand, with the reason.

    When it is the order's first event it carries the request; after `OrderPlaced` it carries the
    last units given back.
    """

    shortfalls: tuple[Shortfall, ...] = ()
    released: tuple[Allocation, ...] = ()
    policy: OrderPolicy | None = None
    customer: Text | None = None
    line_count: LineNumber | None = None
    lines: tuple[OrderLine, ...] = ()


@recorded_as("BackorderAllocated")
class BackorderAllocated(OrderEvent):
    """Units the order waited for at one location were reserved for it.

    Each allocation names a line and how many of its waiting units are `reserved` now.
    """

    allocations: tuple[Allocation, ...]


@recorded_as("ShipmentStarted")
class ShipmentStarted(OrderEvent):
    """A shipment too large for one commit began; `OrderShipped` chunks follow.

    No `lines` means everything that is reserved.
    """

    shipment_id: Id
    lines: tuple[LineQuantity, ...] | None = None
    reference: Text | None = None


@recorded_as("OrderShipped")
class OrderShipped(OrderEvent):
    """Reserved units of the order left; several events of one `shipment_id` are one shipment."""

    shipment_id: Id
    shipped: tuple[Allocation, ...]
    reference: Text | None = None


@recorded_as("CancellationStarted")
class CancellationStarted(OrderEvent):
    """A cancellation too large for one commit began; `OrderCancelled` chunks follow.

    `units` are the open units it gives back; no `lines` means those of every line.
    """

    units: Units
    lines: tuple[LineNumber, ...] | None = None
    reason: Text | None = None


@recorded_as("OrderCancelled")
class OrderCancelled(OrderEvent):
    """Open units of the order (reserved or waiting) were given back at the client's wish."""

    released: tuple[Allocation, ...]
    reason: Text | None = None


@recorded_as("ExpiryStarted")
class ExpiryStarted(OrderEvent):
    """An expiry too large for one commit began; `OrderExpired` chunks follow."""


@recorded_as("OrderExpired")
class OrderExpired(OrderEvent):
    """The order's time to live ended; open units were given back."""

    released: tuple[Allocation, ...]
