"""What is moved between lanes, and what they hold together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.domain.balance import Balance, Lanes
from ledger.domain.lanes import Movement, after, bring, reshape, together
from tests.support.lanes import free, lanes


def deltas(moves: Sequence[Movement]) -> dict[str, int]:
    return {
        stream.partition("main")[2]: event.moves(event.__dict__).escrowed for stream, event in moves
    }


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


def test_what_is_wanted_stays_on_lane_0_unless_another_is_home() -> None:
    moves = reshape(lanes(14, 0, 0), Lanes(count=3, streams=3), wanted=5)
    assert free(after(lanes(14, 0, 0), moves)) == [8, 3, 3]


def test_lanes_without_a_move_stay_as_they_are() -> None:
    whole = lanes(4, 4)
    move = (whole[1].stream, whole[1].escrow(-4))
    assert after(whole, [move]) == [whole[0], whole[1].after(move[1])]


def test_lanes_together_hold_what_the_position_holds() -> None:
    first = Balance(
        on_hand=9,
        reserved=4,
        damaged=2,
        backordered=8,
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
        backordered=8,
        queue_from=3,
        low_stock_threshold=7,
    )


def test_a_sum_that_is_torn_is_never_below_0() -> None:
    assert together([Balance(escrowed=3), Balance(on_hand=1)]).on_hand == 0
    assert together([Balance(escrowed=3), Balance(on_hand=4)]).on_hand == 1
