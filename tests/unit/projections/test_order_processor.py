"""What the order processor does when the ledger fails it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.codec import Stamp, encode
from ledger.domain import events as e
from ledger.domain.balance import Balance
from ledger.domain.errors import LawBroken
from ledger.domain.order import Order, Task, TaskKind
from ledger.domain.values import OrderPolicy
from ledger.errors import Contention
from projections.generations import Generations
from projections.order_processor import OrderProcessor
from projections.store import Query, ViewStore, ViewStoreBusy
from projections.store.sqlite import SQLiteViewStore
from projections.views import (
    OpenReservationsView,
    OrderRow,
    OrdersView,
    StockLevelsView,
    StockRow,
    View,
)
from tests.support.view_stores import Around

NOW = datetime(2026, 2, 1, tzinfo=UTC)
STOCK, ORDERS, OPEN = StockLevelsView(), OrdersView(), OpenReservationsView()
STAMP = Stamp("2026-01-01T00:00:00.000000Z", "the-command", "tester", "local", 1)


class Failing:
    """A ledger whose commands fail for some names, and are noted down."""

    def __init__(self, error: Exception, *fail: str) -> None:
        self.error = error
        self.fail = fail
        self.asked: list[str] = []

    def advance(self, order_id: str, /) -> Order:
        self._ask(order_id)
        return Order(order_id, version=1, task=Task(TaskKind.ALLOCATION))

    def promote(self, stream: str, /) -> int:
        self._ask(stream)
        return 1

    def expire(self, order_id: str, /) -> bool:
        self._ask(order_id)
        return True

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if name in self.fail:
            raise self.error


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteViewStore]:
    store = SQLiteViewStore(tmp_path / "ledger.db")
    store.prepare([STOCK, ORDERS, OPEN])
    yield store
    store.close()


def processor(ledger: Failing, store: ViewStore) -> OrderProcessor:
    return OrderProcessor(
        ledger,
        store,
        stock_levels=STOCK,
        orders=ORDERS,
        open_reservations=OPEN,
        clock=lambda: NOW,
    )


def work(store: ViewStore) -> None:
    """Views that show something to do, of every kind."""
    due = "2026-01-31T00:00:00.000000Z"
    placed = {"O1": "2026-01-01", "O3": "2026-01-03", "O2": "2026-01-02"}
    store.save(ORDERS, [OrderRow(o, at, at, 1, task="allocation") for o, at in placed.items()])
    store.save(OPEN, [OrderRow(o, "", "", 1, due_at=due) for o in ("O4", "O5")])
    store.save(OPEN, [OrderRow("O6", "", "", 1, due_at="2026-02-01T00:00:00.000001Z")])
    store.save(STOCK, [StockRow("S0", "A", 2, 0, 1, 0, 1, None, 1, True, 1, "")])


@pytest.mark.parametrize(
    ("error", "level"), [(Contention("busy"), logging.INFO), (LawBroken("odd"), logging.ERROR)]
)
@pytest.mark.parametrize(
    ("fails", "stream"),
    [("O2", "order:O2"), ("stock:S0@A", "stock:S0@A"), ("O4", "order:O4")],
)
def test_one_failure_does_not_stop_the_others(
    store: SQLiteViewStore,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    level: int,
    fails: str,
    stream: str,
) -> None:
    work(store)
    ledger = Failing(error, fails)

    with caplog.at_level(logging.INFO):
        report = processor(ledger, store).sweep()

    assert ledger.asked == ["O1", "O2", "O3", "stock:S0@A", "O4", "O5"]
    assert report.advanced + report.promoted + report.expired == 5
    assert report.failed == {stream: error}
    assert [r.levelno for r in caplog.records if stream in r.getMessage()] == [level]
    assert set(processor(ledger, store).sweep().failed) == {stream}, "what failed is tried again"


def test_a_view_that_can_not_be_read_does_not_stop_the_others(store: SQLiteViewStore) -> None:
    class Unreadable(Around):
        def select(self, view: View[Any], query: Query) -> list[Any]:
            if view == ORDERS:
                raise ViewStoreBusy("orders")
            return super().select(view, query)

    work(store)
    ledger = Failing(Contention("busy"))

    with pytest.raises(ViewStoreBusy, match="orders"):
        processor(ledger, Unreadable(store)).sweep()

    assert ledger.asked == ["stock:S0@A", "O4", "O5"]


def test_a_sweep_reads_page_by_page_and_comes_past_what_fails(store: SQLiteViewStore) -> None:
    """Those who fail stay where they are: at the beginning of the list."""
    names = [f"O{n:04}" for n in range(1_200)]
    store.save(OPEN, [OrderRow(name, "", "", 1, due_at="2026-01-01") for name in names])
    ledger = Failing(Contention("busy"), *names[:600])

    report = processor(ledger, store).sweep()

    assert ledger.asked == names
    assert (report.expired, len(report.failed)) == (600, 600)


def test_the_active_generation_is_swept(store: SQLiteViewStore) -> None:
    work(store)
    for view in (STOCK, ORDERS, OPEN):
        store.prepare([view.at(2)])
        assert store.register(view, Generations(), Generations(2, (1, 2), 2))
    store.save(ORDERS.at(2), [OrderRow("O9", "", "", 1, task="allocation")])
    ledger = Failing(Contention("busy"))

    processor(ledger, store).sweep()

    assert ledger.asked == ["O9"]


@pytest.mark.parametrize("decoded", [False, True])
def test_a_large_order_is_known_by_its_first_event(
    store: SQLiteViewStore, caplog: pytest.LogCaptureFixture, decoded: bool
) -> None:
    ledger = Failing(LawBroken("odd"), "O2")
    line = e.OrderLine(line=1, sku="S0", quantity=1)
    part = e.Allocation(line=1, location="A", reserved=1)
    large = e.OrderPlaced(policy=OrderPolicy.PARTIAL, line_count=1, lines=(line,))
    small = large.model_copy(update={"allocations": (part,)})
    placed = {"order:O3": large, "order:O1": small, "order:O2": large}

    report = processor(ledger, store).react(
        encode(stream, 1, event, event_id="id", stamp=STAMP, prev="")[0 if decoded else 1]
        for stream, event in placed.items()
    )

    assert ledger.asked == ["O2", "O3"]
    assert report.advanced == 1
    assert report.failed.keys() == {"order:O2"}
    (line_logged,) = caplog.records
    assert "order:O2 (because of command the-command) failed" in line_logged.getMessage()
    assert line_logged.correlation_id == "the-command"  # type: ignore[attr-defined]


def test_a_position_that_can_be_served_is_known_by_its_newest_event(
    store: SQLiteViewStore,
) -> None:
    waits, serves = (
        Balance(backordered=2, queue_from=1),
        Balance(on_hand=3, backordered=2, queue_from=1),
    )
    event = {
        1: e.StockBackordered(order_id="O1", quantity=2, balance=waits),
        2: e.StockReceived(quantity=3, balance=serves),
    }
    arrived = {
        version: encode("stock:S0@A", version, found, event_id="id", stamp=STAMP, prev="")[0]
        for version, found in event.items()
    }
    ledger = Failing(Contention("busy"), "stock:S0@A")

    assert processor(ledger, store).react([arrived[1]]).failed == {}
    assert ledger.asked == []
    report = processor(ledger, store).react([arrived[2], arrived[1], arrived[2]])
    assert report.failed.keys() == {"stock:S0@A"}
    assert ledger.asked == ["stock:S0@A"]
