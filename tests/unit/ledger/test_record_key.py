"""Where idempotency keys are remembered: no two clients share a record, whatever their names."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.service.context import Idempotency
from ledger.service.ledger import record_key

ACTOR = st.text("ab#%235", max_size=8) | st.text(max_size=8)
ROUTE = st.sampled_from(["placeOrder", "shipOrder", "import"])
KEY = st.text("ab#%235", min_size=1, max_size=8)
TRIPLE = st.tuples(ACTOR, ROUTE, KEY)


@given(one=TRIPLE, other=TRIPLE)
@example(("sub:a#placeOrder", "placeOrder", "k"), ("sub:a", "placeOrder", "placeOrder#k"))
@example(("a#b", "import", "k"), ("a%23b", "import", "k"))
def test_different_requests_have_different_records(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    records = {record_key(actor, Idempotency(route, key)) for actor, route, key in (one, other)}
    assert len(records) == len({one, other})


@pytest.mark.parametrize("actor", ["anonymous", "import", "system"])
def test_records_made_before_are_found_again(actor: str) -> None:
    assert record_key(actor, Idempotency("placeOrder", "k#1")) == f"{actor}#placeOrder#k#1"
