"""Balances: what is free, what can be promised, and the laws no movement may break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.domain.balance import EMPTY, Balance, Lanes, Moves
from ledger.domain.errors import BalanceLimitExceeded, LawBroken
from ledger.domain.values import MAX_BALANCE

COUNTERS = ("on_hand", "reserved", "backordered", "damaged")
FULL = Balance(on_hand=10, reserved=4, backordered=2, damaged=3, queue_from=5)


def counters(balance: Balance) -> tuple[int, ...]:
    return tuple(getattr(balance, name) for name in COUNTERS)


def test_a_position_begins_with_nothing() -> None:
    assert counters(EMPTY) == (0, 0, 0, 0)
    assert (EMPTY.low_stock_threshold, EMPTY.queue_from, EMPTY.lanes, EMPTY.escrowed) == (None,) * 4
    assert Moves() == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("on_hand", "reserved", "damaged", "backordered", "free", "available", "promotable"),
    [
        (0, 0, 0, 0, 0, 0, False),
        (10, 0, 0, 0, 10, 10, False),
        (10, 3, 2, 0, 5, 5, False),
        (10, 3, 2, 4, 5, 1, True),
        (10, 3, 2, 5, 5, 0, True),
        (10, 3, 2, 9, 5, 0, True),
        (10, 8, 2, 9, 0, 0, False),
        (1, 0, 0, 1, 1, 0, True),
    ],
)
def test_what_is_free_and_who_has_first_call(
    on_hand: int,
    reserved: int,
    damaged: int,
    backordered: int,
    free: int,
    available: int,
    promotable: bool,
) -> None:
    balance = Balance(on_hand=on_hand, reserved=reserved, damaged=damaged, backordered=backordered)
    assert (balance.free, balance.available) == (free, available)
    assert balance.promotable is promotable


@pytest.mark.parametrize(
    ("moves", "after"),
    [
        (Moves(), (10, 4, 2, 3)),
        (Moves(on_hand=1), (11, 4, 2, 3)),
        (Moves(on_hand=-3), (7, 4, 2, 3)),
        (Moves(reserved=3), (10, 7, 2, 3)),
        (Moves(reserved=-4), (10, 0, 2, 3)),
        (Moves(backordered=2), (10, 4, 4, 3)),
        (Moves(backordered=-2), (10, 4, 0, 3)),
        (Moves(damaged=3), (10, 4, 2, 6)),
        (Moves(damaged=-3), (10, 4, 2, 0)),
    ],
)
def test_each_counter_moves_by_itself_up_to_its_bound(moves: Moves, after: tuple[int, ...]) -> None:
    assert counters(FULL.after(moves)) == after


@pytest.mark.parametrize(
    "moves",
    [
        Moves(on_hand=-4),
        Moves(reserved=4),
        Moves(damaged=4),
        Moves(reserved=-5),
        Moves(backordered=-3),
        Moves(damaged=-4),
    ],
)
def test_one_unit_too_many_breaks_a_law(moves: Moves) -> None:
    with pytest.raises(LawBroken, match="a balance would break its laws"):
        FULL.after(moves)


@pytest.mark.parametrize("counter", ["on_hand", "backordered"])
def test_a_counter_stays_within_what_json_readers_keep_exact(counter: str) -> None:
    almost = FULL.model_copy(update={counter: MAX_BALANCE - 1})
    full = almost.after(Moves(**{counter: 1}))
    assert getattr(full, counter) == MAX_BALANCE
    with pytest.raises(BalanceLimitExceeded, match=str(MAX_BALANCE)) as caught:
        full.after(Moves(**{counter: 1}))
    assert caught.value.counter == counter


def test_a_full_position_is_no_reason_to_blame_what_waits() -> None:
    full = Balance(on_hand=MAX_BALANCE, backordered=1, queue_from=1)
    with pytest.raises(BalanceLimitExceeded) as caught:
        full.after(Moves(backordered=MAX_BALANCE))
    assert caught.value.counter == "backordered"


def test_the_queue_starts_nowhere_when_nobody_waits() -> None:
    assert FULL.after(Moves(backordered=-1)).queue_from == 5
    assert FULL.after(Moves(backordered=-2)).queue_from is None


def test_policy_and_lanes_stay_with_the_balance() -> None:
    split = Lanes(count=2, streams=2)
    balance = Balance(low_stock_threshold=7, lanes=split, escrowed=0).after(Moves(on_hand=1))
    assert (balance.low_stock_threshold, balance.lanes) == (7, split)


@pytest.mark.parametrize(
    ("before", "moved", "after"),
    [(None, 0, None), (None, 3, 3), (0, 0, 0), (0, 3, 3), (4, 0, 4), (4, 3, 7), (4, -6, -2)],
)
def test_what_came_from_other_lanes_is_summed_once_there_are_any(
    before: int | None, moved: int, after: int | None
) -> None:
    balance = Balance(on_hand=9, escrowed=before)
    assert balance.after(Moves(on_hand=moved, escrowed=moved)).escrowed == after


@pytest.mark.parametrize(("gathered", "opened"), [(False, 3), (True, 1)])
def test_gathered_lanes_take_orders_on_lane_0_alone(gathered: bool, opened: int) -> None:
    assert Lanes(count=3, streams=5, gathered=gathered).open == opened


def test_lanes_are_open_unless_they_are_gathered() -> None:
    assert Lanes(count=3, streams=5).gathered is False


@pytest.mark.parametrize("value", [EMPTY, Lanes(count=1, streams=1)])
def test_a_balance_does_not_change(value: Balance | Lanes) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(value, next(iter(type(value).model_fields)), 1)


units = st.integers(0, 20)
change = st.integers(-20, 20)


@given(
    st.builds(Balance, on_hand=units, reserved=units, backordered=units, damaged=units),
    st.builds(Moves, change, change, change, change),
)
def test_a_movement_happens_as_it_says_or_not_at_all(before: Balance, moves: Moves) -> None:
    expected = tuple(has + moved for has, moved in zip(counters(before), moves[:4], strict=True))
    on_hand, reserved, backordered, damaged = expected
    lawful = min(reserved, backordered, damaged) >= 0 and on_hand >= reserved + damaged
    if lawful:
        assert counters(before.after(moves)) == expected
    else:
        with pytest.raises(LawBroken):
            before.after(moves)
