"""Positions: what each movement does to the balance, and what is refused."""

from __future__ import annotations

import pytest

from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Balance, Moves
from ledger.domain.errors import BalanceLimitExceeded, InsufficientStock, LawBroken
from ledger.domain.position import Position, balance_follows
from ledger.domain.values import MAX_BALANCE, Disposition


def position(**balance: int) -> Position:
    return Position("A", "main", 7, Balance.model_validate(balance))


def test_available_is_what_is_free_less_what_the_queue_waits_for() -> None:
    balance = Balance(on_hand=10, reserved=3, damaged=2, backordered=4)
    assert (balance.free, balance.available) == (5, 1)
    assert Balance(on_hand=10, reserved=9, backordered=4).available == 0


def test_each_movement_moves_what_it_says() -> None:
    here = position(on_hand=10, reserved=4, damaged=1)
    for event, moves in (
        (here.receive(5), Moves(on_hand=5)),
        (here.adjust(-5, reason="counted"), Moves(on_hand=-5)),
        (here.return_(2, disposition=Disposition.RESTOCK), Moves(on_hand=2)),
        (here.return_(2, disposition=Disposition.DAMAGED), Moves(on_hand=2, damaged=2)),
        (here.allocate("o", reserved=5), Moves(reserved=5)),
        (here.allocate("o", reserved=5, backordered=3), Moves(reserved=5, backordered=3)),
        (here.release("o", 4), Moves(reserved=-4)),
        (here.expire("o", 1), Moves(reserved=-1)),
        (here.ship("o", 4), Moves(on_hand=-4, reserved=-4)),
        (here.set_policy(low_stock_threshold=3), Moves()),
    ):
        assert event.moves(event.__dict__) == moves
        assert balance_follows(here.balance, event)
        assert here.after(event) == Position("A", "main", 8, event.balance)


def test_what_is_reserved_or_damaged_cannot_be_adjusted_away() -> None:
    here = position(on_hand=10, reserved=4, damaged=1)
    with pytest.raises(InsufficientStock) as caught:
        here.adjust(-6, reason="counted")
    assert caught.value.shortfalls[0].available == 5
    assert "A at main: 6 requested, 5 available" in str(caught.value)


def test_a_new_order_cannot_take_what_the_queue_waits_for() -> None:
    here = position(on_hand=10, backordered=8, queue_from=3)
    with pytest.raises(InsufficientStock):
        here.allocate("late", reserved=3)
    assert here.allocate("late", reserved=2).balance.available == 0


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
    whole = here.promote("a", 5, entry=3, waiting=5)
    assert whole.balance.queue_from == 4
    last = position(on_hand=9, backordered=2, queue_from=3).promote("a", 2, entry=3, waiting=2)
    assert last.balance.queue_from is None
    with pytest.raises(LawBroken):
        here.promote("a", 7, entry=3, waiting=7)


def test_the_policy_stays_with_the_balance() -> None:
    here = position(on_hand=1, low_stock_threshold=5)
    assert here.receive(1).balance.low_stock_threshold == 5
    assert here.set_policy(low_stock_threshold=None).balance.low_stock_threshold is None


@pytest.mark.parametrize(
    "moves", [Moves(on_hand=-1), Moves(reserved=1), Moves(damaged=1), Moves(backordered=-1)]
)
def test_a_balance_asserts_its_laws(moves: Moves) -> None:
    with pytest.raises(LawBroken):
        EMPTY.after(moves)


def test_a_counter_stays_within_what_json_readers_keep_exact() -> None:
    with pytest.raises(BalanceLimitExceeded, match=str(MAX_BALANCE)):
        position(on_hand=MAX_BALANCE).receive(1)


def test_an_altered_balance_does_not_follow() -> None:
    here = position(on_hand=10, low_stock_threshold=2)
    event = here.receive(5)
    for change in ({"on_hand": 16}, {"reserved": 1}, {"low_stock_threshold": 3}):
        forged = event.model_copy(update={"balance": event.balance.model_copy(update=change)})
        assert isinstance(forged, e.StockReceived)
        assert not balance_follows(here.balance, forged)
