"""The laws: a sound history breaks none, and each way to break one is told as that one."""

from __future__ import annotations

import pytest

from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Balance
from ledger.domain.errors import LawBroken
from ledger.domain.laws import Laws
from ledger.domain.position import Position
from ledger.domain.values import MAX_BALANCE, OrderPolicy
from tests.support.told import A, Told, part


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
    for sku in "HGFEDCBA":
        here = Position(sku, "main", 0, Balance(on_hand=1))
        told.laws.balances[here.stream] = here.balance
        told.laws.see(here.stream, here.allocate("o-9", reserved=1))
    assert [stream for stream, _ in told.found] == [f"stock:{sku}@main" for sku in "ABCDEFGH"]


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
