"""Which position gives what to which line, and how work too large for one commit is cut.

Lines that name their location are served first, the others from the candidate locations in their
configured order. That finds an allocation whenever there is one: a line that names no location can
use every candidate. The same SKU on several lines counts as one sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.domain.events import (
    Allocation,
    LineQuantity,
    PositionEvent,
    ReservationReleased,
    Shortfall,
)
from ledger.domain.order import Line, Order
from ledger.domain.position import Position
from ledger.domain.streams import position_of, stock_stream
from ledger.domain.values import OrderPolicy

MAX_POSITIONS_PER_COMMIT = 90
"""Positions one commit may write. DynamoDB takes 100 actions in a transaction, which must also
hold the order's events and the command record."""

MAX_ACTIONS = 98
"""Events and checks of positions that one commit may hold: what DynamoDB takes, less the order's
event and the command record."""

MAX_LINES_PER_EVENT = 1_000
"""Lines (or allocations) one order event may carry: a DynamoDB item holds 400 KB."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an allocation decided; with `shortfalls` an all-or-nothing order can't be had."""

    allocations: tuple[Allocation, ...] = ()
    unfilled: tuple[LineQuantity, ...] = ()
    movements: Mapping[str, PositionEvent] = field(default_factory=dict)
    shortfalls: tuple[Shortfall, ...] = ()
    wanting: frozenset[str] = frozenset()
    """Positions that had less than was wanted of them: what the plan takes from elsewhere, or
    does without, it does because of them."""


def options(line: Line, candidates: Sequence[str]) -> Sequence[str]:
    """Locations a line may be served from, in order."""
    return candidates if line.location is None else (line.location,)


def streams_of(lines: Iterable[Line], candidates: Sequence[str]) -> list[str]:
    """Every position the lines may touch, sorted."""
    return sorted(
        {
            stock_stream(line.sku, location)
            for line in lines
            for location in options(line, candidates)
        }
    )


def wanted_of(lines: Iterable[Line], candidates: Sequence[str]) -> dict[str, int]:
    """The most that the lines may take of every position they may touch."""
    wanted: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        for location in options(line, candidates):
            wanted[stock_stream(line.sku, location)] += line.pending
    return wanted


def next_lines(
    lines: Iterable[Line], candidates: Sequence[str], most: int | None = None
) -> list[Line]:
    """The first chunk of the pending lines: in sorted position order, small enough to commit.

    `most` positions in a chunk, if fewer than usual: those in lanes may take several events.

    Lines of one SKU stay together with those that name a location first, so that cutting an
    order into chunks allocates as one commit would.
    """
    pending = sorted(
        (line for line in lines if line.pending),
        key=lambda line: (line.sku, line.location is None, line.location or "", line.line),
    )
    chunk: list[Line] = []
    touched: set[str] = set()
    most = min(most or MAX_POSITIONS_PER_COMMIT, MAX_POSITIONS_PER_COMMIT)
    for line in pending:
        streams = {stock_stream(line.sku, location) for location in options(line, candidates)}
        if chunk and (len(touched | streams) > most or len(chunk) >= MAX_LINES_PER_EVENT):
            break
        touched |= streams
        chunk.append(line)
    return chunk


def allocate(
    order_id: str,
    policy: OrderPolicy,
    lines: Sequence[Line],
    positions: Mapping[str, Position],
    candidates: Sequence[str],
) -> Plan:
    """Decide what every line gets.

    `positions` holds every stream of `streams_of(lines, candidates)`; of one that is in lanes, the
    lane that offers what it has.
    """
    available = {stream: position.balance.available for stream, position in positions.items()}
    given: list[tuple[Line, str, int]] = []
    missing: list[tuple[Line, int]] = []
    wanting: set[str] = set()
    for line in sorted(lines, key=lambda line: (line.location is None, line.line)):
        left = line.pending
        for location in options(line, candidates):
            stream = stock_stream(line.sku, location)
            take = min(left, available[stream])
            if take:
                available[stream] -= take
                left -= take
                given.append((line, location, take))
            if not left:
                break
            wanting.add(stream)
        if left:
            missing.append((line, left))
    short = _shortfalls(lines, missing)
    if policy == OrderPolicy.ALL_OR_NOTHING and missing:
        return Plan(shortfalls=short, wanting=frozenset(wanting))
    if policy == OrderPolicy.BACKORDER:
        waiting = [(line, options(line, candidates)[0], left) for line, left in missing]
        allocations, movements = _plan(order_id, positions, given, waiting)
        return Plan(allocations, (), movements, (), frozenset(wanting))
    unfilled = tuple(LineQuantity(line=line.line, quantity=left) for line, left in missing)
    allocations, movements = _plan(order_id, positions, given, [])
    return Plan(allocations, unfilled, movements, short, frozenset(wanting))


