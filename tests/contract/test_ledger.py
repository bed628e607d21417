"""What the ledger promises on every event store: once, exactly, whatever happens to answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count

import pytest

from ledger.domain.errors import InsufficientStock, OrderExists, OrderNotFound
from ledger.domain.order import OrderStatus
from ledger.domain.values import OrderPolicy
from ledger.errors import Contention, IdempotencyKeyReused, UnknownOutcome
from ledger.service import (
    AdjustmentLine,
    AdjustStock,
    CancelOrder,
    Command,
    Context,
    Idempotency,
    Ledger,
    OrderRequestLine,
    Outcome,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ShipOrder,
)
from ledger.store.base import LedgerRecorder
from tests.support.event_stores import ATOMIC, Store, all_events, verified
from tests.support.lost_answers import LosingRecorder, Loss

keys = count()


def context(key: str | None = None) -> Context:
    return Context("client", Idempotency("test", key or f"key-{next(keys)}"))


def receive(ledger: Ledger, sku: str, quantity: int) -> Outcome:
    return ledger.handle(ReceiveStock((ReceiptLine(sku, "main", quantity),)), context())


def order(quantity: int, order_id: str | None = None, sku: str = "A") -> PlaceOrder:
    return PlaceOrder((OrderRequestLine(sku, quantity),), order_id)


def answer(outcome: Outcome) -> object:
    """What a client sees of an outcome, without whether it is a replay."""
    return [(r.stream, r.version, r.hash) for r in outcome.events], outcome.order


@pytest.fixture
def ledger(recorder: LedgerRecorder) -> Ledger:
    return Ledger(recorder)


def test_the_same_key_gives_the_same_answer_and_records_nothing(ledger: Ledger) -> None:
    receive(ledger, "A", 10)
    for command in (order(3), order(3, "o-1"), ShipOrder("o-1"), order(99)):
        first = ledger.handle(command, context("key-of-" + repr(command)))
        events = all_events(ledger.recorder)
        again = ledger.handle(command, context("key-of-" + repr(command)))
        assert answer(again) == answer(first)
        assert (first.replayed, again.replayed) == (False, True)
        assert all_events(ledger.recorder) == events


def test_the_same_answer_comes_from_another_process_long_after(store: Store) -> None:
    ledger = Ledger(store.open())
    receive(ledger, "A", 10)
    first = ledger.handle(order(3, "o-1"), context("place"))
    ledger.handle(ShipOrder("o-1"), context())
    again = Ledger(store.open()).handle(order(3, "o-1"), context("place"))
    assert answer(again) == answer(first)
    assert again.order is not None
    assert again.order.status is OrderStatus.ALLOCATED


def test_the_same_key_with_another_content_is_an_error(ledger: Ledger) -> None:
    receive(ledger, "A", 10)
    ledger.handle(order(3), context("key"))
    for other in (order(4), order(99), ShipOrder("nowhere")):
        with pytest.raises(IdempotencyKeyReused):
            ledger.handle(other, context("key"))


def test_keys_of_other_principals_and_routes_are_other_keys(ledger: Ledger) -> None:
    for scope in (
        Context("anna", Idempotency("receipts", "1")),
        Context("bert", Idempotency("receipts", "1")),
        Context("anna", Idempotency("returns", "1")),
    ):
        outcome = ledger.handle(ReceiveStock((ReceiptLine("A", "main", 1),)), scope)
        assert not outcome.replayed


@pytest.mark.parametrize("loss", ["before", "after"])
@pytest.mark.parametrize(
    "command",
    [order(3), order(3, "o-2"), order(99), ShipOrder("o-1"), CancelOrder("o-1"),
     AdjustStock((AdjustmentLine("A", "main", -5, "counted"),))],
    ids=lambda c: type(c).__name__,
)  # fmt: skip
def test_a_lost_answer_is_found_out_not_guessed(
    recorder: LedgerRecorder, loss: Loss, command: Command
) -> None:
    losing = LosingRecorder(recorder)
    ledger = Ledger(losing)
    receive(ledger, "A", 10)
    ledger.handle(order(2, "o-1"), context())
    before = len(all_events(recorder))
    losing.losses = [loss]
    outcome = ledger.handle(command, context("key"))
    assert outcome.events
    assert len(all_events(recorder)) == before + len(outcome.events)
    assert answer(ledger.handle(command, context("key"))) == answer(outcome)
    assert verified(recorder).ok


@pytest.mark.parametrize("command", [order(10, "o-1"), order(10)])
def test_after_a_lost_answer_the_retry_gets_the_first_answer_even_if_it_would_be_refused_now(
    store: Store, command: Command
) -> None:
    """The commit stood, the client heard nothing, and by now the stock is gone."""
    losing = LosingRecorder(store.open())
    ledger = Ledger(losing)
    receive(ledger, "A", 10)
    losing.losses, losing.deaf = ["after"], True
    with pytest.raises(UnknownOutcome):
        ledger.handle(command, context("key"))
    losing.deaf = False
    other = Ledger(store.open())
    for retrying in (ledger, other):
        retry = retrying.handle(command, context("key"))
        assert retry.order is not None
        assert (retry.order.status, retry.replayed) == (OrderStatus.ALLOCATED, True)
    with pytest.raises(InsufficientStock):
        other.handle(AdjustStock((AdjustmentLine("A", "main", -1, "lost"),)), context())


def test_an_internal_step_whose_answer_is_lost_is_not_done_twice(
    recorder: LedgerRecorder,
) -> None:
    losing = LosingRecorder(recorder)
    ledger = Ledger(losing)
    ledger.handle(
        PlaceOrder((OrderRequestLine("A", 5),), "o-1", policy=OrderPolicy.BACKORDER),
        context(),
    )
    receive(ledger, "A", 3)
    losing.losses = ["after"]
    assert ledger.promote("stock:A@main") == 3
    assert ledger.promote("stock:A@main") == 0
    assert verified(recorder).ok


def test_a_refusal_is_never_made_on_remembered_state(store: Store) -> None:
    ours, theirs = Ledger(store.open()), Ledger(store.open())
    receive(ours, "A", 1)
    with pytest.raises(InsufficientStock):
        ours.handle(AdjustStock((AdjustmentLine("A", "main", -2, "lost"),)), context())
    receive(theirs, "A", 9)
    assert ours.handle(order(10), context()).order.status is OrderStatus.ALLOCATED  # type: ignore[union-attr]
    theirs.handle(ReceiveStock((ReceiptLine("B", "main", 1),)), context())
    theirs.handle(order(1, "o-b", "B"), context())
    assert ours.handle(ShipOrder("o-b"), context()).events


def test_an_order_id_is_used_once(ledger: Ledger) -> None:
    receive(ledger, "A", 10)
    ledger.handle(order(1, "o-1"), context())
    with pytest.raises(OrderExists):
        ledger.handle(order(1, "o-1"), context())
    with pytest.raises(OrderNotFound):
        ledger.handle(ShipOrder("o-2"), context())


@pytest.mark.parametrize("store", ATOMIC, indirect=True)
def test_many_clients_of_one_position_sell_exactly_what_is_there(store: Store) -> None:
    """Half of the clients share one process, half come with their own. Whoever is told that the
    stock was too busy, so that nothing was recorded, comes again.
    """
    shared = Ledger(store.open())
    receive(shared, "A", 50)
    ledgers = [shared] * 4 + [Ledger(store.open()) for _ in range(4)]

    def place(ledger: Ledger) -> Outcome:
        for _ in range(20):
            with suppress(Contention):
                return ledger.handle(order(1), context())
        raise AssertionError("it was too busy twenty times")

    def buy(ledger: Ledger) -> int:
        outcomes = [place(ledger) for _ in range(10)]
        return sum(1 for o in outcomes if o.order and o.order.status is OrderStatus.ALLOCATED)

    with ThreadPoolExecutor(len(ledgers)) as pool:
        assert sum(pool.map(buy, ledgers)) == 50
    report = verified(shared.recorder)
    assert report.ok, report.findings
