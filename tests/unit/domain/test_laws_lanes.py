"""The laws of lanes: of each by itself, and of all that make one position."""

from __future__ import annotations

import pytest

from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Balance, Lanes
from ledger.domain.errors import LawBroken
from ledger.domain.laws import Laws
from tests.support.told import A, Told, part

SPLIT = Lanes(count=2, streams=2)
GATHERED = Lanes(count=2, streams=2, gathered=True)
MENDED = Lanes(count=1, streams=2)


@pytest.fixture
def lanes() -> Told:
    """Ten units on two open lanes; an order has four of lane 1's."""
    told = Told()
    told.move("receive", 10)
    told.split(SPLIT, -5, 5)
    told.move("allocate", "o-1", reserved=4, lane=1)
    allocation = part(4).model_copy(update={"lane": 1})
    told.place(4, allocation)
    return told


def test_sound_lanes_break_no_law(lanes: Told) -> None:
    assert lanes.found == []
    lanes.move("escrow", 1)
    lanes.move("escrow", -1, lane=1)
    assert lanes.found == []
    lanes.split(GATHERED, 0, 0)
    lanes.move("allocate", "o-2", reserved=6, backordered=1)
    lanes.place(7, part(6, 1, entry=5), "o-2")
    assert lanes.found == []


def test_a_promise_is_of_the_lane_that_holds_it(lanes: Told) -> None:
    lanes.place(1, part(1), "o-2")
    lanes.move("allocate", "o-2", reserved=1, lane=1)
    assert lanes.found == [
        (A, "reserved is 0, but the orders' lines say 1"),
        (f"{A}#1", "reserved is 5, but the orders' lines say 4"),
    ]


@pytest.mark.parametrize("units", [1, -1])
def test_units_that_came_from_no_lane_or_went_to_none_are_named(lanes: Told, units: int) -> None:
    lanes.move("escrow", units)
    law = f"its lanes hold {units} units more than came to the position"
    assert lanes.found == [(A, law)]


def test_lanes_that_say_different_things_are_named(lanes: Told) -> None:
    lanes.move("set_lanes", Lanes(count=1, streams=2), -1, lane=1)
    lanes.move("escrow", 1)
    assert lanes.found == [(A, "its lanes don't agree on how it is split")]


@pytest.mark.parametrize("streams", [2, 3])
def test_a_lane_that_is_missing_is_named(streams: int) -> None:
    told = Told()
    told.move("receive", 10)
    three = Lanes(count=2, streams=streams)
    told.split(three, 0)
    if streams == 3:
        told.move("set_lanes", three, 0, lane=1)
    assert told.found == [(A, "its lanes don't agree on how it is split")]


def test_a_position_that_was_never_split_has_no_lanes_to_agree() -> None:
    told = Told()
    told.move("receive", 10)
    assert told.found == []


def test_a_lane_beside_a_position_that_is_not_split_is_named() -> None:
    told = Told()
    told.laws.balances = {A: EMPTY, f"{A}#1": EMPTY}
    assert told.found == [(A, "its lanes don't agree on how it is split")]


def test_every_split_position_is_judged_by_its_own_lanes() -> None:
    laws = Laws()
    for sku, escrowed in (("B", 1), ("A", 2)):
        laws.balances[f"stock:{sku}@main"] = Balance(lanes=MENDED, escrowed=escrowed)
        laws.balances[f"stock:{sku}@main#1"] = Balance(lanes=MENDED, escrowed=0)
    assert [(s, law[:17]) for s, law in laws.conclude()] == [
        (A, "its lanes hold 2 "),
        ("stock:B@main", "its lanes hold 1 "),
    ]


@pytest.mark.parametrize(
    ("lane", "balance", "law"),
    [
        (0, Balance(on_hand=1), None),
        (0, Balance(backordered=1, queue_from=1), None),
        (1, Balance(), "a lane of a position that is not split"),
        (0, Balance(escrowed=1), "a lane of a position that is not split"),
        (0, Balance(on_hand=1, lanes=SPLIT), None),
        (1, Balance(on_hand=1, lanes=SPLIT), None),
        (2, Balance(on_hand=1, lanes=SPLIT), "1 units are free on a closed lane"),
        (2, Balance(on_hand=1, reserved=1, lanes=SPLIT), None),
        (0, Balance(on_hand=1, lanes=MENDED), None),
        (1, Balance(on_hand=8, reserved=5, lanes=MENDED), "^3 units are free on a closed lane"),
        (1, Balance(on_hand=1, lanes=GATHERED), "1 units are free on a closed lane"),
        (0, Balance(backordered=2, queue_from=1, lanes=SPLIT), "2 units are waited for"),
        (1, Balance(backordered=2, queue_from=1, lanes=SPLIT), "2 units are waited for"),
        (0, Balance(backordered=2, queue_from=1, lanes=GATHERED), None),
        (0, Balance(backordered=2, queue_from=1, lanes=MENDED), None),
        (1, Balance(backordered=2, queue_from=1, lanes=GATHERED), "2 units are waited for"),
        (1, Balance(backordered=2, queue_from=1, lanes=MENDED), "2 units are waited for"),
    ],
    ids=str,
)
def test_each_lane_is_judged_by_itself(lane: int, balance: Balance, law: str | None) -> None:
    stream = f"{A}#{lane}" if lane else A
    laws = Laws(balances={stream: balance})
    unmoved = e.PositionPolicySet(balance=balance)
    if law is None:
        laws.see(stream, unmoved)
    else:
        with pytest.raises(LawBroken, match=law):
            laws.see(stream, unmoved)
