"""Offers of lanes, case by case; tests/property/test_lanes.py has what holds of all of them."""

from __future__ import annotations

import pytest

from ledger.domain.balance import Balance
from ledger.domain.lanes import (
    MAX_LANES,
    Offer,
    after,
    check_auto_lanes,
    offer,
    worth_splitting,
)
from ledger.domain.position import Position
from tests.support.lanes import free, lanes


def shape(lane: Position) -> tuple[int, int, bool]:
    split = lane.balance.lanes
    assert split is not None
    return split.count, split.streams, split.gathered


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
    assert free(after(two, offer(two, 1, 5).moves)) == [2, 6]
    assert free(after(two, offer(two, 1, 6).moves)) == [1, 7]
    assert free(after(two, offer(two, 1, 7).moves)) == [8, 0], "gathered: there is one unit left"


def test_what_is_whole_mended_or_waited_for_is_not_worth_splitting() -> None:
    assert worth_splitting(Position("A", "main", 7, Balance(on_hand=99)), 99) is False
    assert worth_splitting(lanes(99, 0, count=1)[0], 99) is False
    waited = lanes(99, 0, gathered=True, backordered=1)[0]
    assert worth_splitting(waited, 99) is False


@pytest.mark.parametrize(
    ("home", "wanted", "has"),
    [
        (0, 3, [4, 4, 4]),
        (1, 3, [4, 4, 4]),
        (4, 3, [4, 4, 4]),
        (1, 4, [3, 5, 4]),
        (2, 5, [2, 4, 6]),
        (0, 5, [6, 2, 4]),
        (1, 9, [0, 10, 2]),
    ],
)
def test_the_home_lane_gets_what_it_lacks_from_another_so_that_a_unit_stays_there(
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


def test_closed_lanes_are_nobodys_home_and_do_not_count() -> None:
    whole = lanes(4, 4, 0, count=2)
    assert offer(whole, 2, 1).position == whole[0]
    assert offer(whole, 3, 1).position == whole[1]
    kept = after(whole, offer(whole, 0, 6).moves)
    assert free(kept) == [7, 1, 0], "a unit is left for each lane that is open"
    gathered = lanes(9, 0, 0, 0, 0, count=2, gathered=True)
    assert worth_splitting(gathered[0], 4) is True
    assert free(after(gathered, offer(gathered, 3, 5).moves)) == [2, 7, 0, 0, 0]


def test_a_position_split_again_offers_what_is_wanted_at_home() -> None:
    whole = lanes(12, 0, 0, gathered=True)
    found = offer(whole, 5, 4)
    assert free(after(whole, found.moves)) == [3, 3, 6]
    assert found.position.lane == 2


def test_a_mended_position_offers_lane_0_as_it_is() -> None:
    whole = lanes(12, 0, 0, count=1)
    assert offer(whole, 2, 4) == Offer(whole[0], (), tuple(whole))


def test_a_position_of_one_lane_offers_it() -> None:
    whole = lanes(12)
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
    ("locations", "most"), [(0, 16), (1, 16), (5, 16), (6, 15), (32, 2), (33, 1), (49, 1), (99, 1)]
)
def test_lanes_that_come_by_themselves_fit_a_commit_at_all_candidate_locations(
    locations: int, most: int
) -> None:
    for count in (1, most):
        check_auto_lanes(count, locations)
    for count in (0, most + 1):
        with pytest.raises(ValueError, match=rf"^write 1 \(none\) to {most}: .* at {locations} "):
            check_auto_lanes(count, locations)
    assert most == 1 or locations * (most + 1) <= 98
