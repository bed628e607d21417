"""Moves between lanes: nothing is made, nothing lost, and what is wanted is there."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.balance import Balance, Lanes
from ledger.domain.lanes import after, bring, offer, reshape, together
from ledger.domain.position import Position
from ledger.domain.streams import lane_stream

STREAM = "stock:A@main"
units = st.integers(0, 40)


@st.composite
def positions(draw: st.DrawFn) -> list[Position]:
    """All lanes of a position; what is free is on the open ones, and all say the same."""
    count = draw(st.integers(2, 6))
    split = Lanes(count=count, streams=draw(st.integers(count, 8)), gathered=draw(st.booleans()))
    lanes = []
    for n in range(split.streams):
        reserved, damaged = draw(units), draw(units) if n == 0 else 0
        free = draw(units) if n < split.open else 0
        balance = Balance(
            on_hand=reserved + damaged + free, reserved=reserved, damaged=damaged,
            lanes=split, escrowed=0,
            low_stock_threshold=draw(st.none() | units) if n == 0 else None,
        )  # fmt: skip
        lanes.append(Position.of(lane_stream(STREAM, n), 1, balance))
    return lanes


def free(lanes: Iterable[Position]) -> int:
    return sum(lane.balance.free for lane in lanes)


@given(positions(), st.integers(0, 7), st.integers(1, 60))
def test_an_offer_has_what_is_wanted_if_the_lanes_together_have(
    lanes: list[Position], home: int, wanted: int
) -> None:
    found = offer(lanes, home, wanted)
    moved = after(lanes, found.moves)
    assert found.position in moved
    assert found.position.balance.available >= min(wanted, free(lanes))
    assert not found.position.closed
    split = found.position.balance.lanes
    assert split is not None
    if split.open > 1:
        assert found.position.balance.available > wanted, "open lanes are never all empty"
    if free(lanes) < wanted:
        assert found.position.balance.available == free(lanes), "all there is, for less than asked"
        assert len(found.moves) == len(lanes) or lanes[0].balance.lanes == moved[0].balance.lanes


@given(positions(), st.integers(0, 7), st.integers(1, 60))
def test_moves_make_nothing_and_lose_nothing(lanes: list[Position], home: int, wanted: int) -> None:
    found = offer(lanes, home, wanted)
    moved = after(lanes, found.moves)
    before, now = (together([p.balance for p in ps]) for ps in (lanes, moved))
    assert before == now
    assert sum(lane.balance.escrowed or 0 for lane in moved) == 0
    assert free(moved) == free(lanes)
    assert len({repr(lane.balance.lanes) for lane in moved}) == 1
    assert all(not lane.balance.free for lane in moved if lane.closed)


@given(positions(), st.integers(1, 60))
def test_what_is_brought_home_comes_from_as_few_lanes_as_can_be(
    lanes: list[Position], wanted: int
) -> None:
    open_ = [lane for lane in lanes if not lane.closed]
    lacks = wanted - open_[0].balance.available
    moves = bring(open_, 0, wanted)
    if lacks <= 0:
        assert moves == []
        return
    rich = sorted((lane.balance.available for lane in open_[1:]), reverse=True)
    needed = next((n for n in range(1, len(rich) + 1) if sum(rich[:n]) >= lacks), len(rich))
    assert len(moves) <= needed + 1


@given(positions(), st.integers(1, 6), st.booleans())
def test_a_new_shape_spreads_what_is_free_evenly(
    lanes: list[Position], count: int, gathered: bool
) -> None:
    streams = max(len(lanes), count)
    lanes += [Position.of(lane_stream(STREAM, n), 0, Balance()) for n in range(len(lanes), count)]
    split = Lanes(count=count, streams=streams, gathered=gathered)
    moved = after(lanes, reshape(lanes, split))
    shares = [lane.balance.free for lane in moved]
    assert sum(shares) == free(lanes)
    assert not any(shares[split.open :])
    assert max(shares[: split.open]) - min(shares[: split.open]) <= 1
