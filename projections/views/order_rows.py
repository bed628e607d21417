"""Summaries of orders, folded from their events without keeping their lines.

A line moves between fates, but the sum over all lines moves by what the event names, so the unit
totals, the status and the task under way follow from the row before and the event alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from operator import itemgetter
from typing import Any, Final

from typing_extensions import override

from ledger.codec import CorruptEvent, Recorded
from ledger.domain import events as e
from ledger.domain.order import OrderStatus, TaskKind, Totals
from ledger.domain.streams import is_order, parse_order
from ledger.domain.values import OrderPolicy
from projections.views.base import Key, View

Changes = dict[str, Any]
"""Fields of a row with their new values."""

FATES: Final = Totals._fields
_fates: Final = itemgetter(*FATES)
ALLOCATING: Final = (e.OrderPlaced, e.OrderLinesAdded, e.OrderAllocated)
"""Events that leave an order allocating for as long as units are pending."""


@dataclass(frozen=True)
class OrderRow:
    """Summary of an order; units by fate are sums over its lines."""

    order_id: str
    placed_at: str
    updated_at: str
    version: int = 0
    customer: str | None = None
    policy: str = OrderPolicy.ALL_OR_NOTHING.value
    status: str = OrderStatus.ALLOCATING.value
    expires_at: str | None = None
    due_at: str | None = None
    """`expires_at` as long as units are open, so that orders that fall due are found by it."""
    line_count: int = 0
    ordered: int = 0
    reserved: int = 0
    backordered: int = 0
    shipped: int = 0
    unfilled: int = 0
    cancelled: int = 0
    expired: int = 0
    rejected: int = 0
    task: str | None = None
    """Kind of the task under way (see `TaskKind`)."""
    task_units: int = 0
    """Units a shipment, cancellation or expiry under way has left."""

    @property
    def totals(self) -> Totals:
        """Units by fate."""
        return Totals(*(getattr(self, fate) for fate in FATES))


class OrderRows(View[OrderRow]):
    """A view with the summary of every order; each lists them in its own way."""

    row = OrderRow
    key_fields = ("order_id",)

    @override
    def feeds(self, stream: str) -> bool:
        return is_order(stream)

    @override
    def key(self, stream: str) -> Key:
        return (parse_order(stream),)

    @override
    def fold(self, row: OrderRow | None, recorded: Recorded) -> OrderRow:
        event = recorded.event
        if not isinstance(event, e.OrderEvent):
            why = f"a {recorded.type} in an order's stream"
            raise CorruptEvent(recorded.stream, recorded.version, why)
        before = row or OrderRow(parse_order(recorded.stream), recorded.at, recorded.at)
        assert recorded.version == before.version + 1, "an order is folded in order"
        after = {**before.__dict__, **_apply(event, before)}
        totals = Totals._make(_fates(after))
        if isinstance(event, ALLOCATING):
            after["task"] = TaskKind.ALLOCATION.value if totals.pending else None
        after["version"] = recorded.version
        after["updated_at"] = recorded.at
        after["status"] = totals.status.value
        after["due_at"] = after["expires_at"] if totals.open else None
        # `replace` sets every field through the frozen class: half of all time of a replay.
        folded = object.__new__(OrderRow)
        folded.__dict__.update(after)
        return folded


@singledispatch
def _apply(event: e.OrderEvent, row: OrderRow) -> Changes:
    """The fields that an event changes."""
    msg = f"order {row.order_id}: the view can't fold a {type(event).__name__}"
    raise TypeError(msg)


@_apply.register
def _placed(event: e.OrderPlaced, row: OrderRow) -> Changes:
    return {
        "customer": event.customer,
        "policy": event.policy.value,
        "expires_at": event.expires_at,
        "line_count": event.line_count,
        "ordered": _asked(event.lines),
        **_allocated(row, event.allocations, event.unfilled),
    }


@_apply.register
def _lines_added(event: e.OrderLinesAdded, row: OrderRow) -> Changes:
    return {"ordered": row.ordered + _asked(event.lines)}


@_apply.register
def _chunk_allocated(event: e.OrderAllocated, row: OrderRow) -> Changes:
    return _allocated(row, event.allocations, event.unfilled)


@_apply.register
def _deallocated(event: e.OrderDeallocated, row: OrderRow) -> Changes:
    return {**_gone(row, event.released, "rejected"), "task": TaskKind.DEALLOCATION.value}


@_apply.register
def _rejected(event: e.OrderRejected, row: OrderRow) -> Changes:
    if not row.version:
        asked = _asked(event.lines)
        return {
            "customer": event.customer,
            "policy": (event.policy or OrderPolicy.ALL_OR_NOTHING).value,
            "line_count": event.line_count or len(event.lines),
            "ordered": asked,
            "rejected": asked,
        }
    changes = _gone(row, event.released, "rejected")
    rejected = changes["rejected"] + row.totals.pending
    return {**changes, "rejected": rejected, "task": None, "task_units": 0}


@_apply.register
def _backorder_allocated(event: e.BackorderAllocated, row: OrderRow) -> Changes:
    units = sum(a.reserved for a in event.allocations)
    return {"reserved": row.reserved + units, "backordered": row.backordered - units}


@_apply.register
def _shipment_started(event: e.ShipmentStarted, row: OrderRow) -> Changes:
    units = row.reserved
    if event.lines is not None:
        units = sum(line.quantity for line in event.lines)
    return {"task": TaskKind.SHIPMENT.value, "task_units": units}


@_apply.register
def _shipped(event: e.OrderShipped, row: OrderRow) -> Changes:
    changes = _gone(row, event.shipped, "shipped")
    return {**changes, **_progress(row, TaskKind.SHIPMENT, event.shipped)}


@_apply.register
def _cancellation_started(event: e.CancellationStarted, _: OrderRow) -> Changes:
    return {"task": TaskKind.CANCELLATION.value, "task_units": event.units}


@_apply.register
def _cancelled(event: e.OrderCancelled, row: OrderRow) -> Changes:
    changes = _gone(row, event.released, "cancelled")
    return {**changes, **_progress(row, TaskKind.CANCELLATION, event.released)}


@_apply.register
def _expiry_started(_: e.ExpiryStarted, row: OrderRow) -> Changes:
    return {"task": TaskKind.EXPIRY.value, "task_units": row.totals.open}


@_apply.register
def _expired(event: e.OrderExpired, row: OrderRow) -> Changes:
    changes = _gone(row, event.released, "expired")
    return {**changes, **_progress(row, TaskKind.EXPIRY, event.released)}


def _asked(lines: Iterable[e.OrderLine]) -> int:
    return sum(line.quantity for line in lines)


def _units(parts: Iterable[e.Allocation]) -> int:
    return sum(part.reserved + part.backordered for part in parts)


def _allocated(
    row: OrderRow, allocations: Sequence[e.Allocation], unfilled: Sequence[e.LineQuantity]
) -> Changes:
    return {
        "reserved": row.reserved + sum(a.reserved for a in allocations),
        "backordered": row.backordered + sum(a.backordered for a in allocations),
        "unfilled": row.unfilled + sum(part.quantity for part in unfilled),
    }


def _gone(row: OrderRow, parts: Sequence[e.Allocation], fate: str) -> Changes:
    """Open units that came to their end: shipped, cancelled, expired or rejected."""
    reserved, backordered = sum(p.reserved for p in parts), sum(p.backordered for p in parts)
    return {
        "reserved": row.reserved - reserved,
        "backordered": row.backordered - backordered,
        fate: getattr(row, fate) + reserved + backordered,
    }


def _progress(row: OrderRow, kind: TaskKind, parts: Sequence[e.Allocation]) -> Changes:
    """What `parts` leave of the row's task. Work of another kind shows that the task ended: the
    ledger takes no other on an order while one is under way.
    """
    left = row.task_units - _units(parts) if row.task == kind else 0
    return {"task": row.task if left > 0 else None, "task_units": max(0, left)}
