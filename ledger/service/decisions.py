"""Commands decided on a session's state: every function answers the drafts of one commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from ledger.domain import events as e
from ledger.domain.allocation import (
    MAX_LINES_PER_EVENT,
    Plan,
    next_lines,
    next_parts,
    part_streams,
    settle,
)
from ledger.domain.errors import (
    LineExceeded,
    LineNotFound,
    OrderBusy,
    OrderExists,
    OrderNotFound,
    OrderNotOpen,
    VersionMismatch,
)
from ledger.domain.order import Line, Order
from ledger.domain.position import Position
from ledger.domain.streams import order_stream, position_of, stock_stream
from ledger.service import commands as c
from ledger.service.clock import Clock, instant
from ledger.service.offers import allocated, fits
from ledger.service.sealing import Draft
from ledger.service.session import Session
from ledger.service.splitting import brought

Drafts = list[Draft]
_UNDECIDED = Plan()
L = TypeVar("L", c.ReceiptLine, c.AdjustmentLine, c.ReturnLine)


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions need besides the command and the state."""

    locations: Sequence[str]
    """Candidate locations of lines that name none, in the order they are tried."""
    clock: Clock
    new_id: Callable[[], str]


def receive(command: c.ReceiveStock, session: Session) -> Drafts:
    """Goods come in."""
    return _movements(
        session,
        command.lines,
        lambda position, line: position.receive(
            line.quantity, cost=line.cost, reference=line.reference
        ),
    )


def adjust(command: c.AdjustStock, session: Session) -> Drafts:
    """The books follow what is there. Of a position in lanes lane 0 is corrected; what it lacks for
    that comes from the others.
    """
    streams = [stock_stream(line.sku, line.location) for line in command.lines]
    positions = session.positions(dict.fromkeys(streams))
    drafts: Drafts = []
    for stream, line in zip(streams, command.lines, strict=True):
        drafts += brought(session, positions, stream, -line.delta)
        event = positions[stream].adjust(line.delta, reason=line.reason, reference=line.reference)
        positions[stream] = positions[stream].after(event)
        drafts.append((stream, event))
    return drafts


def return_(command: c.ReturnStock, session: Session) -> Drafts:
    """Goods come back."""
    return _movements(
        session,
        command.lines,
        lambda position, line: position.return_(
            line.quantity,
            disposition=line.disposition,
            order_id=line.order_id,
            reference=line.reference,
        ),
    )


def _movements(
    session: Session, lines: Sequence[L], movement: Callable[[Position, L], e.PositionEvent]
) -> Drafts:
    """One movement per line, in the order given; lines may name one position repeatedly."""
    streams = [stock_stream(line.sku, line.location) for line in lines]
    positions = session.positions(dict.fromkeys(streams))
    drafts: Drafts = []
    for stream, line in zip(streams, lines, strict=True):
        event = movement(positions[stream], line)
        positions[stream] = positions[stream].after(event)
        drafts.append((stream, event))
    return drafts


def set_policy(
    command: c.SetPositionPolicy, session: Session, expected_version: int | None
) -> Drafts:
    """A position's policy changes."""
    stream = stock_stream(command.sku, command.location)
    position = session.positions([stream])[stream]
    lanes = [position]
    if expected_version is not None and position.balance.lanes is not None:
        lanes = session.lanes(position)
    _check_version(stream, expected_version, sum(lane.version for lane in lanes))
    if len(lanes) > 1:  # the sum was read lane by lane, or remembered
        session.insist_on(lane.stream for lane in lanes)
    return [(stream, position.set_policy(low_stock_threshold=command.low_stock_threshold))]


def place(command: c.PlaceOrder, session: Session, rules: Rules, order_id: str) -> Drafts:
    """An order is accepted and allocated, rejected, or (when large) placed to be allocated."""
    stream = order_stream(order_id)
    if session.known_to_exist(stream):
        raise OrderExists(order_id)
    lines = [
        Line(number, line.sku, line.quantity, line.location)
        for number, line in enumerate(command.lines, 1)
    ]
    if len(next_lines(lines, rules.locations)) < len(lines):
        return _place_large(stream, _placed(command, rules, lines))
    plan, movements, rejected = allocated(order_id, command.policy, lines, session, rules.locations)
    if not fits(movements, session):
        session.unmoved.clear()
        return _place_large(stream, _placed(command, rules, lines))
    if rejected:
        return [(stream, _rejection(command, lines, plan)), *movements]
    placed = _placed(command, rules, lines, plan)
    return [(stream, placed), *movements]


def _placed(
    command: c.PlaceOrder, rules: Rules, lines: Sequence[Line], plan: Plan = _UNDECIDED
) -> e.OrderPlaced:
    expires_at = None
    if command.reservation_ttl_seconds is not None:
        expires_at = instant(rules.clock() + timedelta(seconds=command.reservation_ttl_seconds))
    return e.OrderPlaced(
        policy=command.policy,
        customer=command.customer,
        expires_at=expires_at,
        line_count=len(lines),
        lines=_asked(lines),
        allocations=plan.allocations,
        unfilled=plan.unfilled,
    )


