"""Positions that processes contend for are split by the orders that want them, if it is wished."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.domain.streams import lane_stream, stock_stream
from ledger.errors import Contention
from ledger.service import Context, Ledger, SetLanes, SetPositionPolicy
from ledger.service.history import balance_of
from tests.support.api_calls import WRITE
from tests.support.event_stores import EVERYWHERE, EventTables, verified
from tests.support.till import Till, order

pytestmark = pytest.mark.parametrize("tables", EVERYWHERE[:1] + EVERYWHERE[2:], indirect=True)

LANES = 4
STREAM = stock_stream("A", "main")
CROWDED = 5
"""So often another process has to be first: it shows, it is waited for, and three times more."""


@pytest.fixture
def till(tables: EventTables) -> Till:
    return Till(tables, LANES)


def lanes(ledger: Ledger) -> list[int]:
    """How many units are on hand on each lane; nothing if the position is whole."""
    first = ledger.history.newest(STREAM)
    assert first is not None
    split = balance_of(first).lanes
    if split is None:
        return []
    found = [ledger.history.newest(lane_stream(STREAM, n)) for n in range(split.streams)]
    return [balance_of(lane).on_hand for lane in found if lane is not None]


def total(ledger: Ledger) -> tuple[int, int]:
    """On hand and reserved, over all lanes."""
    level = ledger.history.position(STREAM)
    assert level is not None
    return level.balance.on_hand, level.balance.reserved


def test_an_order_that_is_outrun_again_and_again_splits_the_position(till: Till) -> None:
    till.overtaken(times=CROWDED)
    outcome = order(till.ledger, "o", units=3)
    assert len(lanes(till.ledger)) == LANES
    assert sum(lanes(till.ledger)) == 10 * (1 + CROWDED)
    assert total(till.ledger) == (60, 3)
    kinds = [event.type for event in outcome.events]
    assert kinds == ["OrderPlaced", *["PositionLanesSet"] * LANES, "StockReserved"]
    assert {event.command for event in outcome.events} == {outcome.events[0].command}
    assert verified(till.ledger.recorder).ok


def test_one_that_meets_another_now_and_then_does_not(till: Till) -> None:
    for n in range(10):
        till.overtaken(times=2)
        order(till.ledger, f"o-{n}")
        till.time += timedelta(seconds=2)
    assert lanes(till.ledger) == []


def test_nothing_is_split_unasked(tables: EventTables) -> None:
    till = Till(tables)
    till.overtaken(times=2 * CROWDED)
    order(till.ledger, "o")
    assert lanes(till.ledger) == []


def test_afterwards_nobody_keeps_out_of_the_way(till: Till) -> None:
    """The next order has a lane of its own, of which all is remembered."""
    till.overtaken(times=CROWDED)
    order(till.ledger, "o")
    till.api.take()
    till.retry.asked.clear()
    order(till.ledger)
    assert (till.api.take(), till.retry.asked) == ([WRITE], [])


def test_others_learn_of_it_by_the_conflict(till: Till, tables: EventTables) -> None:
    other = Ledger(tables.open())
    order(other, "first")
    till.overtaken(times=CROWDED)
    order(till.ledger, "o")
    order(other, "second", units=2)
    assert total(other) == (60, 4)
    report = verified(till.ledger.recorder)
    assert report.ok, report.findings


@pytest.mark.parametrize("threshold", [None, 59])
def test_too_few_units_are_left_in_one_stream(till: Till, threshold: int | None) -> None:
    policy = SetPositionPolicy("A", "main", threshold)
    till.ledger.handle(policy, Context("operator"))
    till.overtaken(times=CROWDED)
    order(till.ledger, "o", units=60 - 2 * LANES + 1 if threshold is None else 1)
    assert lanes(till.ledger) == []


def test_what_an_operator_made_whole_again_stays_so(till: Till) -> None:
    for count in (2, 1):
        till.ledger.handle(SetLanes("A", "main", count), Context("operator"))
    till.overtaken(times=CROWDED)
    order(till.ledger, "o")
    assert lanes(till.ledger) == [60, 0]


def test_a_split_that_never_wins_leaves_everything_as_it_was(till: Till) -> None:
    till.overtaken(times=100)
    with pytest.raises(Contention):
        order(till.ledger, "o")
    assert lanes(till.ledger) == []
    assert till.ledger.history.newest(lane_stream(STREAM, 1)) is None
    assert verified(till.ledger.recorder).ok
