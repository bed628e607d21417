"""Allocation, case by case; tests/property/test_allocation.py tries every allocation there is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.domain import allocation
from ledger.domain.allocation import (
    Plan,
    allocate,
    next_lines,
    next_parts,
    options,
    part_streams,
    settle,
    streams_of,
    wanted_of,
)
from ledger.domain.balance import Balance, Lanes
from ledger.domain.events import (
    Allocation,
    LineQuantity,
    PositionEvent,
    ReservationReleased,
    Shortfall,
    StockBackordered,
    StockEscrowed,
    StockReserved,
)
from ledger.domain.order import Line, Order, Place
from ledger.domain.position import Position
from ledger.domain.values import OrderPolicy
from tests.support.histories import small_commits

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


def chunks(lines: Sequence[Line], most: int | None = None) -> list[list[int]]:
    """Lines by number, in chunks of 3 positions and 4 lines."""
    left, found = list(lines), []
    with small_commits(positions=3, lines=4):
        while chunk := next_lines(left, CANDIDATES, most):
            found.append([line.line for line in chunk])
            left = [line for line in left if line not in chunk]
    return found


def of(*skus: str, location: str | None = "main") -> list[Line]:
    return [Line(n, sku, 1, location) for n, sku in enumerate(skus, 1)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (of(), []),
        (of("A", "B", "C"), [[1, 2, 3]]),
        (of("A", "B", "C", "D"), [[1, 2, 3], [4]]),
        (of("A", "A", "A", "A"), [[1, 2, 3, 4]]),
        (of("A", "A", "A", "A", "A"), [[1, 2, 3, 4], [5]]),
        (of("D", "C", "B", "A"), [[4, 3, 2], [1]]),
        (of("A", "B", location=None), [[1], [2]]),
        ([*of("A", "B", "C"), Line(4, "A", 1, "main")], [[1, 4, 2, 3]]),
        ([Line(1, "A", 1), Line(2, "A", 1, "west"), Line(3, "A", 1, "east")], [[3, 2, 1]]),
        ([Line(1, "A", 1, unfilled=1), Line(2, "B", 1)], [[2]]),
    ],
    ids=str,
)
def test_an_order_is_cut_by_position_into_chunks_a_commit_holds(
    lines: list[Line], expected: list[list[int]]
) -> None:
    assert chunks(lines) == expected


def test_a_chunk_holds_fewer_positions_if_asked_and_never_more() -> None:
    four = of("A", "B", "C", "D")
    assert chunks(four, most=1) == [[1], [2], [3], [4]]
    assert chunks(four, most=2) == [[1, 2], [3, 4]]
    assert chunks(four, most=99) == [[1, 2, 3], [4]]


def test_a_line_too_large_for_a_chunk_is_a_chunk() -> None:
    assert chunks(of("A", "B", location=None), most=1) == [[1], [2]]


def parts_of(order: Order) -> list[Allocation]:
    return order.open_places()


def holding(*places: tuple[str, Place]) -> Order:
    """An order that holds SKU by SKU what is told, at main."""
    lines = {n: Line(n, sku, 9, places={"main": place}) for n, (sku, place) in enumerate(places, 1)}
    return Order("o-1", lines=lines)


ONE = Place(1)


@pytest.mark.parametrize(
    ("places", "first"),
    [
        ([], 0),
        ([("A", ONE), ("B", ONE), ("C", ONE)], 3),
        ([("A", ONE), ("B", ONE), ("C", ONE), ("D", ONE)], 3),
        ([("A", ONE)] * 5, 4),
        ([("A", ONE), ("B", ONE._replace(lane=2)), ("C", ONE)], 2),
        ([("A", ONE._replace(lane=n)) for n in (0, 1, 2, 3)], 3),
    ],
)
def test_parts_are_settled_in_chunks_and_a_lane_may_write_lane_0_too(
    places: list[tuple[str, Place]], first: int
) -> None:
    order = holding(*places)
    with small_commits(positions=3, lines=4):
        assert next_parts(order, parts_of(order)) == parts_of(order)[:first]


def test_a_part_too_large_for_a_chunk_is_a_chunk() -> None:
    order = holding(("A", ONE._replace(lane=1)), ("B", ONE))
    with small_commits(positions=1, lines=1):
        assert next_parts(order, parts_of(order)) == parts_of(order)[:1]


def test_streams_of_parts_are_sorted_and_told_once() -> None:
    order = holding(("B", ONE), ("A", ONE._replace(lane=2)), ("A", ONE._replace(lane=2)))
    assert part_streams(order, parts_of(order)) == ["stock:A@main#2", "stock:B@main"]


def release(position: Position, reserved: int, backordered: int) -> PositionEvent:
    return position.release("o-1", reserved, backordered)


def lanes_of(sku: str, **held: int) -> dict[str, Position]:
    """Lane 0, open, and lanes 1 and 2, closed: what each has reserved."""
    split = Lanes(count=1, streams=3)
    found = [
        Position(
            sku,
            "main",
            7,
            Balance(on_hand=units, reserved=units, lanes=split, escrowed=0),
            int(n[-1]),
        )
        for n, units in held.items()
    ]
    return {position.stream: position for position in found}


def test_parts_of_one_position_are_settled_by_one_movement() -> None:
    order = holding(("B", Place(2, 1)), ("A", Place(3)), ("B", Place(4, 2)))
    positions = {
        "stock:A@main": Position("A", "main", 7, Balance(on_hand=9, reserved=9)),
        "stock:B@main": Position(
            "B", "main", 7, Balance(on_hand=9, reserved=9, backordered=9, queue_from=1)
        ),
    }
    settled = settle(order, parts_of(order), positions, release)
    assert settled == [
        ("stock:A@main", positions["stock:A@main"].release("o-1", 3)),
        ("stock:B@main", positions["stock:B@main"].release("o-1", 6, 3)),
    ]


def test_what_comes_free_on_closed_lanes_goes_to_lane_0_which_settles_after_it() -> None:
    order = holding(*(("A", Place(n + 1, lane=n)) for n in (0, 1, 2)))
    positions = lanes_of("A", lane0=5, lane1=5, lane2=5)
    settled = settle(order, parts_of(order), positions, release)
    streams = [stream for stream, _ in settled]
    assert streams == ["stock:A@main#1", "stock:A@main#2", "stock:A@main", "stock:A@main"]
    first, second, escrow, last = [event for _, event in settled]
    assert isinstance(first, ReservationReleased)
    assert isinstance(second, ReservationReleased)
    assert (first.escrowed, second.escrowed) == (2, 3)
    assert isinstance(escrow, StockEscrowed)
    assert escrow == positions["stock:A@main"].escrow(5)
    assert last == positions["stock:A@main"].after(escrow).release("o-1", 1)


def test_what_ships_from_a_lane_frees_nothing() -> None:
    order = holding(("A", Place(2, lane=1)))
    positions = lanes_of("A", lane1=5)
    settled = settle(order, parts_of(order), positions, lambda p, units, _: p.ship("o-1", units))
    assert settled == [("stock:A@main#1", positions["stock:A@main#1"].ship("o-1", 2))]
