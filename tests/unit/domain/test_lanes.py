"""Lanes, case by case; tests/property/test_lanes.py has what holds of all of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.domain.balance import Balance, Lanes
from ledger.domain.lanes import (
    MAX_LANES,
    Movement,
    Offer,
    after,
    bring,
    offer,
    reshape,
    together,
    worth_splitting,
)
from ledger.domain.position import Position


def lanes(
    *free: int,
    count: int | None = None,
    gathered: bool = False,
    threshold: int | None = None,
    backordered: int = 0,
) -> list[Position]:
    """All lanes of a position by what is free on each; lane 0 has the policy and the queue."""
    split = Lanes(count=count or len(free), streams=len(free), gathered=gathered)
    return [
        Position(
            "A",
            "main",
            7,
            Balance(
                on_hand=units + 3,
                reserved=3,
                lanes=split,
                escrowed=0,
                low_stock_threshold=None if n else threshold,
                backordered=0 if n else backordered,
            ),
            n,
        )
        for n, units in enumerate(free)
    ]


def free(lanes: Sequence[Position]) -> list[int]:
    return [lane.balance.free for lane in lanes]


def shape(lane: Position) -> tuple[int, int, bool]:
    split = lane.balance.lanes
    assert split is not None
    return split.count, split.streams, split.gathered


def deltas(moves: Sequence[Movement]) -> dict[str, int]:
    return {
        stream.partition("main")[2]: event.moves(event.__dict__).escrowed for stream, event in moves
    }


def test_a_commit_can_touch_all_lanes_of_a_position() -> None:
    assert MAX_LANES == 16


@pytest.mark.parametrize(
    ("left", "threshold", "worth"),
    [
        (5, None, False),
        (6, None, True),
        (6, 6, False),
        (7, 6, True),
        (5, 0, False),
        (6, 5, True),
    ],
)
def test_lanes_are_worth_splitting_with_two_units_for_each_and_more_than_the_threshold(
    left: int, threshold: int | None, worth: bool
) -> None:
    (first, *_) = lanes(9, 0, 0, gathered=True, threshold=threshold)
    assert worth_splitting(first, left) is worth


def test_two_lanes_are_worth_splitting_and_are_open() -> None:
    assert worth_splitting(lanes(9, 0, gathered=True)[0], 4) is True
    two = lanes(4, 4)
    assert free(after(two, offer(two, 1, 5).moves)) == [3, 5]


def test_what_is_whole_mended_or_waited_for_is_not_worth_splitting() -> None:
    assert worth_splitting(Position("A", "main", 7, Balance(on_hand=99)), 99) is False
    assert worth_splitting(lanes(99, 0, count=1)[0], 99) is False
    waited = lanes(99, 0, gathered=True, backordered=1)[0]
    assert worth_splitting(waited, 99) is False


@pytest.mark.parametrize(
    ("home", "wanted", "has"),
    [
        (0, 4, [4, 4, 4]),
        (1, 4, [4, 4, 4]),
        (4, 4, [4, 4, 4]),
        (2, 5, [3, 4, 5]),
        (0, 5, [5, 3, 4]),
        (1, 9, [0, 9, 3]),
    ],
)
def test_the_home_lane_gets_what_it_lacks_from_another(
    home: int, wanted: int, has: list[int]
) -> None:
    whole = lanes(4, 4, 4)
    found = offer(whole, home, wanted)
    moved = after(whole, found.moves)
    assert free(moved) == has
    assert found.position == moved[home % 3]
    assert found.lanes == tuple(whole)
    assert {shape(lane) for lane in moved} == {(3, 3, False)}


@pytest.mark.parametrize(
    ("threshold", "wanted", "gathered"),
    [(None, 9, False), (None, 10, True), (4, 7, False), (4, 8, True), (0, 9, False), (12, 1, True)],
)
def test_lanes_are_gathered_for_less_than_a_unit_each_or_no_more_than_the_threshold(
    threshold: int | None, wanted: int, gathered: bool
) -> None:
    whole = lanes(4, 4, 4, threshold=threshold)
    found = offer(whole, 1, wanted)
    moved = after(whole, found.moves)
    assert {shape(lane) for lane in moved} == {(3, 3, gathered)}
    if gathered:
        assert free(moved) == [12, 0, 0]
        assert found.position == moved[0]
    else:
        assert found.position == moved[1]
        assert free(moved)[1] >= wanted


@pytest.mark.parametrize(
    ("wanted", "has"), [(6, [8, 2, 2]), (7, None), (1, [5, 4, 3]), (2, [6, 3, 3])]
)
def test_a_gathered_position_is_split_again_if_enough_is_left(
    wanted: int, has: list[int] | None
) -> None:
    whole = lanes(12, 0, 0, gathered=True)
    found = offer(whole, 0, wanted)
    moved = after(whole, found.moves)
    assert free(moved) == (has or [12, 0, 0])
    assert {shape(lane) for lane in moved} == {(3, 3, has is None)}
    assert found.position == moved[0]
    assert found.lanes == tuple(whole)


def test_a_position_split_again_offers_what_is_wanted_at_home() -> None:
    whole = lanes(12, 0, 0, gathered=True)
    found = offer(whole, 5, 4)
    assert free(after(whole, found.moves)) == [3, 3, 6]
    assert found.position.lane == 2


def test_a_mended_position_offers_lane_0_as_it_is() -> None:
    whole = lanes(12, 0, 0, count=1)
    assert offer(whole, 2, 4) == Offer(whole[0], (), tuple(whole))


def test_who_waits_keeps_lanes_gathered() -> None:
    whole = lanes(99, 0, 0, gathered=True, backordered=1)
    assert offer(whole, 2, 1) == Offer(whole[0], (), tuple(whole))


def test_an_offer_names_what_it_was_decided_on() -> None:
    whole = lanes(4, 4)
    assert Offer(whole[0]).streams == ["stock:A@main"]
    assert Offer(whole[1]).streams == ["stock:A@main#1"]
    assert Offer(whole[1], (), tuple(whole)).streams == ["stock:A@main", "stock:A@main#1"]


@pytest.mark.parametrize(
    ("has", "home", "wanted", "moved"),
    [
        ((4, 9), 0, 4, {}),
        ((4, 9), 0, 5, {"": 2, "#1": -2}),
        ((4, 9), 1, 10, {"#1": 1, "": -1}),
        ((0, 10), 0, 1, {"": 5, "#1": -5}),
        ((0, 10), 0, 7, {"": 7, "#1": -7}),
        ((0, 10), 0, 10, {"": 10, "#1": -10}),
        ((0, 3, 9, 5), 0, 1, {"": 4, "#2": -4}),
        ((0, 3, 9, 5), 0, 12, {"": 12, "#2": -9, "#3": -3}),
        ((0, 5, 5), 0, 6, {"": 6, "#1": -5, "#2": -1}),
        ((0, 5, 0), 0, 9, {"": 5, "#1": -5}),
        ((0, 0, 0), 0, 1, {}),
        ((2, 7, 7), 0, 10, {"": 8, "#1": -7, "#2": -1}),
    ],
)
def test_the_richest_gives_half_of_what_it_has_more_if_that_is_enough(
    has: tuple[int, ...], home: int, wanted: int, moved: dict[str, int]
) -> None:
    found = bring(lanes(*has), home, wanted)
    assert deltas(found) == moved
    assert len(found) == len(moved)
    assert found[:1] == [] or found[0][0].endswith(f"#{home}" if home else "main"), "home first"


@pytest.mark.parametrize(
    ("has", "split", "home", "wanted", "spread"),
    [
        ((4, 4, 4), (3, True), 0, 0, [12, 0, 0]),
        ((14, 0, 0), (3, False), 0, 0, [5, 5, 4]),
        ((14, 0, 0), (2, False), 0, 0, [7, 7, 0]),
        ((14, 0, 0), (1, False), 0, 0, [14, 0, 0]),
        ((14, 0, 0), (3, False), 2, 5, [3, 3, 8]),
        ((14, 0, 0), (3, False), 1, 4, [4, 7, 3]),
        ((14, 0, 0), (3, False), 0, 14, [14, 0, 0]),
    ],
)
def test_what_is_free_is_spread_evenly_over_open_lanes(
    has: tuple[int, ...], split: tuple[int, bool], home: int, wanted: int, spread: list[int]
) -> None:
    whole = lanes(*has)
    shaped = Lanes(count=split[0], streams=3, gathered=split[1])
    moves = reshape(whole, shaped, home, wanted)
    assert [stream for stream, _ in moves] == [lane.stream for lane in whole]
    moved = after(whole, moves)
    assert free(moved) == spread
    assert all(lane.balance.lanes == shaped for lane in moved)
    if not home and not wanted:
        assert reshape(whole, shaped) == moves


def test_lanes_without_a_move_stay_as_they_are() -> None:
    whole = lanes(4, 4)
    move = (whole[1].stream, whole[1].escrow(-4))
    assert after(whole, [move]) == [whole[0], whole[1].after(move[1])]


def test_lanes_together_hold_what_the_position_holds() -> None:
    first = Balance(
        on_hand=9,
        reserved=4,
        damaged=2,
        backordered=5,
        queue_from=3,
        low_stock_threshold=7,
        escrowed=-3,
    )
    other = Balance(on_hand=9, reserved=1, damaged=1, escrowed=3)
    unsplit = Balance(on_hand=1)
    assert together([first, other, unsplit]) == Balance(
        on_hand=19,
        reserved=5,
        damaged=3,
        backordered=5,
        queue_from=3,
        low_stock_threshold=7,
    )


def test_a_sum_that_is_torn_is_never_below_0() -> None:
    assert together([Balance(escrowed=3), Balance(on_hand=1)]).on_hand == 0
    assert together([Balance(escrowed=3), Balance(on_hand=4)]).on_hand == 1
