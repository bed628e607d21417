"""The steps by which work too large for one commit goes on, and the work that time and stock cause.

Every step is decided from the order's stream alone, so whoever finds an order with a task can
finish it: a crash between two commits loses nothing, and two that try do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain import events as e
from ledger.domain.allocation import next_lines, next_parts, part_streams, settle
from ledger.domain.allocation import streams_of as streams_of_lines
from ledger.domain.errors import LawBroken, OrderBusy
from ledger.domain.order import Order, Task, TaskKind
from ledger.domain.position import Position
from ledger.domain.streams import stock_stream
from ledger.domain.values import OrderPolicy
from ledger.service.decisions import Drafts, Rules, cancelled, holders, released, shipped
from ledger.service.offers import allocated, fits
from ledger.service.session import Session


def step(order_id: str, session: Session, rules: Rules) -> Drafts:
    """The next commit of the order's task; nothing if no task is open."""
    order = session.order(order_id)
    if order is None or order.task is None:
        return []
    match order.task.kind:
        case TaskKind.ALLOCATION:
            return _allocate(order, session, rules)
        case TaskKind.DEALLOCATION:
            return _reject(order, session, ())
        case TaskKind.SHIPMENT:
            parts = next_parts(order, _remaining(order, order.task))
            shipment_id = order.task.shipment_id or order_id
            return shipped(order, session, parts, shipment_id, order.task.note)
        case TaskKind.CANCELLATION:
            parts = next_parts(order, _remaining(order, order.task))
            return cancelled(order, session, parts, order.task.note)
        case TaskKind.EXPIRY:
            parts = next_parts(order, _remaining(order, order.task))
            return _expired(order, session, parts)


def step_streams(order: Order, rules: Rules) -> list[str]:
    """The positions the order's next step may touch."""
    if order.task is None:
        return []
    if order.task.kind is TaskKind.ALLOCATION:
        return streams_of_lines(next_lines(order.lines.values(), rules.locations), rules.locations)
    parts = _remaining(order, order.task) or order.open_places()
    return part_streams(order, next_parts(order, parts))


def _remaining(order: Order, task: Task) -> list[e.Allocation]:
    """What a task has still to do, sorted by position."""
    return [
        e.Allocation(line=number, location=location, reserved=reserved, backordered=waiting)
        for (number, location), (reserved, waiting) in sorted(
            task.remaining.items(), key=lambda item: (order.lines[item[0][0]].sku, item[0][1])
        )
    ]


def _allocate(order: Order, session: Session, rules: Rules) -> Drafts:
    """Allocate the next chunk, cut smaller if its positions are in lanes that take more events."""
    lines = next_lines(order.lines.values(), rules.locations)
    while True:
        plan, movements, _ = allocated(
            order.order_id, order.policy, lines, session, rules.locations
        )
        if len(lines) == 1 or fits(movements, session):
            break
        session.unmoved.clear()
        most = len(streams_of_lines(lines, rules.locations)) // 2
        smaller = next_lines(order.lines.values(), rules.locations, max(1, most))
        lines = smaller if len(smaller) < len(lines) else lines[: len(lines) // 2]
    if plan.shortfalls and order.policy == OrderPolicy.ALL_OR_NOTHING:
        return _reject(order, session, plan.shortfalls)
    last = len(lines) == sum(1 for line in order.lines.values() if line.pending)
    if last and not plan.allocations and not order.totals.open:
        return [(order.stream, e.OrderRejected(shortfalls=plan.shortfalls)), *movements]
    event = e.OrderAllocated(allocations=plan.allocations, unfilled=plan.unfilled)
    return [(order.stream, event), *movements]


def _reject(order: Order, session: Session, shortfalls: Sequence[e.Shortfall]) -> Drafts:
    """Give back what was allocated so far, chunk by chunk; the last chunk rejects the order."""
    parts = order.open_places()
    chunk = next_parts(order, parts)
    while not fits(movements := released(order, session, chunk), session) and len(chunk) > 1:
        chunk = chunk[: len(chunk) // 2]
    found = tuple(shortfalls)
    event: e.OrderEvent
    if len(chunk) < len(parts):
        event = e.OrderDeallocated(released=tuple(chunk), shortfalls=found)
    else:
        event = e.OrderRejected(released=tuple(chunk), shortfalls=found or order.shortfalls)
    return [(order.stream, event), *movements]


def expire(order_id: str, session: Session, now: str) -> Drafts:
    """What is open of an order whose time to live has ended is given back."""
    order = session.order(order_id)
    if order is None or order.expires_at is None or order.expires_at > now:
        return []
    if order.task is not None:
        raise OrderBusy(order_id, order.task.kind)
    parts = order.open_places()
    if not parts:
        return []
    if len(next_parts(order, parts)) < len(parts):
        return [(order.stream, e.ExpiryStarted())]
    return _expired(order, session, parts)


def _expired(order: Order, session: Session, parts: Sequence[e.Allocation]) -> Drafts:
    movements = settle(
        order,
        parts,
        holders(order, session, parts),
        lambda position, units, waiting: position.expire(order.order_id, units, waiting),
    )
    return [(order.stream, e.OrderExpired(released=tuple(parts))), *movements]


def promote(stream: str, session: Session) -> Drafts:
    """Reserve what came free at a position for the head of its backorder queue."""
    position = session.positions([stream])[stream]
    if not position.balance.promotable:
        return []
    order, entry, waiting = _queue_head(position, session)
    if order.task is not None:
        raise OrderBusy(order.order_id, order.task.kind)
    quantity = min(position.balance.free, waiting)
    movement = position.promote(order.order_id, quantity, entry=entry, waiting=waiting)
    parts, left = [], quantity
    for number, place in _waiting(order, position, entry):
        take = min(left, place)
        if take:
            parts.append(e.Allocation(line=number, location=position.location, reserved=take))
            left -= take
    return [(order.stream, e.BackorderAllocated(allocations=tuple(parts))), (stream, movement)]


def _queue_head(position: Position, session: Session) -> tuple[Order, int, int]:
    """Order, entry version and waiting units of the oldest entry that still waits.

    An entry is a `StockBackordered`; how much of it still waits is in its order's stream.
    """
    start = (position.balance.queue_from or 1) - 1
    for recorded in session.history.walk(position.stream, gt=start):
        if isinstance(recorded.event, e.StockBackordered):
            order = session.order(recorded.event.order_id)
            if order is None:
                break
            waiting = sum(units for _, units in _waiting(order, position, recorded.version))
            if waiting:
                return order, recorded.version, waiting
    msg = f"{position.stream}: {position.balance.backordered} units wait, but no order does"
    raise LawBroken(msg)


def _waiting(order: Order, position: Position, entry: int) -> list[tuple[int, int]]:
    """(line, waiting units) of the order's lines behind one entry of the position's queue."""
    return [
        (number, place.backordered)
        for number, line in sorted(order.lines.items())
        for location, place in line.places.items()
        if place.entry == entry
        and place.backordered
        and stock_stream(line.sku, location) == position.stream
    ]
