"""The laws: a sound history breaks none, and each way to break one is told as that one."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Balance, Lanes
from ledger.domain.errors import LawBroken
from ledger.domain.laws import Laws
from ledger.domain.position import Position
from ledger.domain.values import MAX_BALANCE, OrderPolicy

A = "stock:A@main"
SPLIT = Lanes(count=2, streams=2)
GATHERED = Lanes(count=2, streams=2, gathered=True)
MENDED = Lanes(count=1, streams=2)


def part(reserved: int, backordered: int = 0, *, entry: int | None = None) -> e.Allocation:
    return e.Allocation(
        line=1, location="main", reserved=reserved, backordered=backordered, entry=entry
    )


class Told:
    """A history that is told to the laws event by event, by the domain itself."""

    def __init__(self) -> None:
        self.laws = Laws()
        self._positions: dict[str, Position] = {}

    def move(self, movement: str, *args: Any, lane: int = 0, **fields: Any) -> None:
        """What a position's method decides happens to it."""
        stream = f"{A}#{lane}" if lane else A
        position = self._positions.get(stream) or Position.of(stream, 0, EMPTY)
        event = getattr(position, movement)(*args, **fields)
        self._positions[stream] = position.after(event)
        self.laws.see(stream, event)

    def split(self, lanes: Lanes, *deltas: int) -> None:
        """All lanes are told how the position is split."""
        for lane, delta in enumerate(deltas):
            self.move("set_lanes", lanes, delta, lane=lane)

    def place(self, units: int, allocation: e.Allocation, order_id: str = "o-1") -> None:
        """An order of one line, allocated in its first event."""
        line = e.OrderLine(line=1, sku="A", quantity=units)
        policy = OrderPolicy.BACKORDER
        event = e.OrderPlaced(policy=policy, line_count=1, lines=(line,), allocations=(allocation,))
        self.laws.see(f"order:{order_id}", event)

    def ship(self, units: int, order_id: str = "o-1") -> None:
        """The order says what it shipped."""
        event = e.OrderShipped(shipment_id="s", shipped=(part(units),))
        self.laws.see(f"order:{order_id}", event)

    @property
    def found(self) -> list[tuple[str, str]]:
        """What the whole breaks."""
        return list(self.laws.conclude())


@pytest.fixture
def told() -> Told:
    """Ten units, of which an order has four, and shipped two of them."""
    told = Told()
    told.move("receive", 10)
    told.move("allocate", "o-1", reserved=6)
    told.place(6, part(6))
    told.move("ship", "o-1", 2)
    told.ship(2)
    return told


def test_a_sound_history_breaks_no_law(told: Told) -> None:
    assert told.found == []
    told.move("allocate", "o-2", reserved=4, backordered=3)
    told.place(7, part(4, 3, entry=4), "o-2")
    assert told.found == []
    told.move("ship", "o-1", 4)
    told.ship(4)
    assert told.found == []
    told.move("ship", "o-2", 4)
    told.ship(4, "o-2")
    assert told.found == []


def test_an_order_that_is_done_is_not_remembered_but_what_it_shipped_is(told: Told) -> None:
    assert list(told.laws.orders) == ["order:o-1"]
    told.move("ship", "o-1", 4)
    told.ship(4)
    assert told.laws.orders == {}
    assert told.found == []


def test_an_order_with_work_under_way_is_remembered(told: Told) -> None:
    started = e.OrderPlaced(
        policy=OrderPolicy.PARTIAL,
        line_count=1,
        lines=(e.OrderLine(line=1, sku="A", quantity=1),),
    )
    told.laws.see("order:o-2", started)
    assert told.laws.orders["order:o-2"].task is not None
    missing = e.LineQuantity(line=1, quantity=1)
    told.laws.see("order:o-2", e.OrderAllocated(unfilled=(missing,)))
    assert list(told.laws.orders) == ["order:o-1"]


@pytest.mark.parametrize(
    ("movement", "fields", "law"),
    [
        ("allocate", {"reserved": 1}, "reserved is 5, but the orders' lines say 4"),
        ("release", {"quantity": 1}, "reserved is 3, but the orders' lines say 4"),
        (
            "allocate",
            {"reserved": 0, "backordered": 2},
            "backordered is 2, but the orders' lines say 0",
        ),
    ],
)
def test_a_promise_no_order_knows_of_is_named(
    told: Told, movement: str, fields: dict[str, int], law: str
) -> None:
    told.move(movement, "o-9", **fields)
    assert told.found == [(A, law)]


