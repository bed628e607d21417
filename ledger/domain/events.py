"""The catalogue of events: frozen, past tense, the field's own words.

An event's name and schema version are stable and never a Python path. Fields that are added later
by a newer version of the product are kept (`extra="allow"`), so they survive a round trip.
Position events carry the `balance` after them, and `moves` says how each changes the balance
before it: verification recomputes the one from the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from ledger.domain.balance import Balance, Moves
from ledger.domain.values import (
    Count,
    Delta,
    Disposition,
    Id,
    Instant,
    LineNumber,
    Money,
    OrderPolicy,
    Quantity,
    Text,
)

Version = Annotated[int, Field(strict=True, ge=1)]

CATALOGUE: dict[str, type[Event]] = {}
"""Every event class by its stable name."""


class Event(BaseModel):
    """Base of all events."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: ClassVar[str]
    schema_version: ClassVar[int]


E = TypeVar("E", bound=type[Event])


def recorded_as(name: str, *, schema: int = 1) -> Callable[[E], E]:
    """Enter an event class into the catalogue under its stable name."""

    def enter(kind: E) -> E:
        if name in CATALOGUE:
            msg = f"two events are named {name}"
            raise TypeError(msg)
        kind.name, kind.schema_version = name, schema
        CATALOGUE[name] = kind
        return kind

    return enter


class PositionEvent(Event):
    """Something that happened to the stock of one SKU at one location."""

    balance: Balance

    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:  # noqa: ARG004 - a policy moves nothing
        """How an event with these fields changes the balance before it."""
        return Moves()


@recorded_as("StockReceived", schema=2)
class StockReceived(PositionEvent):
    """Goods came in. `cost` is the cost of one base unit."""

    quantity: Quantity
    cost: Money | None = None
    reference: Text | None = None

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(on_hand=fields["quantity"])


@recorded_as("StockAdjusted")
class StockAdjusted(PositionEvent):
    """The books were brought to what is really there (count, damage, theft, mistake)."""

    delta: Delta
    reason: Text
    reference: Text | None = None

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(on_hand=fields["delta"])


@recorded_as("StockReserved")
class StockReserved(PositionEvent):
    """Units were promised to an order."""

    order_id: Id
    quantity: Quantity

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(reserved=fields["quantity"])


@recorded_as("StockBackordered")
class StockBackordered(PositionEvent):
    """An order waits for `quantity` units; `reserved` more were promised to it at once.

    This event's version is the order's place in the position's queue.
    """

    order_id: Id
    quantity: Quantity
    reserved: Count = 0

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(backordered=fields["quantity"], reserved=fields.get("reserved", 0))


@recorded_as("BackorderPromoted")
class BackorderPromoted(PositionEvent):
    """Units that came free were reserved for the queue's head, the entry of version `entry`."""

    order_id: Id
    quantity: Quantity
    entry: Version

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(backordered=-fields["quantity"], reserved=fields["quantity"])


@recorded_as("ReservationReleased")
class ReservationReleased(PositionEvent):
    """An order gave back reserved units, and left the queue with `backordered` units."""

    order_id: Id
    quantity: Count
    backordered: Count = 0

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(reserved=-fields["quantity"], backordered=-fields.get("backordered", 0))


@recorded_as("ReservationExpired")
class ReservationExpired(ReservationReleased):
    """An order's time to live ended with units still reserved or waiting."""


@recorded_as("StockShipped")
class StockShipped(PositionEvent):
    """Reserved units left the building."""

    order_id: Id
    quantity: Quantity

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(on_hand=-fields["quantity"], reserved=-fields["quantity"])


@recorded_as("StockReturned")
class StockReturned(PositionEvent):
    """Goods came back: fit for sale (`restock`), or there but `damaged`."""

    quantity: Quantity
    disposition: Disposition
    order_id: Id | None = None
    reference: Text | None = None

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        quantity = fields["quantity"]
        damaged = fields["disposition"] == Disposition.DAMAGED
        return Moves(on_hand=quantity, damaged=quantity if damaged else 0)


@recorded_as("PositionPolicySet")
class PositionPolicySet(PositionEvent):
    """The position's policy changed; `balance` carries the policy in force."""

    low_stock_threshold: Count | None = None


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
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    line: LineNumber
    location: Id
    reserved: Count = 0
    backordered: Count = 0
    entry: Version | None = None


class LineQuantity(BaseModel):
    """Units of one line."""

    model_config = ConfigDict(frozen=True, extra="allow")

    line: LineNumber
    quantity: Quantity


class Shortfall(BaseModel):
    """Why a line could not be had: what was asked for and what was there at that moment."""

    model_config = ConfigDict(frozen=True, extra="allow")

    sku: Id
    requested: Quantity
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

    No `lines` means everything that is open.
    """

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
