"""Many on one position of the embedded store: they share the disk, and never each other's luck."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from eventsourcing.sqlite import SQLiteConnection

from ledger.domain.order import OrderStatus
from ledger.domain.streams import stock_stream
from ledger.errors import Contention, UnknownOutcome
from ledger.service import Ledger, OrderRequestLine, PlaceOrder, ReceiptLine, ReceiveStock
from ledger.service.context import Context, Idempotency
from ledger.store.sqlite import open_recorder
from tests.support.auditing import Auditor

CLIENTS = 8
ORDERS = 12
STOCK = 2 * CLIENTS * ORDERS * 2 // 3
HOT = stock_stream("HOT", "main")

_keys = count()


def insistently(ledger: Ledger) -> OrderStatus:
    """Order one, under one key, until there is an answer."""
    context = Context("shop", Idempotency("orders", f"key-{next(_keys)}"))
    while True:
        try:
            outcome = ledger.handle(PlaceOrder((OrderRequestLine("HOT", 1),)), context)
        except (Contention, UnknownOutcome):
            continue
        assert outcome.order is not None
        return outcome.order.status


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[tuple[Ledger, Ledger]]:
    """Two that share nothing but the file."""
    one, other = (Ledger(open_recorder(tmp_path / "ledger.db")) for _ in range(2))
    one.handle(ReceiveStock((ReceiptLine("HOT", "main", STOCK),)), Context())
    yield one, other
    other.close()
    one.close()


def sell(ledgers: tuple[Ledger, ...]) -> list[OrderStatus]:
    """Clients of all these ledgers at once; of two, more than there is stock for."""
    with ThreadPoolExecutor(CLIENTS * len(ledgers)) as pool:
        sales = [
            pool.submit(insistently, ledger) for _ in range(CLIENTS * ORDERS) for ledger in ledgers
        ]
    return [sale.result() for sale in sales]


def check(ledger: Ledger, sold: list[OrderStatus]) -> None:
    """Exactly the stock was sold, and history is whole: every seal, chain and law."""
    allocated = sold.count(OrderStatus.ALLOCATED)
    assert allocated + sold.count(OrderStatus.REJECTED) == len(sold)
    newest = ledger.history.newest(HOT)
    assert newest is not None
    assert newest.data["balance"]["reserved"] == allocated == min(STOCK, len(sold))
    assert newest.version == 1 + allocated
    Auditor(ledger.recorder).catch_up()


def test_clients_of_one_position_share_commits(
    ledgers: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = count()
    commit = SQLiteConnection.commit

    def counting(self: SQLiteConnection) -> None:
        next(commits)
        commit(self)

    monkeypatch.setattr(SQLiteConnection, "commit", counting)
    sold = sell(ledgers[:1])
    check(ledgers[0], sold)
    assert next(commits) < 0.9 * len(sold), "each by itself would be one for every order"


def test_two_ledgers_that_overtake_each_other_all_the_time(
    ledgers: tuple[Ledger, Ledger],
) -> None:
    check(ledgers[1], sell(ledgers))


def test_a_disk_that_fails_now_and_then_takes_only_what_was_not_acknowledged(
    ledgers: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = count(1)
    commit = SQLiteConnection.commit

    def failing(self: SQLiteConnection) -> None:
        if next(commits) % 5 == 0:
            self.rollback()
            raise sqlite3.OperationalError("disk I/O error")
        commit(self)

    with monkeypatch.context() as broken:
        broken.setattr(SQLiteConnection, "commit", failing)
        sold = sell(ledgers)
    check(ledgers[0], sold)
