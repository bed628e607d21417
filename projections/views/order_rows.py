"""Summaries of orders, folded from their events without keeping their lines.

A line moves between fates, but the sum over all lines moves by what the event names, so the unit
totals, the status and the task under way follow from the row before and the event alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, TypeVar

from typing_extensions import override

from ledger.codec import CorruptEvent, Recorded
from ledger.domain import events as e
from ledger.domain.order import OrderStatus, TaskKind, Totals
from ledger.domain.streams import is_order, parse_order
from ledger.domain.values import OrderPolicy
from projections.views.base import Key, View, made

Fields = dict[str, Any]
"""The fields of a row that is being folded. A row itself is never changed."""
F = TypeVar("F", bound=Callable[..., None])

_fates: Final = itemgetter(*Totals._fields)
ALLOCATING: Final = frozenset((e.OrderPlaced, e.OrderLinesAdded, e.OrderAllocated))
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
        return _totals(self.__dict__)


FOLDS: Final[dict[type[e.Event], Callable[[Any, Fields], None]]] = {}
"""What each kind of event changes in a row."""
_EMPTY: Final = vars(OrderRow("", "", ""))


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
        return self.fold_all(row, (recorded,))

    @override
    def fold_all(self, row: OrderRow | None, events: Sequence[Recorded]) -> OrderRow:
        if row is not None:
            fields = row.__dict__.copy()
        else:
            fields = _EMPTY.copy()
            fields["order_id"] = parse_order(events[0].stream)
            fields["placed_at"] = events[0].at
        for recorded in events:
            _change(fields, recorded)
        totals = _totals(fields)
        fields["status"] = totals.status.value
        fields["due_at"] = fields["expires_at"] if totals.open else None
        return made(OrderRow, fields)


def _change(row: Fields, recorded: Recorded) -> None:
    event = recorded.event
    kind = type(event)
    change = FOLDS.get(kind)
    if change is None:
        why = f"a {recorded.type} in an order's stream"
        raise CorruptEvent(recorded.stream, recorded.version, why)
    assert recorded.version == row["version"] + 1, "an order is folded in order"
    change(event, row)
    if kind in ALLOCATING:
        row["task"] = TaskKind.ALLOCATION.value if _totals(row).pending else None
    row["version"] = recorded.version
    row["updated_at"] = recorded.at


def _totals(row: Fields) -> Totals:
    return Totals._make(_fates(row))


def _folds(kind: type[e.Event]) -> Callable[[F], F]:
    """Enter what a kind of event changes."""

    def enter(change: F) -> F:
        FOLDS[kind] = change
        return change

    return enter


@_folds(e.OrderPlaced)
def _placed(event: e.OrderPlaced, row: Fields) -> None:
    row["customer"] = event.customer
    row["policy"] = event.policy.value
    row["expires_at"] = event.expires_at
    row["line_count"] = event.line_count
    row["ordered"] = _asked(event.lines)
    _allocated(event, row)


@_folds(e.OrderLinesAdded)
def _lines_added(event: e.OrderLinesAdded, row: Fields) -> None:
    row["ordered"] += _asked(event.lines)


@_folds(e.OrderAllocated)
def _allocated(event: e.OrderAllocated | e.OrderPlaced, row: Fields) -> None:
    reserved, backordered = _units(event.allocations)
    row["reserved"] += reserved
    row["backordered"] += backordered
    if event.unfilled:
        row["unfilled"] += sum([part.quantity for part in event.unfilled])


@_folds(e.OrderDeallocated)
def _deallocated(event: e.OrderDeallocated, row: Fields) -> None:
    _gone(row, event.released, "rejected")
    row["task"] = TaskKind.DEALLOCATION.value


@_folds(e.OrderRejected)
def _rejected(event: e.OrderRejected, row: Fields) -> None:
    if not row["version"]:
        row["customer"] = event.customer
        row["policy"] = (event.policy or OrderPolicy.ALL_OR_NOTHING).value
        row["line_count"] = event.line_count or len(event.lines)
        row["ordered"] = row["rejected"] = _asked(event.lines)
        return
    pending = _totals(row).pending
    _gone(row, event.released, "rejected")
    row["rejected"] += pending
    row["task"], row["task_units"] = None, 0


@_folds(e.BackorderAllocated)
def _backorder_allocated(event: e.BackorderAllocated, row: Fields) -> None:
    units = sum([part.reserved for part in event.allocations])
    row["reserved"] += units
    row["backordered"] -= units


@_folds(e.ShipmentStarted)
def _shipment_started(event: e.ShipmentStarted, row: Fields) -> None:
    units = row["reserved"]
    if event.lines is not None:
        units = sum([line.quantity for line in event.lines])
    row["task"], row["task_units"] = TaskKind.SHIPMENT.value, units


@_folds(e.OrderShipped)
def _shipped(event: e.OrderShipped, row: Fields) -> None:
    _progress(row, TaskKind.SHIPMENT, _gone(row, event.shipped, "shipped"))


@_folds(e.CancellationStarted)
def _cancellation_started(event: e.CancellationStarted, row: Fields) -> None:
    row["task"], row["task_units"] = TaskKind.CANCELLATION.value, event.units


@_folds(e.OrderCancelled)
def _cancelled(event: e.OrderCancelled, row: Fields) -> None:
    _progress(row, TaskKind.CANCELLATION, _gone(row, event.released, "cancelled"))


@_folds(e.ExpiryStarted)
def _expiry_started(_: e.ExpiryStarted, row: Fields) -> None:
    row["task"] = TaskKind.EXPIRY.value
    row["task_units"] = row["reserved"] + row["backordered"]


@_folds(e.OrderExpired)
def _expired(event: e.OrderExpired, row: Fields) -> None:
    _progress(row, TaskKind.EXPIRY, _gone(row, event.released, "expired"))


def _asked(lines: Iterable[e.OrderLine]) -> int:
    return sum([line.quantity for line in lines])


def _units(parts: Iterable[e.Allocation]) -> tuple[int, int]:
    """Reserved units, and units that wait."""
    reserved = backordered = 0
    for part in parts:
        reserved += part.reserved
        backordered += part.backordered
    return reserved, backordered


def _gone(row: Fields, parts: Sequence[e.Allocation], fate: str) -> int:
    """Open units, so many, came to their end: shipped, cancelled, expired or rejected."""
    reserved, backordered = _units(parts)
    row["reserved"] -= reserved
    row["backordered"] -= backordered
    row[fate] += reserved + backordered
    return reserved + backordered


def _progress(row: Fields, kind: TaskKind, units: int) -> None:
    """What `units` leave of the row's task. Work of another kind shows that the task ended: the
    ledger takes no other on an order while one is under way.
    """
    left = row["task_units"] - units if row["task"] == kind else 0
    if left <= 0:
        row["task"], left = None, 0
    row["task_units"] = left
