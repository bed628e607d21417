"""Orders: every unit has one fate, an order one status, and parts come in the order they must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import LawBroken
from ledger.domain.events import Allocation
from ledger.domain.order import Line, Order, OrderStatus, Place, Shipment, Task, TaskKind, Totals
from ledger.domain.values import OrderPolicy


def part(line: int, location: str, reserved: int, backordered: int = 0) -> Allocation:
    return Allocation(line=line, location=location, reserved=reserved, backordered=backordered)


def order(*lines: Line) -> Order:
    return Order("o-1", lines={line.line: line for line in lines})


MIXED = Line(
    1,
    "A",
    100,
    places={"east": Place(1, 2, 4), "west": Place(8, 16, 32, entry=3, lane=2)},
    unfilled=5,
    cancelled=6,
    expired=7,
    rejected=8,
)
"""63 of its 100 units are held or left, 26 are closed."""


def test_an_order_begins_with_nothing() -> None:
    assert Order("o-1") == (
        "o-1", 0, None, OrderPolicy.ALL_OR_NOTHING, None, {}, (), (), None
    )  # fmt: skip
    assert Order("o-1").stream == "order:o-1"
    assert Line(1, "A", 5) == (1, "A", 5, None, {}, 0, 0, 0, 0)
    assert Place() == (0, 0, 0, None, 0)
    assert Totals() == (0,) * 8
    assert Task(TaskKind.EXPIRY) == (TaskKind.EXPIRY, {}, None, None)
    assert Shipment("s", 1, None) == ("s", 1, None)


def test_a_line_adds_up_what_it_holds_anywhere() -> None:
    assert (MIXED.reserved, MIXED.backordered, MIXED.shipped) == (9, 18, 36)
    assert (MIXED.open, MIXED.closed, MIXED.pending) == (27, 26, 11)
    assert Line(1, "A", 5).pending == 5


def test_an_order_adds_up_its_lines() -> None:
    totals = order(MIXED, MIXED._replace(line=2)).totals
    assert totals == (200, 18, 36, 72, 10, 12, 14, 16)
    assert (totals.open, totals.pending) == (54, 22)


@pytest.mark.parametrize(
    ("fates", "status"),
    [
        ({}, OrderStatus.ALLOCATING),
        ({"reserved": 9}, OrderStatus.ALLOCATING),
        ({"unfilled": 9}, OrderStatus.ALLOCATING),
        ({"reserved": 10}, OrderStatus.ALLOCATED),
        ({"reserved": 9, "backordered": 1}, OrderStatus.BACKORDERED),
        ({"backordered": 10}, OrderStatus.BACKORDERED),
        ({"backordered": 9, "shipped": 1}, OrderStatus.PARTIALLY_SHIPPED),
        ({"reserved": 9, "shipped": 1}, OrderStatus.PARTIALLY_SHIPPED),
        ({"shipped": 10}, OrderStatus.SHIPPED),
        ({"shipped": 1, "cancelled": 9}, OrderStatus.SHIPPED),
        ({"shipped": 1, "expired": 9}, OrderStatus.SHIPPED),
        ({"shipped": 1, "unfilled": 9}, OrderStatus.SHIPPED),
        ({"cancelled": 10}, OrderStatus.CANCELLED),
        ({"cancelled": 1, "unfilled": 9}, OrderStatus.CANCELLED),
        ({"expired": 1, "cancelled": 9}, OrderStatus.EXPIRED),
        ({"expired": 10}, OrderStatus.EXPIRED),
        ({"unfilled": 10}, OrderStatus.REJECTED),
        ({"rejected": 10}, OrderStatus.REJECTED),
        ({"rejected": 4, "unfilled": 6}, OrderStatus.REJECTED),
        ({"rejected": 9, "cancelled": 1}, OrderStatus.CANCELLED),
    ],
    ids=str,
)
def test_an_order_has_one_status(fates: dict[str, int], status: OrderStatus) -> None:
    assert Totals(ordered=10, **fates).status is status
    held = [fates.get(name, 0) for name in ("reserved", "backordered", "shipped")]
    closed = [fates.get(name, 0) for name in ("unfilled", "cancelled", "expired", "rejected")]
    line = Line(1, "A", 10, None, {"main": Place(*held)}, *closed)
    assert order(line).status is status


@given(st.tuples(*[st.integers(0, 9)] * 6), st.integers(0, 9))
def test_every_unit_is_pending_open_shipped_or_closed(fates: tuple[int, ...], left: int) -> None:
    reserved, backordered, shipped, *closed = fates
    line = Line(1, "A", sum(fates) + left, None, {"x": Place(reserved, backordered, shipped)})
    line = line._replace(unfilled=closed[0], cancelled=closed[1], expired=closed[2])
    assert line.pending == left
    assert line.quantity == line.pending + line.open + line.shipped + line.closed
    totals = order(line).totals
    assert (totals.pending, totals.open) == (line.pending, line.open)


def test_a_line_moves_at_one_location_and_stays_what_it_is_elsewhere() -> None:
    moved = MIXED.moved("west", reserved=-8, backordered=-1, shipped=8)
    assert moved.places == {"east": Place(1, 2, 4), "west": Place(0, 15, 40, 3, 2)}
    assert moved._replace(places=MIXED.places) == MIXED
    assert MIXED.moved("west") == MIXED
    assert MIXED.moved("west", entry=9).places["west"] == Place(8, 16, 32, 9, 2)


def test_a_line_comes_to_a_new_location_with_what_it_gets_there() -> None:
    line = Line(1, "A", 9)
    got = line.moved("main", reserved=3, backordered=2, entry=7, lane=4)
    assert got.places == {"main": Place(3, 2, 0, 7, 4)}
    assert line.moved("main", reserved=1).places == {"main": Place(1)}
    assert line.moved("main", reserved=1, lane=0).places == {"main": Place(1)}
    assert line.moved("main", shipped=1).places["main"].shipped == 1
    assert line.places == {}


@pytest.mark.parametrize(
    "moves", [{"reserved": -9}, {"backordered": -17}, {"shipped": -33}], ids=str
)
def test_a_line_can_not_hold_less_than_nothing(moves: dict[str, int]) -> None:
    with pytest.raises(LawBroken, match="less than nothing at west"):
        MIXED.moved("west", **moves)
    ((name, units),) = moves.items()
    assert getattr(MIXED.moved("west", **{name: units + 1}).places["west"], name) == 0


def test_a_line_holds_units_of_one_lane_at_a_location() -> None:
    assert MIXED.moved("west", reserved=1, lane=2).places["west"].lane == 2
    with pytest.raises(LawBroken, match="two lanes at west"):
        MIXED.moved("west", reserved=1, lane=0)


def test_no_more_units_have_a_fate_than_were_ordered() -> None:
    full = Line(1, "A", 9, unfilled=9)
    full.check()
    with pytest.raises(LawBroken, match="line 1: more units accounted for than the 9 ordered"):
        full._replace(unfilled=10).check()


LARGE = order(
    Line(1, "B", 50, places={"west": Place(5, 0, 0), "east": Place(3, 4, 0)}),
    Line(2, "A", 50, places={"west": Place(0, 6, 9, lane=3), "east": Place(0, 0, 9)}),
    Line(3, "A", 50, places={"west": Place(1)}),
)


def test_what_is_open_is_told_by_position() -> None:
    assert LARGE.open_places() == [
        part(2, "west", 0, 6),
        part(3, "west", 1),
        part(1, "east", 3, 4),
        part(1, "west", 5),
    ]
    assert LARGE.open_places([3, 1]) == [
        part(3, "west", 1),
        part(1, "east", 3, 4),
        part(1, "west", 5),
    ]
    assert LARGE.open_places([]) == []


def test_units_are_taken_from_where_they_were_allocated_first() -> None:
    assert LARGE.pick({1: 6, 3: 1}) == [part(3, "west", 1), part(1, "east", 1), part(1, "west", 5)]
    assert LARGE.pick({1: 2}) == [part(1, "west", 2)]
    assert LARGE.pick({1: 5}) == [part(1, "west", 5)]
    assert LARGE.pick({1: 8}) == [part(1, "east", 3), part(1, "west", 5)]
    assert LARGE.pick({}) == []


def test_who_holds_units_is_told_with_the_stream_that_holds_them() -> None:
    assert sorted(LARGE.holdings()) == [
        ("stock:A@east", 0, 0, 9),
        ("stock:A@west", 1, 0, 0),
        ("stock:A@west#3", 0, 6, 9),
        ("stock:B@east", 3, 4, 0),
        ("stock:B@west", 5, 0, 0),
    ]
    assert LARGE.stream_of(part(2, "west", 1)) == "stock:A@west#3"
    assert LARGE.stream_of(part(1, "east", 1)) == "stock:B@east"
