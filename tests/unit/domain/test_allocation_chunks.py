"""Work too large for one commit: how it is cut, and what each part of it moves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.domain.allocation import next_lines, next_parts, part_streams, settle
from ledger.domain.balance import Balance, Lanes
from ledger.domain.events import Allocation, PositionEvent, ReservationReleased, StockEscrowed
from ledger.domain.order import Line, Order, Place
from ledger.domain.position import Position
from tests.support.histories import small_commits

CANDIDATES = ("east", "west")


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
    order = holding(*((sku, ONE) for sku in "HGFEDCBB"), ("A", ONE._replace(lane=2)))
    assert part_streams(order, order.open_places()) == [
        "stock:A@main#2",
        *(f"stock:{sku}@main" for sku in "BCDEFGH"),
    ]


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


def test_movements_are_sorted_by_stream_whatever_order_the_parts_come_in() -> None:
    skus = "HGFEDCBA"
    order = holding(*((sku, Place(1, lane=lane)) for lane in (1, 0) for sku in skus))
    positions: dict[str, Position] = {}
    for sku in skus:
        positions |= lanes_of(sku, lane0=5, lane1=5)
    settled = settle(order, order.open_places()[::-1], positions, release)
    assert [stream for stream, _ in settled] == [
        *(f"stock:{sku}@main#1" for sku in skus[::-1]),
        *(f"stock:{sku}@main" for sku in skus[::-1]),
        *(f"stock:{sku}@main" for sku in skus[::-1]),
    ]
