"""What positions offer an order, and what must hold for it to be given less.

A position that is not in lanes offers itself: one stream, read once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ledger.domain.allocation import MAX_ACTIONS, Plan, allocate, wanted_of
from ledger.domain.lanes import Offer, offer, worth_splitting
from ledger.domain.order import Line
from ledger.domain.position import Position
from ledger.domain.values import OrderPolicy
from ledger.service.sealing import Draft
from ledger.service.session import Session
from ledger.service.splitting import divided


def allocated(
    order_id: str,
    policy: OrderPolicy,
    lines: Sequence[Line],
    session: Session,
    candidates: Sequence[str],
) -> tuple[Plan, list[Draft], bool]:
    """The plan for the lines, the movements of its commit, and whether the order is rejected.

    Raises
    ------
    StaleRead
        Somebody would get less because of what is only remembered.
    """
    offered = _offers(session, wanted_of(lines, candidates))
    positions = {stream: found.position for stream, found in offered.items()}
    plan = allocate(order_id, policy, lines, positions, candidates)
    rejected = bool(plan.shortfalls) and not plan.allocations
    session.relying_on(_streams(offered, offered if rejected else plan.wanting))
    moves: list[Draft] = []
    for stream, found in offered.items():
        if rejected and found.lanes and stream in plan.wanting:
            session.insist_on(found.streams)
            # Nothing is left at all: the next who are refused need only look at lane 0.
            moves += () if found.position.balance.available else found.moves
        elif found.position.stream in plan.movements or stream in plan.wanting:
            moves += found.moves
    return plan, [*moves, *plan.movements.items()], rejected


def fits(drafts: Sequence[Draft], session: Session) -> bool:
    """Whether one commit can hold the movements and the checks."""
    return len(drafts) + len(session.unmoved.keys() - dict(drafts).keys()) <= MAX_ACTIONS


def _offers(session: Session, wanted: Mapping[str, int]) -> dict[str, Offer]:
    offered: dict[str, Offer] = {}
    room = MAX_ACTIONS - len(wanted)
    for stream, position in session.positions(sorted(wanted)).items():
        offered[stream] = _offer(session, position, wanted[stream], room)
        room -= len(offered[stream].moves)
    return offered


def _offer(session: Session, position: Position, wanted: int, room: int) -> Offer:
    """What a position offers; one lane is enough to know, if it has more than is wanted.

    One that is whole and contended is split, if its lanes pay and the commit has `room` for them.
    """
    split = position.balance.lanes
    if split is None:
        count = session.split_into(position.stream)
        if count == 1 or count > room:
            return Offer(position)
        return divided(session, position, count, wanted) or Offer(position)
    if split.open > 1:
        (home,) = session.lanes(position, session.home % split.open)
        # One that would be empty then is not enough: the others may be empty too.
        if home.balance.available > wanted:
            return Offer(home)
    elif not worth_splitting(position, position.balance.available - wanted):
        return Offer(position)
    return offer(session.lanes(position), session.home, wanted)


def _streams(offered: Mapping[str, Offer], positions: Iterable[str]) -> set[str]:
    return {stream for position in positions for stream in offered[position].streams}
