"""What a conflict costs: no read the first time, one strong read afterwards.

And what it teaches: for two seconds, a contended stream is read before it is decided on.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.domain.errors import OrderExists
from ledger.errors import Contention
from ledger.service import Context, Idempotency, Ledger, OrderRequestLine, PlaceOrder
from ledger.store.dynamodb_items import item_size
from tests.support.api_calls import WRITE, ApiCalls
from tests.support.event_stores import EVERYWHERE, EventTables, verified
from tests.support.till import Till, order, receive

pytestmark = pytest.mark.parametrize("tables", EVERYWHERE[:1] + EVERYWHERE[2:], indirect=True)
READ = "Query"


@pytest.fixture
def till(tables: EventTables) -> Till:
    return Till(tables)


def sound(till: Till) -> bool:
    report = verified(till.ledger.recorder)
    return report.ok and till.ledger.history.order("o") is not None


def test_a_warm_process_reads_nothing(till: Till) -> None:
    for order_id in ("o", None):
        order(till.ledger, order_id)
        assert till.api.take() == [WRITE]
    assert sound(till)


@pytest.mark.parametrize(("units", "strong"), [(1, [False]), (99, [False, True])])
def test_a_cold_process_reads_at_half_the_price_unless_it_is_to_refuse(
    till: Till, tables: EventTables, units: int, strong: list[bool]
) -> None:
    recorder = tables.open()
    api = ApiCalls(recorder)
    order(Ledger(recorder), "o", units)
    assert api.calls == [READ] * len(strong) + [WRITE]
    assert [request.get("ConsistentRead", False) for request in api.requests[:-1]] == strong
    assert sound(till)


def test_the_first_conflict_is_answered_with_the_newer_state(till: Till) -> None:
    receive(till.rival)
    order(till.ledger, "o")
    assert till.api.take() == [WRITE, WRITE]
    assert sum(till.retry.asked) == 0, "nobody waited"
    assert sound(till)


def test_the_second_conflict_is_waited_out_and_read_strongly(till: Till) -> None:
    till.overtaken(times=2)
    order(till.ledger, "o")
    assert till.api.calls == [WRITE, WRITE, READ, WRITE]
    assert till.api.requests[2]["ConsistentRead"]
    assert till.retry.asked == [1]
    assert sound(till)


def test_a_contended_position_is_read_before_it_is_decided_on(till: Till) -> None:
    """Memory of it is outdated as a rule: a write would be paid for nothing."""
    receive(till.rival)
    order(till.ledger, "o")
    till.api.take()
    for _ in range(3):
        receive(till.rival)
    order(till.ledger)
    assert [request.get("ConsistentRead") for request in till.api.requests] == [True, None]
    assert till.api.take() == [READ, WRITE]
    assert sound(till)


def test_a_conflict_on_a_contended_position_is_read_at_once(till: Till) -> None:
    receive(till.rival)
    order(till.ledger, "o")
    till.api.take()
    till.overtaken()
    order(till.ledger)
    assert till.api.take() == [READ, WRITE, READ, WRITE]
    assert sound(till)


def test_whoever_was_outrun_gives_way_until_commits_stand(till: Till) -> None:
    """The pause doesn't begin anew with every command, or those who wait would never be first."""
    till.overtaken(times=4)
    order(till.ledger, "o")
    assert till.retry.asked == [1, 2, 3], "the first conflict was answered by the store"
    till.retry.asked.clear()
    for _ in range(4):
        order(till.ledger)
    assert till.retry.asked == [2, 1, 0, 0]
    assert sound(till)


def test_after_two_quiet_seconds_memory_is_trusted_again(till: Till) -> None:
    till.overtaken(times=4)
    order(till.ledger, "o")
    till.time += timedelta(seconds=1.9)
    till.api.take()
    order(till.ledger)
    assert till.api.take() == [READ, WRITE]
    till.time += timedelta(seconds=0.1)
    till.retry.asked.clear()
    order(till.ledger)
    assert (till.api.take(), till.retry.asked) == ([WRITE], [])


def test_a_rival_of_one_position_says_nothing_of_others(till: Till) -> None:
    receive(till.ledger, sku="B")
    till.overtaken(times=4)
    order(till.ledger, "o")
    till.api.take()
    till.retry.asked.clear()
    receive(till.ledger, sku="B")
    assert (till.api.take(), till.retry.asked) == ([WRITE], [])


def test_a_memory_far_behind_is_not_walked_forward_event_by_event(till: Till) -> None:
    """The first conflict tells the event that took the version: here, one of ten."""
    for _ in range(10):
        receive(till.rival)
    order(till.ledger, "o")
    assert till.api.take() == [WRITE, WRITE, READ, WRITE]
    assert sound(till)


def test_an_order_id_that_was_used_is_found_out_by_the_write(till: Till) -> None:
    order(till.rival, "o")
    lines = (OrderRequestLine("A", 1),)
    with pytest.raises(OrderExists):
        till.ledger.handle(PlaceOrder(lines, "o"), Context("ann", Idempotency("orders", "x")))
    assert till.api.calls[:1] == [WRITE]
    assert sound(till)


def test_a_key_sent_again_adds_nothing(till: Till) -> None:
    lines, context = (OrderRequestLine("A", 1),), Context("ann", Idempotency("orders", "same"))
    first = till.ledger.handle(PlaceOrder(lines, "o"), context)
    before = verified(till.ledger.recorder).events
    till.api.take()
    again = till.ledger.handle(PlaceOrder(lines, "o"), context)
    assert (again.replayed, again.events) == (True, first.events)
    assert till.api.calls.count(WRITE) <= 1
    assert verified(till.ledger.recorder).events == before


def test_who_is_always_overtaken_gives_up(till: Till) -> None:
    till.overtaken(times=100)
    with pytest.raises(Contention):
        order(till.ledger, "o")
    assert till.api.calls.count(WRITE) == till.retry.attempts
    assert till.api.calls.count(READ) == till.retry.attempts - 2
    till.api.before_write = []
    assert till.ledger.history.order("o") is None
    assert verified(till.ledger.recorder).ok


def test_the_items_of_a_small_commit_are_billed_as_one_kb_each(till: Till) -> None:
    """A position, an order, the command's record: six write units."""
    order(till.ledger, "o")
    items = [action["Put"]["Item"] for action in till.api.requests[0]["TransactItems"]]
    assert len(items) == 3
    assert max(map(item_size, items)) <= 1_024
