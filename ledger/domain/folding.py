"""The fold of an order's stream: `apply(order, event) -> order`, one small function per event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce, singledispatch
from typing import TypeVar

from ledger.domain import events as e
from ledger.domain.errors import LawBroken
from ledger.domain.order import Line, Order, Shipment, Task, TaskKind

P = TypeVar("P", e.Allocation, e.LineQuantity)


def fold(order_id: str, events: Iterable[e.Event]) -> Order:
    """The order its events tell of, oldest first."""
    return reduce(apply, events, Order(order_id))


def apply(order: Order, event: e.Event) -> Order:
    """The order once `event` is recorded; its laws are asserted.

    Raises
    ------
    LawBroken
        The event contradicts the order: a corrupted or reordered history.
    """
    after = _apply(event, order)
    if not after.lines:
        msg = f"order {order.order_id} has no lines: nothing placed it before {event.name}"
        raise LawBroken(msg)
    return after._replace(version=order.version + 1)


@singledispatch
def _apply(event: e.Event, order: Order) -> Order:
    msg = f"order {order.order_id} can't take a {type(event).__name__}"
    raise LawBroken(msg)


@_apply.register
def _placed(event: e.OrderPlaced, order: Order) -> Order:
    if order.version:
        msg = f"order {order.order_id} was placed before"
        raise LawBroken(msg)
    order = order._replace(
        customer=event.customer,
        policy=event.policy,
        expires_at=event.expires_at,
        lines=_asked(event.lines),
    )
    order = _unfilled(_allocated(order, event.allocations), event.unfilled)
    return _still_allocating(order)


@_apply.register
def _lines_added(event: e.OrderLinesAdded, order: Order) -> Order:
    return _still_allocating(order._replace(lines={**order.lines, **_asked(event.lines)}))


@_apply.register
def _chunk_allocated(event: e.OrderAllocated, order: Order) -> Order:
    order = _unfilled(_allocated(order, event.allocations), event.unfilled)
    return _still_allocating(order)


@_apply.register
def _deallocated(event: e.OrderDeallocated, order: Order) -> Order:
    order = _released(order, event.released, "rejected")
    shortfalls = order.shortfalls or event.shortfalls
    return order._replace(shortfalls=shortfalls, task=Task(TaskKind.DEALLOCATION))


@_apply.register
def _rejected(event: e.OrderRejected, order: Order) -> Order:
    if not order.lines:
        policy = event.policy or order.policy
        lines = _asked(event.lines)
        order = order._replace(customer=event.customer, policy=policy, lines=lines)
    order = _released(order, event.released, "rejected")
    lines = {
        number: line._replace(rejected=line.rejected + line.pending)
        for number, line in order.lines.items()
    }
    shortfalls = order.shortfalls or event.shortfalls
    return order._replace(lines=lines, shortfalls=shortfalls, task=None)


@_apply.register
def _backorder_allocated(event: e.BackorderAllocated, order: Order) -> Order:
    return _each(
        order,
        event.allocations,
        lambda line, a: line.moved(a.location, reserved=a.reserved, backordered=-a.reserved),
    )


@_apply.register
def _shipment_started(event: e.ShipmentStarted, order: Order) -> Order:
    if event.lines is None:
        wanted = {n: line.reserved for n, line in order.lines.items() if line.reserved}
    else:
        wanted = {line.line: line.quantity for line in event.lines}
    _known(order, wanted)
    remaining = _remaining(order.pick(wanted))
    task = Task(TaskKind.SHIPMENT, remaining, event.shipment_id, event.reference)
    return order._replace(task=task)


@_apply.register
def _shipped(event: e.OrderShipped, order: Order) -> Order:
    order = _each(
        order,
        event.shipped,
        lambda line, a: line.moved(a.location, reserved=-a.reserved, shipped=a.reserved),
    )
    units = sum(a.reserved for a in event.shipped)
    shipments = list(order.shipments)
    if shipments and shipments[-1].shipment_id == event.shipment_id:
        shipments[-1] = shipments[-1]._replace(units=shipments[-1].units + units)
    else:
        shipments.append(Shipment(event.shipment_id, units, event.reference))
    return _progress(order._replace(shipments=tuple(shipments)), event.shipped)


@_apply.register
def _cancellation_started(event: e.CancellationStarted, order: Order) -> Order:
    _known(order, event.lines or ())
    remaining = _remaining(order.open_places(event.lines))
    return order._replace(task=Task(TaskKind.CANCELLATION, remaining, note=event.reason))


@_apply.register
def _cancelled(event: e.OrderCancelled, order: Order) -> Order:
    return _progress(_released(order, event.released, "cancelled"), event.released)


@_apply.register
def _expiry_started(_: e.ExpiryStarted, order: Order) -> Order:
    return order._replace(task=Task(TaskKind.EXPIRY, _remaining(order.open_places())))


@_apply.register
def _expired(event: e.OrderExpired, order: Order) -> Order:
    return _progress(_released(order, event.released, "expired"), event.released)


def _asked(lines: Iterable[e.OrderLine]) -> dict[int, Line]:
    return {line.line: Line(line.line, line.sku, line.quantity, line.location) for line in lines}


def _known(order: Order, lines: Iterable[int]) -> None:
    for line in lines:
        if line not in order.lines:
            msg = f"order {order.order_id} has no line {line}"
            raise LawBroken(msg)


def _each(order: Order, parts: Sequence[P], change: Callable[[Line, P], Line]) -> Order:
    """The order with every named line changed, each asserted to add up."""
    _known(order, [part.line for part in parts])
    lines = dict(order.lines)
    for part in parts:
        line = change(lines[part.line], part)
        line.check()
        lines[part.line] = line
    return order._replace(lines=lines)


def _allocated(order: Order, allocations: Sequence[e.Allocation]) -> Order:
    return _each(
        order,
        allocations,
        lambda line, a: line.moved(
            a.location,
            reserved=a.reserved,
            backordered=a.backordered,
            entry=a.entry,
            lane=a.lane or 0,
        ),
    )


def _unfilled(order: Order, unfilled: Sequence[e.LineQuantity]) -> Order:
    if not unfilled:
        return order
    return _each(
        order, unfilled, lambda line, u: line._replace(unfilled=line.unfilled + u.quantity)
    )


def _released(order: Order, released: Sequence[e.Allocation], fate: str) -> Order:
    def release(line: Line, a: e.Allocation) -> Line:
        line = line.moved(a.location, reserved=-a.reserved, backordered=-a.backordered)
        fated = getattr(line, fate) + a.reserved + a.backordered
        return line._replace(**{fate: fated})

    return _each(order, released, release)


def _remaining(parts: Iterable[e.Allocation]) -> dict[tuple[int, str], tuple[int, int]]:
    return {(part.line, part.location): (part.reserved, part.backordered) for part in parts}


def _progress(order: Order, done: Sequence[e.Allocation]) -> Order:
    """The order with `done` taken off its task; the task ends when nothing remains."""
    if order.task is None:
        return order
    remaining = dict(order.task.remaining)
    for part in done:
        remaining.pop((part.line, part.location), None)
    return order._replace(task=order.task._replace(remaining=remaining) if remaining else None)


def _still_allocating(order: Order) -> Order:
    """The order with an allocation task as long as a line is pending."""
    pending = any(line.pending for line in order.lines.values())
    task = Task(TaskKind.ALLOCATION) if pending else None
    return order if task == order.task else order._replace(task=task)
