"""A position in lanes: streams of their own that share its stock, for more orders than one takes.

A lane is a position of its own to everything that counts: what is free on it can be promised from
it alone, and what is promised on it stays there until it is shipped or given back. Free units are
moved between lanes by events that name them escrowed; one commit holds both sides.

Three rules make many lanes one position:

- all lanes say the same about how the position is split, changed in all of them by one commit, so
  whoever decides on one lane with an old idea of the whole meets a newer version;
- nothing free is on a closed lane, so what the open lanes have is all there is;
- nobody waits while several lanes are open: an order that must wait gathers the position first,
  all free units to lane 0 and orders to lane 0 alone. So a queue is a queue of one stream, and
  can't be overtaken on another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.domain.allocation import MAX_ACTIONS
from ledger.domain.balance import Balance, Lanes
from ledger.domain.events import PositionEvent
from ledger.domain.position import Position

MAX_LANES = 16
"""Lanes of one position. One commit touches all of them when it gathers or splits them, and a
transaction takes 100 actions."""

Movement = tuple[str, PositionEvent]
"""A stream and the event that happens to it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Where an order may take units of a position from, after the `moves` that bring them there."""

    position: Position
    moves: tuple[Movement, ...] = ()
    lanes: tuple[Position, ...] = ()
    """What it was decided on, if that was the whole position: every lane as it was read."""

    @property
    def streams(self) -> list[str]:
        """Every stream the offer was decided on."""
        return [lane.stream for lane in self.lanes] or [self.position.stream]


def most_lanes(locations: int) -> int:
    """How many lanes a position may have where an order may be served from so many locations.

    An order that needs what all of them have gathers the lanes of each and reserves at each, in one
    commit: it can't be cut.
    """
    return max(1, min(MAX_LANES, MAX_ACTIONS // locations - 1)) if locations else MAX_LANES


def check_auto_lanes(count: int, locations: int) -> None:
    """Check how many lanes positions at so many candidate locations may be split into unasked.

    Raises
    ------
    ValueError
        There are no such lanes, or a commit can't touch those of all candidates of a SKU.
    """
    most = most_lanes(locations)
    if not 1 <= count <= most:
        msg = f"write 1 (none) to {most}: more lanes at {locations} location(s) fit no commit"
        raise ValueError(msg)


def worth_splitting(position: Position, left: int) -> bool:
    """Whether `left` free units are enough to keep the lanes of a gathered position apart again.

    Twice as many as it takes not to gather them, so that not every order changes the position.
    """
    lanes = position.balance.lanes
    return (
        lanes is not None
        and lanes.count > 1
        and not position.balance.backordered
        and left >= 2 * lanes.count
        and _plenty(position, left, lanes.count)
    )


def offer(lanes: Sequence[Position], home: int, wanted: int) -> Offer:
    """Where `wanted` units can be taken, after looking at all lanes of a position.

    On open lanes the home lane gets what it lacks from the richest, and one more: who takes units
    leaves one where they were, so open lanes are never empty all at once. If less would be left
    than a unit per lane, or no more than the low-stock threshold, the lanes are gathered: the rest
    is sold from lane 0, which then tells of the whole. A gathered position with enough in it is
    split again.
    """
    split = lanes[0].balance.lanes
    assert split is not None, "a position without lanes offers itself"
    left = sum(lane.balance.available for lane in lanes) - wanted
    home = home % split.count
    if split.open > 1 and _plenty(lanes[0], left, split.count):
        moves = bring(lanes, home, wanted + 1)
    elif split.open > 1:
        home, moves = 0, reshape(lanes, split.model_copy(update={"gathered": True}))
    elif worth_splitting(lanes[0], left):
        opened = split.model_copy(update={"gathered": False})
        moves = reshape(lanes, opened, home, wanted)
    else:
        return Offer(lanes[0], (), tuple(lanes))
    return Offer(after(lanes, moves)[home], tuple(moves), tuple(lanes))


def bring(lanes: Sequence[Position], home: int, wanted: int) -> list[Movement]:
    """The moves after which the home lane has `wanted` units free; the lanes together have them.

    The richest lane gives half of what it has more than home, if that is enough, so that it is long
    until home runs dry again.
    """
    has, given = lanes[home].balance.available, []
    donors = sorted(
        (lane for lane in lanes if lane.lane != home),
        key=lambda lane: (-lane.balance.available, lane.lane),
    )
    for donor in donors:
        lacks = wanted - has
        if lacks <= 0:
            break
        rich = donor.balance.available
        units = min(rich, max(lacks, (rich - has) // 2))
        if units:
            has += units
            given.append((donor, units))
    if not given:
        return []
    gained = lanes[home].escrow(sum(units for _, units in given))
    return [
        (lanes[home].stream, gained),
        *((donor.stream, donor.escrow(-units)) for donor, units in given),
    ]


def reshape(
    lanes: Sequence[Position], split: Lanes, home: int = 0, wanted: int = 0
) -> list[Movement]:
    """Split the position another way, which concerns every lane it ever had.

    Free units are spread evenly over the lanes that are open then, `wanted` units to home first.
    """
    free = sum(lane.balance.free for lane in lanes)
    each, odd = divmod(free - wanted, split.open)
    movements: list[Movement] = []
    for lane in lanes:
        share = each + (lane.lane < odd) if lane.lane < split.open else 0
        share += wanted if lane.lane == home else 0
        movements.append((lane.stream, lane.set_lanes(split, share - lane.balance.free)))
    return movements


def after(lanes: Sequence[Position], moves: Sequence[Movement]) -> list[Position]:
    """The lanes once the moves are recorded."""
    moved: Mapping[str, PositionEvent] = dict(moves)
    return [lane.after(moved[lane.stream]) if lane.stream in moved else lane for lane in lanes]


def together(balances: Sequence[Balance]) -> Balance:
    """What the lanes of a position hold together, lane 0 first.

    What each lane adds is counted without what was moved between them, so lanes that were read one
    after the other show no unit twice. A sum that is torn all the same is never below 0.
    """
    first = balances[0]
    return Balance(
        on_hand=max(0, sum(lane.on_hand - (lane.escrowed or 0) for lane in balances)),
        reserved=sum(lane.reserved for lane in balances),
        backordered=first.backordered,
        damaged=sum(lane.damaged for lane in balances),
        low_stock_threshold=first.low_stock_threshold,
        queue_from=first.queue_from,
    )


def _plenty(first: Position, left: int, count: int) -> bool:
    """Whether lanes pay with so many units left in all of them."""
    threshold = first.balance.low_stock_threshold
    return left >= count and (threshold is None or left > threshold)
