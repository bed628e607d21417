"""What is made without validation is what validation would have made."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.balance import Balance, Moves
from ledger.domain.events import Allocation

COUNT = st.integers(0, 1_000)
MAYBE = st.none() | st.integers(1, 9)


@given(
    st.builds(Balance, on_hand=st.just(4_000), reserved=COUNT, backordered=COUNT, damaged=COUNT),
    st.builds(
        Moves, on_hand=COUNT, reserved=COUNT, backordered=COUNT, damaged=COUNT, escrowed=COUNT
    ),
)
def test_a_moved_balance(before: Balance, moves: Moves) -> None:
    after = before.after(moves)
    again = Balance.model_validate_json(after.model_dump_json(), strict=True)
    assert (again, again.model_dump_json()) == (after, after.model_dump_json())
    assert again.model_fields_set == after.model_fields_set
    assert (again.model_extra, hash(again)) == (after.model_extra, hash(after))
    assert after.model_copy(update={"queue_from": 3}).queue_from == 3
    assert pickle.loads(pickle.dumps(after)) == after


@given(st.integers(1, 9), COUNT, COUNT, MAYBE, MAYBE)
def test_a_computed_allocation(
    line: int, reserved: int, backordered: int, entry: int | None, lane: int | None
) -> None:
    made = Allocation.computed(line, "main", reserved, backordered, entry=entry, lane=lane)
    again = Allocation.model_validate_json(made.model_dump_json(), strict=True)
    assert (again, again.model_dump_json()) == (made, made.model_dump_json())
    assert (again.model_fields_set, hash(again)) == (made.model_fields_set, hash(made))
