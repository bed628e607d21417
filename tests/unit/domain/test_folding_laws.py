"""A history that contradicts itself breaks a law: nothing else is ever raised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import events as e
from ledger.domain.balance import EMPTY
from ledger.domain.errors import LawBroken
from ledger.domain.folding import fold
from tests.support.order_events import TWO, asked, part, placed


@pytest.mark.parametrize(
    "event",
    [
        e.OrderShipped(shipment_id="s", shipped=(part(9, "east", 1),)),
        e.OrderCancelled(released=(part(9, "east", 1),)),
        e.BackorderAllocated(allocations=(part(9, "east", 1),)),
        e.OrderAllocated(unfilled=(e.LineQuantity(line=9, quantity=1),)),
        e.ShipmentStarted(shipment_id="s", lines=(e.LineQuantity(line=9, quantity=1),)),
        e.CancellationStarted(units=1, lines=(9,)),
    ],
    ids=lambda event: event.name,
)
def test_a_line_that_was_never_asked_for_breaks_the_history(event: e.OrderEvent) -> None:
    with pytest.raises(LawBroken, match="order o-1 has no line 9"):
        fold("o-1", [TWO, event])


def test_more_than_was_asked_for_breaks_the_history() -> None:
    with pytest.raises(LawBroken, match="line 1: more units accounted for than the 5 ordered"):
        fold("o-1", [placed(asked(1, "A", 5), allocations=(part(1, "east", 6),))])


def test_an_order_takes_no_event_of_a_position() -> None:
    with pytest.raises(LawBroken, match="order o-1 can't take a StockReceived"):
        fold("o-1", [e.StockReceived(quantity=1, balance=EMPTY)])


def test_an_order_is_placed_once() -> None:
    with pytest.raises(LawBroken, match="order o-1 was placed before"):
        fold("o-1", [TWO, TWO])


@pytest.mark.parametrize(
    "event",
    [e.OrderRejected(), e.OrderCancelled(released=()), e.ExpiryStarted()],
    ids=lambda event: event.name,
)
def test_an_order_begins_by_being_placed_or_turned_away(event: e.OrderEvent) -> None:
    with pytest.raises(LawBroken, match=f"order o-1 has no lines: nothing .* {event.name}"):
        fold("o-1", [event])


def test_a_line_that_moved_to_another_lane_breaks_the_history() -> None:
    event = e.OrderAllocated(allocations=(part(1, "east", 1, lane=2),))
    with pytest.raises(LawBroken, match="two lanes"):
        fold("o-1", [placed(asked(1, "A", 9), allocations=(part(1, "east", 1),)), event])


numbers = st.integers(1, 3)
units = st.integers(0, 6)
parts = st.lists(
    st.builds(
        e.Allocation,
        line=numbers,
        location=st.sampled_from(("east", "west")),
        reserved=units,
        backordered=units,
        lane=st.none() | numbers,
    ),
    max_size=3,
).map(tuple)
quantities = st.lists(st.builds(e.LineQuantity, line=numbers, quantity=numbers), max_size=2).map(
    tuple
)
anything = st.one_of(
    st.builds(e.OrderAllocated, allocations=parts, unfilled=quantities),
    st.builds(e.OrderDeallocated, released=parts),
    st.builds(e.OrderRejected, released=parts),
    st.builds(e.BackorderAllocated, allocations=parts),
    st.builds(e.ShipmentStarted, shipment_id=st.just("s"), lines=st.none() | quantities),
    st.builds(e.OrderShipped, shipment_id=st.sampled_from("st"), shipped=parts),
    st.builds(
        e.CancellationStarted,
        units=st.just(1),
        lines=st.none() | st.lists(numbers, max_size=2).map(tuple),
    ),
    st.builds(e.OrderCancelled, released=parts),
    st.builds(e.ExpiryStarted),
    st.builds(e.OrderExpired, released=parts),
)


@given(st.lists(anything, max_size=4))
def test_whatever_history_says_it_adds_up_or_breaks_a_law(history: list[e.OrderEvent]) -> None:
    try:
        order = fold("o-1", [TWO, *history])
    except LawBroken:
        return
    assert order.version == len(history) + 1
    for line in order.lines.values():
        assert line.quantity == line.pending + line.open + line.shipped + line.closed
        assert line.pending >= 0
        assert all(min(place[:3]) >= 0 for place in line.places.values())
