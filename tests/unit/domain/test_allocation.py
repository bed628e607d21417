"""Allocation, case by case; tests/property/test_allocation.py tries every allocation there is."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain import allocation
from ledger.domain.allocation import (
    Plan,
    allocate,
    options,
    streams_of,
    wanted_of,
)
from ledger.domain.balance import Balance
from ledger.domain.events import (
    LineQuantity,
    Shortfall,
    StockBackordered,
    StockReserved,
)
from ledger.domain.order import Line
from ledger.domain.position import Position
from ledger.domain.values import OrderPolicy

CANDIDATES = ("east", "west")
ANY, EAST, SHOP = Line(1, "A", 5), Line(2, "A", 5, "east"), Line(3, "A", 5, "shop")
ALL, PART, WAIT = OrderPolicy.ALL_OR_NOTHING, OrderPolicy.PARTIAL, OrderPolicy.BACKORDER


def stock(**on_hand: int) -> dict[str, Position]:
    """Positions of SKU A by location."""
    found = (Position("A", at, 7, Balance(on_hand=units)) for at, units in on_hand.items())
    return {position.stream: position for position in found}


def plan(policy: OrderPolicy, lines: Sequence[Line], **on_hand: int) -> Plan:
    return allocate("o-1", policy, lines, stock(**on_hand), CANDIDATES)


def got(plan: Plan) -> list[tuple[int, str, int, int, int | None]]:
    return [(a.line, a.location, a.reserved, a.backordered, a.entry) for a in plan.allocations]


def test_limits_leave_room_in_a_transaction_of_100() -> None:
    assert allocation.MAX_POSITIONS_PER_COMMIT == 90
    assert allocation.MAX_LINES_PER_EVENT == 1_000


def test_a_line_is_served_from_where_it_says_or_from_the_candidates_in_their_order() -> None:
    assert options(ANY, CANDIDATES) == CANDIDATES
    assert options(SHOP, CANDIDATES) == ("shop",)
    assert streams_of([SHOP, ANY], CANDIDATES) == ["stock:A@east", "stock:A@shop", "stock:A@west"]
    many = [Line(n, sku, 1, "shop") for n, sku in enumerate("HGFEDCBA", 1)]
    assert streams_of(many, CANDIDATES) == [f"stock:{sku}@shop" for sku in "ABCDEFGH"]


def test_what_lines_may_want_of_a_position_is_a_sum_of_what_is_pending() -> None:
    half = SHOP._replace(unfilled=2)
    assert wanted_of([ANY, EAST, half], CANDIDATES) == {
        "stock:A@east": 10,
        "stock:A@west": 5,
        "stock:A@shop": 3,
    }


def test_a_line_that_names_its_location_comes_first() -> None:
    made = plan(ALL, [ANY, EAST], east=6, west=4)
    assert got(made) == [(2, "east", 5, 0, None), (1, "east", 1, 0, None), (1, "west", 4, 0, None)]
    assert made.movements["stock:A@east"] == stock(east=6)["stock:A@east"].allocate(
        "o-1", reserved=6
    )
    assert list(made.movements) == ["stock:A@east", "stock:A@west"]
    assert (made.unfilled, made.shortfalls) == ((), ())


def test_movements_are_told_by_position_whatever_order_the_lines_are_in() -> None:
    lines = [Line(n, sku, 1, "shop") for n, sku in enumerate("CAB", 1)]
    positions = {f"stock:{sku}@shop": Position(sku, "shop", 7, Balance(on_hand=1)) for sku in "ABC"}
    made = allocate("o-1", ALL, lines, positions, CANDIDATES)
    assert list(made.movements) == sorted(positions)
    assert [a.line for a in made.allocations] == [1, 2, 3]


def test_of_lines_alike_the_earlier_comes_first() -> None:
    lines = [Line(2, "A", 5), Line(1, "A", 5)]
    assert got(plan(PART, lines, east=7, west=0)) == [
        (1, "east", 5, 0, None),
        (2, "east", 2, 0, None),
    ]


def test_what_is_there_to_the_last_unit_is_no_shortage() -> None:
    made = plan(ALL, [ANY], east=5, west=9)
    assert got(made) == [(1, "east", 5, 0, None)]
    assert made.wanting == frozenset()


def test_positions_that_had_too_little_are_named() -> None:
    assert plan(ALL, [ANY], east=4, west=1).wanting == {"stock:A@east"}
    assert plan(ALL, [ANY], east=4, west=0).wanting == {"stock:A@east", "stock:A@west"}
    assert plan(WAIT, [ANY], east=4, west=0).wanting == {"stock:A@east", "stock:A@west"}
    assert plan(PART, [ANY], east=0, west=9).wanting == {"stock:A@east"}


def test_all_or_nothing_takes_nothing_when_a_unit_is_missing() -> None:
    made = plan(ALL, [ANY, EAST, SHOP], east=5, west=4, shop=5)
    short = Shortfall(sku="A", requested=5, available=4, lines=(1,))
    assert made == Plan(shortfalls=(short,), wanting=frozenset({"stock:A@east", "stock:A@west"}))


def test_partial_takes_what_is_there_and_says_what_is_missing() -> None:
    made = plan(PART, [ANY, SHOP], east=3, west=0, shop=1)
    assert got(made) == [(3, "shop", 1, 0, None), (1, "east", 3, 0, None)]
    assert made.unfilled == (LineQuantity(line=3, quantity=4), LineQuantity(line=1, quantity=2))
    assert made.shortfalls == (
        Shortfall(sku="A", location="shop", requested=5, available=1, lines=(3,)),
        Shortfall(sku="A", requested=5, available=3, lines=(1,)),
    )
    assert {type(event) for event in made.movements.values()} == {StockReserved}


def test_what_several_lines_lack_of_a_sku_is_one_sum_and_other_skus_and_locations_are_apart() -> (
    None
):
    lines = [ANY, Line(2, "A", 4), Line(3, "B", 3), Line(4, "A", 2, "shop")]
    positions = stock(east=0, west=1, shop=2) | {
        f"stock:B@{at}": Position("B", at, 7) for at in CANDIDATES
    }
    made = allocate("o-1", ALL, lines, positions, CANDIDATES)
    assert made.shortfalls == (
        Shortfall(sku="A", requested=9, available=1, lines=(1, 2)),
        Shortfall(sku="B", requested=3, available=0, lines=(3,)),
    )


def test_who_waits_does_so_at_the_first_location_with_an_entry_in_its_queue() -> None:
    made = plan(WAIT, [ANY, Line(2, "A", 4)], east=3, west=1)
    assert got(made) == [
        (1, "east", 3, 1, 8),
        (1, "west", 1, 0, None),
        (2, "east", 0, 4, 8),
    ]
    assert (made.unfilled, made.shortfalls) == ((), ())
    waits = made.movements["stock:A@east"]
    assert isinstance(waits, StockBackordered)
    assert (waits.order_id, waits.reserved, waits.quantity) == ("o-1", 3, 5)
    assert isinstance(made.movements["stock:A@west"], StockReserved)


def test_what_the_queue_waits_for_is_not_there_for_others() -> None:
    queued = Position("A", "east", 7, Balance(on_hand=5, backordered=3, queue_from=2))
    made = allocate("o-1", PART, [EAST], {"stock:A@east": queued}, CANDIDATES)
    assert got(made) == [(2, "east", 2, 0, None)]


def test_who_gets_all_does_not_wait() -> None:
    made = plan(WAIT, [ANY], east=9, west=0)
    assert got(made) == [(1, "east", 5, 0, None)]
    assert isinstance(made.movements["stock:A@east"], StockReserved)


def test_what_a_lane_gives_is_told_with_the_lane() -> None:
    lane = Position("A", "east", 7, Balance(on_hand=9), lane=3)
    made = allocate("o-1", ALL, [EAST], {"stock:A@east": lane}, CANDIDATES)
    assert [a.lane for a in made.allocations] == [3]
    assert list(made.movements) == ["stock:A@east#3"]
    assert [a.lane for a in plan(ALL, [EAST], east=9).allocations] == [None]
