"""Splitting a position into lanes, and commands that need what several of them have."""

from __future__ import annotations

from ledger.domain.balance import Lanes
from ledger.domain.lanes import Offer, after, offer, reshape, worth_splitting
from ledger.domain.position import Position
from ledger.domain.streams import lane_stream, stock_stream
from ledger.service import commands as c
from ledger.service.sealing import Draft
from ledger.service.session import Session


def set_lanes(command: c.SetLanes, session: Session) -> list[Draft]:
    """A position is split into more lanes or fewer; every lane it has or had is told."""
    stream = stock_stream(command.sku, command.location)
    position = session.positions([stream])[stream]
    split = position.balance.lanes or Lanes(count=1, streams=1)
    if command.count == split.count:
        return []
    lanes = [position] if position.balance.lanes is None else session.lanes(position)
    new = [lane_stream(stream, n) for n in range(len(lanes), command.count)]
    lanes += session.positions(new).values()
    wanted = Lanes(count=command.count, streams=len(lanes), gathered=command.count > 1)
    first = position._replace(balance=position.balance.model_copy(update={"lanes": wanted}))
    if worth_splitting(first, sum(lane.balance.free for lane in lanes)):
        wanted = wanted.model_copy(update={"gathered": False})
    return [*reshape(lanes, wanted)]


def divided(session: Session, position: Position, count: int, wanted: int) -> Offer | None:
    """What a position offers once it is split into `count` lanes, if that many pay.

    The split and what is taken then are one commit, so it costs no try of its own. Nor does it read
    anything: a position that was never split has no other lanes. Tries that took longer than those
    of whoever doesn't split would never be first.
    """
    split = Lanes(count=count, streams=count, gathered=True)
    first = position._replace(balance=position.balance.model_copy(update={"lanes": split}))
    if not worth_splitting(first, position.balance.available - wanted):
        return None
    lanes = [
        position,
        *(Position(position.sku, position.location, lane=n) for n in range(1, count)),
    ]
    home = session.home % count
    moves = reshape(lanes, split.model_copy(update={"gathered": False}), home, wanted)
    return Offer(after(lanes, moves)[home], tuple(moves), tuple(lanes))


def brought(
    session: Session, positions: dict[str, Position], stream: str, units: int
) -> list[Draft]:
    """The moves that bring `units` to lane 0 of a position, if it lacks them and others have them.

    They gather the lanes if next to nothing is left without those units, as an order would.
    `positions` holds the streams as this commit leaves them so far, and is brought up to date. If
    all lanes together have too little, that they have is to be checked when it is said.
    """
    position = positions[stream]
    split = position.balance.lanes
    if split is None or split.open == 1 or units <= 0 or units < position.balance.free:
        return []
    known = {lane.stream: lane for lane in session.lanes(position)}
    lanes = [positions.get(name, lane) for name, lane in known.items()]
    if sum(lane.balance.free for lane in lanes) < units:
        session.insist_on(known)
    moves = offer(lanes, 0, units).moves
    positions |= {lane.stream: lane for lane in after(lanes, moves)}
    return list(moves)
