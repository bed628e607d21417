"""The network between the ledger and DynamoDB fails before or after the commit: once is once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError, StoredEvent

from ledger.domain.order import OrderStatus
from ledger.domain.values import OrderPolicy
from ledger.errors import UnknownOutcome
from ledger.service import (
    Command,
    Context,
    Idempotency,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ShipOrder,
)
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from tests.support.engines import free_port
from tests.support.event_stores import EventTables, all_events, verified
from tests.support.proxies import LosingProxy, Loss, losing_proxy

COMMANDS: list[Command] = [
    PlaceOrder((OrderRequestLine("A", 3),), "o-2"),
    PlaceOrder((OrderRequestLine("A", 3),)),
    PlaceOrder((OrderRequestLine("A", 99),), "o-2"),
    ShipOrder("o-1"),
]
anyhow = pytest.mark.parametrize("loss", ["before", "after", "silence", "error"])


@pytest.fixture
def network(tables: EventTables) -> Iterator[LosingProxy]:
    assert tables.endpoint is not None
    with losing_proxy(tables.endpoint) as proxy:
        yield proxy


@pytest.fixture
def near(tables: EventTables) -> DynamoDBLedgerRecorder:
    """A recorder whose answers all arrive, with some goods and an order."""
    recorder = tables.open()
    ledger = Ledger(recorder)
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 10),)), context("goods"))
    ledger.handle(PlaceOrder((OrderRequestLine("A", 2),), "o-1"), context("first"))
    return recorder


def context(key: str) -> Context:
    return Context("ann", Idempotency("test", key))


def far(
    tables: EventTables, network: LosingProxy, attempts: int, loss: Loss = "after"
) -> DynamoDBLedgerRecorder:
    """A recorder behind the network, whose SDK asks so often before it gives up."""
    patience = 0.7 if loss == "silence" else 10
    retries = {"mode": "standard", "total_max_attempts": attempts}
    return tables.open(network.url, read_timeout=patience, retries=retries)


def tokens(writes: Sequence[bytes]) -> list[str]:
    return [json.loads(body)["ClientRequestToken"] for body in writes]


@anyhow
def test_the_sdk_asks_again_with_the_same_token_and_commits_once(
    tables: EventTables, network: LosingProxy, near: DynamoDBLedgerRecorder, loss: Loss
) -> None:
    """Even a step without a key, such as promoting, is done once."""
    backorder = PlaceOrder((OrderRequestLine("B", 5),), "b", policy=OrderPolicy.BACKORDER)
    ledger = Ledger(far(tables, network, 2, loss))
    ledger.handle(backorder, context("b"))
    ledger.handle(ReceiveStock((ReceiptLine("B", "main", 3),)), context("r"))
    before, network.writes, network.losses = len(all_events(near)), [], [loss]
    assert ledger.promote("stock:B@main") == 3
    assert len(set(tokens(network.writes))) == 1
    assert len(network.writes) == (1 if loss == "before" else 2)
    assert len(all_events(near)) == before + 2
    assert ledger.promote("stock:B@main") == 0
    assert verified(near).ok


@anyhow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: type(c).__name__)
def test_what_the_sdk_gave_up_is_found_out_by_the_ledger(
    tables: EventTables,
    network: LosingProxy,
    near: DynamoDBLedgerRecorder,
    loss: Loss,
    command: Any,
) -> None:
    ledger = Ledger(far(tables, network, 1, loss))
    before, network.losses = len(all_events(near)), [loss]
    outcome = ledger.handle(command, context("key"))
    assert outcome.events
    assert len(all_events(near)) == before + len(outcome.events)
    again = Ledger(near).handle(command, context("key"))
    assert (again.events, again.order, again.replayed) == (outcome.events, outcome.order, True)
    assert len(all_events(near)) == before + len(outcome.events)
    assert verified(near).ok


@pytest.mark.parametrize("loss", ["before", "after"])
def test_a_step_without_a_key_is_done_once_although_the_sdk_gave_up(
    tables: EventTables, network: LosingProxy, near: DynamoDBLedgerRecorder, loss: Loss
) -> None:
    backorder = PlaceOrder((OrderRequestLine("B", 5),), "b", policy=OrderPolicy.BACKORDER)
    ledger = Ledger(far(tables, network, 1, loss))
    ledger.handle(backorder, context("b"))
    ledger.handle(ReceiveStock((ReceiptLine("B", "main", 3),)), context("r"))
    before, network.losses = len(all_events(near)), [loss]
    assert ledger.promote("stock:B@main") == 3
    assert len(all_events(near)) == before + 2
    assert verified(near).ok


def test_the_client_asks_again_elsewhere_and_gets_the_first_answer(
    tables: EventTables, network: LosingProxy, near: DynamoDBLedgerRecorder
) -> None:
    """The network is gone for good after the commit: nobody here can know that it stands."""
    recorder = far(tables, network, attempts=1)
    ledger, command = Ledger(recorder), PlaceOrder((OrderRequestLine("A", 8),), "o-2")
    before, network.losses = len(all_events(near)), ["after"]
    network.gone = True
    with pytest.raises(OperationalError, match="no answer"):
        ledger.handle(command, context("key"))
    again = Ledger(near).handle(command, context("key"))
    assert again.replayed
    assert again.order is not None
    assert again.order.status is OrderStatus.ALLOCATED
    assert len(all_events(near)) == before + 2
    assert verified(near).ok


def test_nobody_listening_is_told_as_it_is(tables: EventTables) -> None:
    recorder = tables.open(f"http://127.0.0.1:{free_port()}", retries={"total_max_attempts": 1})
    with pytest.raises(UnknownOutcome, match="appending a version 1: no answer"):
        recorder.insert_events([StoredEvent("a", 1, "T", b"{}")])
    for read in (lambda: recorder.select_events("a"), lambda: recorder.find_command("a")):
        with pytest.raises(OperationalError, match=r"reading .*a: no answer") as caught:
            read()
        assert not isinstance(caught.value, UnknownOutcome)
