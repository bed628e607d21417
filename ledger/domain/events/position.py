"""Events of positions: each carries the `balance` after it and says what it `moves`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from ledger.domain.balance import Balance, Lanes, Moves
from ledger.domain.events.base import Event, Version, recorded_as
from ledger.domain.values import (
    Count,
    Delta,
    Disposition,
    Id,
    Money,
    Quantity,
    SignedUnits,
    Text,
    Units,
)


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
    quantity: Units

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
    quantity: Units
    reserved: Count = 0

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(backordered=fields["quantity"], reserved=fields.get("reserved", 0))


@recorded_as("BackorderPromoted")
class BackorderPromoted(PositionEvent):
    """Units that came free were reserved for the queue's head, the entry of version `entry`."""

    order_id: Id
    quantity: Units
    entry: Version

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(backordered=-fields["quantity"], reserved=fields["quantity"])


@recorded_as("ReservationReleased")
class ReservationReleased(PositionEvent):
    """An order gave back reserved units, and left the queue with `backordered` units.

    On a closed lane the units don't stay: `escrowed` of them go to lane 0 in the same commit.
    """

    order_id: Id
    quantity: Count
    backordered: Count = 0
    escrowed: Count | None = None

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        escrowed = fields.get("escrowed") or 0
        return Moves(
            on_hand=-escrowed,
            reserved=-fields["quantity"],
            backordered=-fields.get("backordered", 0),
            escrowed=-escrowed,
        )


@recorded_as("ReservationExpired")
class ReservationExpired(ReservationReleased):
    """An order's time to live ended with units still reserved or waiting."""


@recorded_as("StockShipped")
class StockShipped(PositionEvent):
    """Reserved units left the building."""

    order_id: Id
    quantity: Units

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


@recorded_as("StockEscrowed")
class StockEscrowed(PositionEvent):
    """Units came to this lane from other lanes of its position, or (below 0) went there.

    The other side is in the same commit: over the lanes it moves nothing.
    """

    delta: SignedUnits

    @override
    @staticmethod
    def moves(fields: Mapping[str, Any]) -> Moves:
        return Moves(on_hand=fields["delta"], escrowed=fields["delta"])


@recorded_as("PositionLanesSet")
class PositionLanesSet(StockEscrowed):
    """How the position is split changed; every lane has this event in the same commit.

    `balance` carries what is in force; `delta` is how many free units this lane got (or gave).
    """

    lanes: Lanes
