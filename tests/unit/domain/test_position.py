"""Positions: what each movement does to the balance, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Balance, Lanes, Moves
from ledger.domain.errors import InsufficientStock, LawBroken
from ledger.domain.position import Position, balance_follows
from ledger.domain.values import Disposition, Money

TWO = Lanes(count=2, streams=3)
ONE = Lanes(count=1, streams=3)
GATHERED = Lanes(count=2, streams=3, gathered=True)


def position(lane: int = 0, **balance: Any) -> Position:
    return Position("A", "main", 7, Balance.model_validate(balance), lane)


HERE = position(on_hand=10, reserved=4, damaged=1)


def test_a_position_begins_whole_and_with_nothing() -> None:
    assert Position("A", "main") == ("A", "main", 0, EMPTY, 0)


@pytest.mark.parametrize(("stream", "lane"), [("stock:A@main", 0), ("stock:A@main#2", 2)])
def test_a_position_is_known_by_its_stream(stream: str, lane: int) -> None:
    found = Position.of(stream, 7, EMPTY)
    assert found == Position("A", "main", 7, EMPTY, lane)
    assert found.stream == stream


@pytest.mark.parametrize(
    ("event", "moves"),
    [
        (HERE.receive(5), Moves(on_hand=5)),
        (HERE.adjust(-5, reason="counted"), Moves(on_hand=-5)),
        (HERE.adjust(5, reason="found"), Moves(on_hand=5)),
        (HERE.return_(2, disposition=Disposition.RESTOCK), Moves(on_hand=2)),
        (HERE.return_(2, disposition=Disposition.DAMAGED), Moves(on_hand=2, damaged=2)),
        (HERE.allocate("o", reserved=5), Moves(reserved=5)),
        (HERE.allocate("o", reserved=5, backordered=3), Moves(reserved=5, backordered=3)),
        (HERE.release("o", 4), Moves(reserved=-4)),
        (HERE.expire("o", 1), Moves(reserved=-1)),
        (HERE.ship("o", 4), Moves(on_hand=-4, reserved=-4)),
        (HERE.set_policy(low_stock_threshold=3), Moves()),
        (HERE.escrow(-5), Moves(on_hand=-5, escrowed=-5)),
        (HERE.set_lanes(TWO, -2), Moves(on_hand=-2, escrowed=-2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_movement_moves_what_it_says(event: e.PositionEvent, moves: Moves) -> None:
    assert event.moves(event.__dict__) == moves
    assert balance_follows(HERE.balance, event) is True
    assert HERE.after(event) == Position("A", "main", 8, event.balance)


def test_a_movement_keeps_what_was_said_of_it() -> None:
    cost = Money(amount=250, currency="GBP")
    received = HERE.receive(5, cost=cost, reference="R-1")
    assert (received.quantity, received.cost, received.reference) == (5, cost, "R-1")
    adjusted = HERE.adjust(-1, reason="broken", reference="R-2")
    assert (adjusted.delta, adjusted.reason, adjusted.reference) == (-1, "broken", "R-2")
    returned = HERE.return_(1, disposition=Disposition.RESTOCK, order_id="o", reference="R-3")
    assert (returned.quantity, returned.order_id, returned.reference) == (1, "o", "R-3")
    assert returned.disposition is Disposition.RESTOCK


def test_the_rest_of_a_release_is_taken_out_of_the_queue() -> None:
    waits = position(on_hand=4, reserved=4, backordered=2, queue_from=3)
    for kind, event in (
        (e.ReservationReleased, waits.release("o", 3, 2)),
        (e.ReservationExpired, waits.expire("o", 3, 2)),
    ):
        assert type(event) is kind
        assert (event.order_id, event.quantity, event.backordered) == ("o", 3, 2)
        assert (event.balance.reserved, event.balance.backordered) == (1, 0)
    assert waits.release("o", 4).backordered == 0
    assert waits.expire("o", 4).backordered == 0


@pytest.mark.parametrize("take", [6, 7])
def test_what_is_reserved_or_damaged_cannot_be_adjusted_away(take: int) -> None:
    with pytest.raises(InsufficientStock) as caught:
        HERE.adjust(-take, reason="counted")
    (short,) = caught.value.shortfalls
    assert short == e.Shortfall(sku="A", location="main", requested=take, available=5)
    assert HERE.adjust(-5, reason="counted").balance.free == 0


def test_a_new_order_cannot_take_what_the_queue_waits_for() -> None:
    here = position(on_hand=10, backordered=8, queue_from=3)
    with pytest.raises(InsufficientStock) as caught:
        here.allocate("late", reserved=3)
    (short,) = caught.value.shortfalls
    assert short == e.Shortfall(sku="A", location="main", requested=3, available=2)
    assert here.allocate("late", reserved=2).balance.available == 0


def test_who_need_not_wait_is_not_in_the_queue() -> None:
    assert type(HERE.allocate("o", reserved=5)) is e.StockReserved
    waits = HERE.allocate("o", reserved=2, backordered=1)
    assert isinstance(waits, e.StockBackordered)
    assert (waits.order_id, waits.quantity, waits.reserved) == ("o", 1, 2)


def test_the_first_of_a_queue_marks_where_it_starts_and_later_ones_do_not() -> None:
    first = position(on_hand=2).allocate("a", reserved=2, backordered=5)
    assert first.balance.queue_from == 8
    second = Position("A", "main", 8, first.balance).allocate("b", reserved=0, backordered=1)
    assert second.balance.queue_from == 8


def test_promotion_moves_the_start_of_the_queue_past_an_entry_that_is_served() -> None:
    here = position(on_hand=6, backordered=8, queue_from=3)
    partly = here.promote("a", 6, entry=3, waiting=7)
    assert (partly.balance.reserved, partly.balance.backordered) == (6, 2)
    assert partly.balance.queue_from == 3
    assert (partly.order_id, partly.quantity, partly.entry) == ("a", 6, 3)
    whole = here.promote("a", 5, entry=3, waiting=5)
    assert whole.balance.queue_from == 4
    last = position(on_hand=9, backordered=2, queue_from=3).promote("a", 2, entry=3, waiting=2)
    assert last.balance.queue_from is None


@pytest.mark.parametrize(("quantity", "waiting"), [(7, 8), (5, 4)])
def test_promotion_is_of_free_units_and_of_no_more_than_wait(quantity: int, waiting: int) -> None:
    here = position(on_hand=9, reserved=2, damaged=1, backordered=8, queue_from=3)
    with pytest.raises(LawBroken, match=f"promoting {quantity} of {waiting}, 6 free"):
        here.promote("a", quantity, entry=3, waiting=waiting)


def test_the_policy_stays_with_the_balance() -> None:
    here = position(on_hand=1, low_stock_threshold=5)
    assert here.receive(1).balance.low_stock_threshold == 5
    event = here.set_policy(low_stock_threshold=None)
    assert (event.low_stock_threshold, event.balance.low_stock_threshold) == (None, None)
    assert here.set_policy(low_stock_threshold=0).balance.low_stock_threshold == 0


@pytest.mark.parametrize(
    ("lanes", "closed"),
    [(None, []), (TWO, [2]), (ONE, [1, 2]), (GATHERED, [1, 2])],
    ids=["whole", "split", "mended", "gathered"],
)
def test_lanes_that_take_no_orders_are_closed(lanes: Lanes | None, closed: list[int]) -> None:
    assert [n for n in range(3) if position(n, lanes=lanes).closed is True] == closed
    assert [n for n in range(3) if position(n, lanes=lanes).closed is not False] == closed


@pytest.mark.parametrize("before", [None, 0, 3])
def test_how_a_position_is_split_is_said_with_what_it_brought_this_lane(before: int | None) -> None:
    here = position(on_hand=10, escrowed=before)
    event = here.set_lanes(TWO, 2)
    assert (event.lanes, event.delta, event.balance.lanes) == (TWO, 2, TWO)
    assert event.balance.escrowed == (before or 0) + 2
    assert balance_follows(here.balance, event)


def test_a_lane_that_got_nothing_holds_nothing_of_others() -> None:
    assert position(on_hand=10).set_lanes(TWO, 0).balance.escrowed == 0


def test_what_comes_free_on_a_closed_lane_goes_and_on_an_open_one_stays() -> None:
    held = {"on_hand": 4, "reserved": 4, "lanes": TWO, "escrowed": 1}
    closed, opened = position(2, **held), position(1, **held)
    for went in (closed.release("o", 3), closed.expire("o", 3)):
        assert went.escrowed == 3
        assert (went.balance.on_hand, went.balance.free, went.balance.escrowed) == (1, 0, -2)
    assert opened.release("o", 3).escrowed is None
    assert opened.expire("o", 3).balance.free == 3
    assert closed.release("o", 0, 0).escrowed is None, "nothing came free"


SOUND = position(
    on_hand=10, reserved=1, damaged=1, low_stock_threshold=2, lanes=TWO, escrowed=3
).receive(5)
BEFORE = SOUND.balance.model_copy(update={"on_hand": 10})


@pytest.mark.parametrize(
    "change",
    [
        {"on_hand": 16},
        {"reserved": 0},
        {"damaged": 0},
        {"backordered": 1, "queue_from": 1},
        {"escrowed": 4},
        {"escrowed": None},
        {"escrowed": 1},
        {"low_stock_threshold": 3},
        {"low_stock_threshold": None},
        {"lanes": ONE},
        {"lanes": None},
        {"queue_from": 3},
    ],
    ids=str,
)
def test_an_altered_balance_does_not_follow(change: dict[str, Any]) -> None:
    assert balance_follows(BEFORE, SOUND) is True
    forged = SOUND.model_copy(update={"balance": SOUND.balance.model_copy(update=change)})
    assert balance_follows(BEFORE, forged) is False


@pytest.mark.parametrize(("queue_from", "follows"), [(3, True), (8, True), (None, False)])
def test_a_queue_starts_somewhere_as_long_as_anybody_waits(
    queue_from: int | None, follows: bool
) -> None:
    event = position(backordered=1, queue_from=3).receive(5)
    forged = event.balance.model_copy(update={"queue_from": queue_from})
    before = Balance(backordered=1, queue_from=3)
    assert balance_follows(before, event.model_copy(update={"balance": forged})) is follows


def test_one_unit_that_came_from_nowhere_does_not_follow() -> None:
    event = position().receive(5)
    forged = event.model_copy(update={"balance": event.balance.model_copy(update={"escrowed": 1})})
    assert balance_follows(EMPTY, forged) is False
    nothing = event.model_copy(update={"balance": event.balance.model_copy(update={"escrowed": 0})})
    assert balance_follows(EMPTY, nothing) is True


def test_only_a_policy_changes_the_threshold_and_only_a_split_the_lanes() -> None:
    policy = HERE.set_policy(low_stock_threshold=3)
    split = HERE.set_lanes(TWO, 0)
    for event, other in ((policy, {"low_stock_threshold": 4}), (split, {"lanes": ONE})):
        assert balance_follows(HERE.balance, event)
        forged = event.model_copy(update={"balance": event.balance.model_copy(update=other)})
        assert not balance_follows(HERE.balance, forged)