def test_a_shipment_no_order_knows_of_is_named(told: Told) -> None:
    told.move("ship", "o-9", 1)
    told.move("allocate", "o-9", reserved=1)
    assert told.found == [(A, "shipped is 3, but the orders' lines say 2")]


def test_a_promise_no_position_knows_of_is_named(told: Told) -> None:
    told.place(1, part(1), "o-2")
    assert told.found == [(A, "reserved is 4, but the orders' lines say 5")]
    told.place(9, part(0, 9, entry=1), "o-3")
    assert told.found[1:] == [(A, "backordered is 0, but the orders' lines say 9")]


@pytest.mark.parametrize("done", [False, True])
def test_a_shipment_no_position_knows_of_is_named(told: Told, done: bool) -> None:
    told.place(2, part(2), "o-2")
    told.move("allocate", "o-2", reserved=2)
    told.ship(2 if done else 1, "o-2")
    told.move("release", "o-2", 2 if done else 1)
    assert told.found == [(A, f"shipped is 2, but the orders' lines say {4 if done else 3}")]


def test_a_promise_at_a_position_without_history_is_named() -> None:
    told = Told()
    told.place(1, part(1))
    assert told.found == [(A, "reserved is 0, but the orders' lines say 1")]


def test_every_position_is_judged() -> None:
    told = Told()
    for sku in ("B", "A"):
        here = Position(sku, "main", 0, Balance(on_hand=1))
        told.laws.balances[here.stream] = here.balance
        told.laws.see(here.stream, here.allocate("o-9", reserved=1))
    assert [stream for stream, _ in told.found] == [A, "stock:B@main"]


@pytest.mark.parametrize(
    ("stream", "event"),
    [
        (A, e.ExpiryStarted()),
        ("order:o-1", e.StockReceived(quantity=1, balance=Balance(on_hand=1))),
        ("other:x", e.StockReceived(quantity=1, balance=Balance(on_hand=1))),
        ("other:x", e.ExpiryStarted()),
    ],
    ids=["order's in a position", "position's in an order", "movement nowhere", "order's nowhere"],
)
def test_an_event_in_a_stream_of_another_kind_is_named(stream: str, event: e.Event) -> None:
    with pytest.raises(LawBroken, match=f"{stream} can't hold a {type(event).__name__}"):
        Laws().see(stream, event)


@pytest.mark.parametrize("stream", ["stock:A", "stock:", "stock:A@", "stock:A@main#x", "order:"])
def test_a_stream_that_names_nothing_is_named(stream: str) -> None:
    kept = e.PositionPolicySet(balance=EMPTY) if stream.startswith("stock") else e.ExpiryStarted()
    laws = Laws()
    with pytest.raises(LawBroken, match=f"{stream}' is not"):
        laws.see(stream, kept)
    assert list(laws.conclude()) == []


def test_a_balance_that_does_not_follow_is_named_once(told: Told) -> None:
    forged = e.StockReceived(quantity=1, balance=Balance(on_hand=99, reserved=4))
    with pytest.raises(LawBroken, match="the balance after StockReceived does not follow"):
        told.laws.see(A, forged)
    told.laws.see(A, e.StockReceived(quantity=1, balance=Balance(on_hand=100, reserved=4)))
    assert told.found == []


def test_a_movement_that_can_not_have_been_is_named(told: Told) -> None:
    too_much = e.StockShipped(order_id="o-1", quantity=9, balance=EMPTY)
    with pytest.raises(LawBroken, match="a balance would break its laws"):
        told.laws.see(A, too_much)


def test_a_counter_beyond_its_limit_is_a_broken_law_of_history() -> None:
    laws = Laws(balances={A: Balance(on_hand=MAX_BALANCE)})
    event = e.StockReceived(quantity=1, balance=Balance(on_hand=MAX_BALANCE))
    with pytest.raises(LawBroken, match="on_hand would exceed"):
        laws.see(A, event)


def test_an_order_that_contradicts_itself_is_named(told: Told) -> None:
    with pytest.raises(LawBroken, match="less than nothing"):
        told.ship(7)


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
        (1, Balance(on_hand=3, lanes=MENDED), "3 units are free on a closed lane"),
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
