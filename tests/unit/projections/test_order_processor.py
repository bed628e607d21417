"""What the order processor does when the ledger fails it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.codec import Stamp, encode
from ledger.domain import events as e
from ledger.domain.errors import LawBroken
from ledger.domain.order import Order, Task, TaskKind
from ledger.domain.values import OrderPolicy
from ledger.errors import Contention
from projections.order_processor import OrderProcessor
from projections.store.sqlite import SQLiteViewStore
from projections.views import OrderRow, OrdersView, StockLevelsView, StockRow

NOW = datetime(2026, 2, 1, tzinfo=UTC)
STOCK, ORDERS = StockLevelsView(), OrdersView()


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


@pytest.mark.parametrize(
    ("error", "level"), [(Contention("busy"), logging.INFO), (LawBroken("odd"), logging.ERROR)]
)
def test_one_failure_does_not_stop_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, level: int
) -> None:
    store = SQLiteViewStore(tmp_path / "ledger.db")
    store.prepare([STOCK, ORDERS])
    store.save(ORDERS, [OrderRow(o, "", "", 1, task="allocation") for o in ("O1", "O2", "O3")])
    store.save(ORDERS, [OrderRow("O4", "", "", 1, due_at="2026-01-31T00:00:00.000000Z")])
    store.save(STOCK, [StockRow("S0", "A", 2, 0, 1, 0, 1, None, 1, True, 1, "")])
    ledger = Failing(error, "O2")
    processor = OrderProcessor(ledger, store, stock_levels=STOCK, orders=ORDERS, clock=lambda: NOW)

    with caplog.at_level(logging.INFO):
        report = processor.sweep()

    assert ledger.asked == ["O1", "O2", "O3", "stock:S0@A", "O4"]
    assert (report.advanced, report.promoted, report.expired) == (2, 1, 1)
    assert report.failed == ("O2",)
    assert [r.levelno for r in caplog.records if "O2" in r.getMessage()] == [level]
    assert processor.sweep().failed == ("O2",), "what failed is tried again"
    store.close()


def test_a_large_order_is_known_by_its_first_event(tmp_path: Path) -> None:
    store = SQLiteViewStore(tmp_path / "ledger.db")
    ledger = Failing(Contention("busy"), "O2")
    processor = OrderProcessor(ledger, store, stock_levels=STOCK, orders=ORDERS)
    stamp = Stamp("2026-01-01T00:00:00.000000Z", "command", "tester", "local", 1)
    line = e.OrderLine(line=1, sku="S0", quantity=1)
    part = e.Allocation(line=1, location="A", reserved=1)
    large = e.OrderPlaced(policy=OrderPolicy.PARTIAL, line_count=1, lines=(line,))
    small = large.model_copy(update={"allocations": (part,)})
    placed = {"order:O1": small, "order:O2": large, "order:O3": large}

    report = processor.react(
        encode(stream, 1, event, event_id="id", stamp=stamp, prev="")[1]
        for stream, event in placed.items()
    )

    assert ledger.asked == ["O2", "O3"]
    assert (report.advanced, report.failed) == (1, ("O2",))
    store.close()