def _plan(
    order_id: str,
    positions: Mapping[str, Position],
    given: Sequence[tuple[Line, str, int]],
    waiting: Sequence[tuple[Line, str, int]],
) -> tuple[tuple[Allocation, ...], dict[str, PositionEvent]]:
    """Allocations per line and location, and one movement per position."""
    reserved: defaultdict[tuple[int, str], int] = defaultdict(int)
    backordered: defaultdict[tuple[int, str], int] = defaultdict(int)
    totals: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    sku = {}
    for index, (into, parts) in enumerate(((reserved, given), (backordered, waiting))):
        for line, location, quantity in parts:
            into[line.line, location] += quantity
            totals[stock_stream(line.sku, location)][index] += quantity
            sku[line.line] = line.sku
    movements: dict[str, PositionEvent] = {
        positions[stream].stream: positions[stream].allocate(
            order_id, reserved=total[0], backordered=total[1]
        )
        for stream, total in sorted(totals.items())
    }
    allocations = []
    for number, location in dict.fromkeys((*reserved, *backordered)):
        waits = backordered[number, location]
        position = positions[stock_stream(sku[number], location)]
        allocations.append(
            Allocation.computed(
                number,
                location,
                reserved[number, location],
                waits,
                entry=position.version + 1 if waits else None,
                lane=position.lane or None,
            )
        )
    return tuple(allocations), movements


def _shortfalls(
    lines: Sequence[Line], missing: Sequence[tuple[Line, int]]
) -> tuple[Shortfall, ...]:
    """One shortfall per SKU and named location: what its lines asked for and could have had."""
    short: dict[tuple[str, str | None], int] = {}
    for line, left in missing:
        key = (line.sku, line.location)
        short[key] = short.get(key, 0) + left
    found = []
    for (sku, location), left in short.items():
        same = [line for line in lines if line.sku == sku and line.location == location]
        requested = sum(line.pending for line in same)
        found.append(
            Shortfall(
                sku=sku,
                location=location,
                requested=requested,
                available=requested - left,
                lines=tuple(line.line for line in same),
            )
        )
    return tuple(found)


def next_parts(order: Order, parts: Sequence[Allocation]) -> list[Allocation]:
    """The first chunk of parts (sorted by position) that one commit can settle."""
    chunk: list[Allocation] = []
    touched: set[str] = set()
    for part in parts:
        stream = order.stream_of(part)
        # A lane that is closed hands what comes free to lane 0.
        streams = {stream, position_of(stream)}
        if chunk and (
            len(touched | streams) > MAX_POSITIONS_PER_COMMIT or len(chunk) >= MAX_LINES_PER_EVENT
        ):
            break
        touched |= streams
        chunk.append(part)
    return chunk


def part_streams(order: Order, parts: Iterable[Allocation]) -> list[str]:
    """Every stream that settling `parts` touches, sorted."""
    return sorted({order.stream_of(part) for part in parts})


def settle(
    order: Order,
    parts: Iterable[Allocation],
    positions: Mapping[str, Position],
    movement: Callable[[Position, int, int], PositionEvent],
) -> list[tuple[str, PositionEvent]]:
    """One movement per stream for what `parts` take from it (reserved units, waiting units).

    What comes free on a lane that is closed goes to lane 0, which `positions` then has too.
    """
    totals: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for part in parts:
        total = totals[order.stream_of(part)]
        total[0] += part.reserved
        total[1] += part.backordered
    found = {s: movement(positions[s], *totals[s]) for s in sorted(totals) if positions[s].lane}
    freed: defaultdict[str, int] = defaultdict(int)
    for stream, event in found.items():
        if isinstance(event, ReservationReleased) and event.escrowed:
            freed[position_of(stream)] += event.escrowed
    now = dict(positions)
    escrows = [(stream, now[stream].escrow(units)) for stream, units in freed.items()]
    now |= {stream: now[stream].after(event) for stream, event in escrows}
    whole = [(s, movement(now[s], *totals[s])) for s in sorted(totals) if not now[s].lane]
    return [*found.items(), *escrows, *whole]