def _asked(lines: Sequence[Line]) -> tuple[e.OrderLine, ...]:
    return tuple(
        e.OrderLine(line=line.line, sku=line.sku, quantity=line.quantity, location=line.location)
        for line in lines
    )


def _place_large(stream: str, placed: e.OrderPlaced) -> Drafts:
    """An order too large for one commit: placed here, allocated in chunks afterwards."""
    lines, size = placed.lines, MAX_LINES_PER_EVENT
    more = [lines[start : start + size] for start in range(size, len(lines), size)]
    first = placed.model_copy(update={"lines": lines[:size]})
    return [(stream, first), *((stream, e.OrderLinesAdded(lines=part)) for part in more)]


def _rejection(command: c.PlaceOrder, lines: Sequence[Line], plan: Plan) -> e.OrderRejected:
    return e.OrderRejected(
        shortfalls=plan.shortfalls,
        policy=command.policy,
        customer=command.customer,
        line_count=len(lines),
        lines=_asked(lines),
    )


def ship(
    command: c.ShipOrder, session: Session, shipment_id: str, expected_version: int | None
) -> Drafts:
    """Reserved units leave: at once if one commit can hold it, else in chunks."""
    order = _idle_order(command.order_id, session, expected_version)
    wanted = _wanted(order, command.lines)
    parts = order.pick(wanted)
    if not parts:
        raise OrderNotOpen(order.order_id, order.status, "ship")
    if len(next_parts(order, parts)) < len(parts):
        lines = None
        if command.lines is not None:
            lines = tuple(e.LineQuantity(line=n, quantity=q) for n, q in wanted.items())
        started = e.ShipmentStarted(
            shipment_id=shipment_id, lines=lines, reference=command.reference
        )
        return [(order.stream, started)]
    return shipped(order, session, parts, shipment_id, command.reference)


def shipped(
    order: Order,
    session: Session,
    parts: Sequence[e.Allocation],
    shipment_id: str,
    reference: str | None,
) -> Drafts:
    """The commit that ships `parts`."""
    positions = session.positions(part_streams(order, parts))
    movements = settle(
        order, parts, positions, lambda position, units, _: position.ship(order.order_id, units)
    )
    event = e.OrderShipped(shipment_id=shipment_id, shipped=tuple(parts), reference=reference)
    return [(order.stream, event), *movements]


def cancel(command: c.CancelOrder, session: Session, expected_version: int | None) -> Drafts:
    """Open units are given back."""
    order = _idle_order(command.order_id, session, expected_version)
    for index, number in enumerate(command.lines or ()):
        if number not in order.lines:
            raise LineNotFound(order.order_id, number, index)
    lines = None if command.lines is None else tuple(dict.fromkeys(command.lines))
    parts = order.open_places(lines)
    if not parts:
        raise OrderNotOpen(order.order_id, order.status, "cancel")
    if len(next_parts(order, parts)) < len(parts):
        units = sum(part.reserved + part.backordered for part in parts)
        started = e.CancellationStarted(units=units, lines=lines, reason=command.reason)
        return [(order.stream, started)]
    return cancelled(order, session, parts, command.reason)


def cancelled(
    order: Order, session: Session, parts: Sequence[e.Allocation], reason: str | None
) -> Drafts:
    """The commit that gives `parts` back."""
    movements = released(order, session, parts)
    event = e.OrderCancelled(released=tuple(parts), reason=reason)
    return [(order.stream, event), *movements]


def released(order: Order, session: Session, parts: Sequence[e.Allocation]) -> Drafts:
    """The movements that give `parts` back to their positions."""
    return [
        *settle(
            order,
            parts,
            holders(order, session, parts),
            lambda position, units, waiting: position.release(order.order_id, units, waiting),
        )
    ]


def holders(order: Order, session: Session, parts: Sequence[e.Allocation]) -> dict[str, Position]:
    """The positions (or lanes) that hold `parts`, and lane 0 of every lane that is closed."""
    found = session.positions(part_streams(order, parts))
    closed = {position_of(stream) for stream, lane in found.items() if lane.closed}
    return found | session.positions(sorted(closed)) if closed else found


def _idle_order(order_id: str, session: Session, expected_version: int | None) -> Order:
    """The order, if it exists, is the expected version and has no work under way."""
    order = session.order(order_id)
    if order is None:
        raise OrderNotFound(order_id)
    _check_version(order.stream, expected_version, order.version)
    if order.task is not None:
        raise OrderBusy(order_id, order.task.kind)
    return order


def _check_version(stream: str, expected: int | None, actual: int) -> None:
    if expected is not None and expected != actual:
        raise VersionMismatch(stream, expected, actual)


def _wanted(order: Order, lines: Sequence[c.LineWanted] | None) -> dict[int, int]:
    """Units of each line to ship; the same line named twice counts as one sum."""
    if lines is None:
        return {number: line.reserved for number, line in order.lines.items() if line.reserved}
    wanted: defaultdict[int, int] = defaultdict(int)
    for index, part in enumerate(lines):
        if part.line not in order.lines:
            raise LineNotFound(order.order_id, part.line, index)
        wanted[part.line] += part.quantity
        has = order.lines[part.line].reserved
        if wanted[part.line] > has:
            raise LineExceeded(order.order_id, part.line, index, wanted[part.line], has)
    return dict(wanted)
