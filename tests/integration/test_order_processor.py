"""The order processor with the real ledger, and with one that fails."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from ledger.codec import decode
from ledger.domain.order import Order, OrderStatus
from ledger.domain.values import OrderPolicy
from ledger.errors import Contention
from ledger.service import commands as c
from projections.bootstrap import Projections, open_projections
from projections.store import Query
from tests.support.histories import Move, World, moves, small_commits


class Shop:
    """A world, its projections, and an order processor on them."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.projections: Projections = open_projections(self.world.recorder, path=self.world.path)
        self.processor = self.projections.order_processor(self.world.ledger, clock=self.world.clock)

    def receive(self, quantity: int, *skus: str) -> None:
        lines = tuple(c.ReceiptLine(sku, "A", quantity) for sku in skus)
        self.world.handle(c.ReceiveStock(lines))

    def place(self, order_id: str, quantity: int, *skus: str, **options: object) -> None:
        lines = tuple(c.OrderRequestLine(sku, quantity, "A") for sku in skus)
        self.world.handle(c.PlaceOrder(lines, order_id=order_id, **options))  # type: ignore[arg-type]

    def settle(self) -> None:
        """Project, react to what is new, until nothing is."""
        while events := self.projections.runner.catch_up():
            arrived = [decode(e) if e.id % 2 else e for e in events]  # type: ignore[attr-defined]
            assert self.processor.react(arrived).failed == {}

    def status(self, order_id: str) -> OrderStatus:
        self.project()
        found = self.projections.orders.get(order_id)
        assert found is not None
        return found.status

    def project(self) -> None:
        """Bring the views up to the log, without reacting."""
        while self.projections.runner.catch_up():
            pass

    def close(self) -> None:
        self.projections.close()
        self.world.recorder.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with small_commits():
        shop = Shop(tmp_path)
        yield shop
        shop.close()


SKUS = ("S0", "S1", "S2", "S3", "S4")


def test_a_large_order_is_allocated(shop: Shop) -> None:
    shop.receive(10, *SKUS)
    shop.place("O1", 2, *SKUS)
    assert shop.world.ledger.history.order("O1").task is not None  # type: ignore[union-attr]

    shop.settle()

    assert shop.status("O1") is OrderStatus.ALLOCATED
    level = shop.projections.stock_levels.get("S4", "A")
    assert level is not None
    assert (level.reserved, level.available) == (2, 8)


def test_a_large_order_that_runs_short_is_rejected_and_gives_everything_back(shop: Shop) -> None:
    shop.receive(10, *SKUS[:-1])
    shop.place("O1", 2, *SKUS)

    shop.settle()

    assert shop.status("O1") is OrderStatus.REJECTED
    assert [r.reserved for r in shop.projections.stock_levels.list(limit=9)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (c.ShipOrder("O1"), OrderStatus.SHIPPED),
        (c.CancelOrder("O1"), OrderStatus.CANCELLED),
        (c.CancelOrder("O1", (1, 2, 3)), OrderStatus.ALLOCATED),
    ],
)
def test_a_large_shipment_or_cancellation_is_finished(
    shop: Shop, command: c.Command, status: OrderStatus
) -> None:
    shop.receive(10, *SKUS)
    shop.place("O1", 2, *SKUS)
    shop.settle()

    shop.world.handle(command)
    shop.settle()

    assert shop.status("O1") is status


def test_a_receipt_serves_the_backorder_queue_first_come_first_served(shop: Shop) -> None:
    shop.receive(1, "S0")
    shop.place("O1", 3, "S0", policy=OrderPolicy.BACKORDER)
    shop.place("O2", 2, "S0", policy=OrderPolicy.BACKORDER)
    shop.settle()
    assert shop.status("O1") is OrderStatus.BACKORDERED

    shop.receive(3, "S0")
    shop.settle()

    assert shop.status("O1") is OrderStatus.ALLOCATED
    assert shop.status("O2") is OrderStatus.BACKORDERED
    shop.receive(9, "S0")
    shop.settle()
    assert shop.status("O2") is OrderStatus.ALLOCATED


def test_a_queue_whose_head_is_busy_is_served_by_the_next_sweep(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head of the queue has work under way that can't be finished at first; nobody else is
    served before it, and nobody is forgotten.
    """
    shop.receive(1, *SKUS)
    shop.place("O1", 3, *SKUS, policy=OrderPolicy.BACKORDER)
    shop.settle()
    shop.place("O2", 1, "S0", policy=OrderPolicy.BACKORDER)
    assert shop.status("O1") is OrderStatus.BACKORDERED
    shop.world.handle(c.CancelOrder("O1", (2, 3, 4, 5)))
    assert shop.world.ledger.history.order("O1").task is not None  # type: ignore[union-attr]
    shop.receive(2, "S0")
    shop.project()
    advance, failures = shop.world.ledger.advance, iter(["by a sweep", "by a promotion"])

    def unlucky(order_id: str) -> Order:
        if why := next(failures, None):
            raise Contention(why)
        return advance(order_id)

    monkeypatch.setattr(shop.world.ledger, "advance", unlucky)

    first = shop.processor.sweep()

    assert set(first.failed) == {"order:O1", "stock:S0@A"}
    assert shop.status("O2") is OrderStatus.BACKORDERED
    second = shop.processor.sweep()
    assert (second.promoted, second.failed) == (2, {})
    assert shop.status("O1") is OrderStatus.ALLOCATED
    assert shop.status("O2") is OrderStatus.BACKORDERED
    shop.receive(1, "S0")
    shop.project()
    assert shop.processor.sweep().promoted == 1
    assert shop.status("O2") is OrderStatus.ALLOCATED


def test_an_order_expires_when_it_is_due(shop: Shop) -> None:
    shop.receive(10, "S0")
    shop.place("O1", 4, "S0", reservation_ttl_seconds=60)
    shop.project()

    assert shop.processor.sweep().expired == 0
    assert shop.status("O1") is OrderStatus.ALLOCATED

    shop.world.pass_time(60)
    assert shop.processor.sweep().expired == 1
    assert shop.status("O1") is OrderStatus.EXPIRED
    assert shop.processor.sweep().expired == 0


def test_a_sweep_finds_what_reactions_missed(shop: Shop) -> None:
    shop.receive(10, *SKUS)
    shop.place("O1", 2, *SKUS)
    shop.place("O2", 9, "S9", policy=OrderPolicy.BACKORDER)
    shop.project()

    report = shop.processor.sweep()

    assert (report.advanced, report.failed) == (1, {})
    assert shop.status("O1") is OrderStatus.ALLOCATED
    shop.receive(10, "S9")
    shop.project()
    assert shop.processor.sweep().promoted == 9
    assert shop.status("O2") is OrderStatus.ALLOCATED


def test_a_task_that_ended_is_not_swept_again(shop: Shop) -> None:
    shop.receive(10, *SKUS)
    shop.place("O1", 2, *SKUS)
    shop.settle()
    shop.world.handle(c.CancelOrder("O1", (1, 2, 3)))
    shop.settle()
    row = next(shop.projections.store.each(shop.projections.orders_view, Query()))
    assert (row.task, row.task_units) == (None, 0)
    assert shop.processor.sweep().advanced == 0


def test_reacting_again_changes_nothing(shop: Shop) -> None:
    shop.receive(10, *SKUS)
    shop.place("O1", 2, *SKUS)
    shop.settle()
    log = shop.world.log()

    shop.processor.react(reversed(log))
    shop.processor.react(log)
    shop.processor.sweep()

    assert shop.world.log() == log


@given(moves)
def test_after_a_sweep_nothing_is_left_to_do(history: list[Move]) -> None:
    """Whatever happened: no order is half done, and no queue could be served."""
    with tempfile.TemporaryDirectory() as folder, small_commits():
        shop = Shop(Path(folder))
        shop.world.play(history)
        shop.project()
        assert shop.processor.sweep().failed == {}
        shop.settle()
        history_of = shop.world.ledger.history
        for order in shop.projections.orders.list(limit=100):
            found = history_of.order(order.order_id)
            assert found is not None
            assert found.task is None
        store, view = shop.projections.store, shop.projections.stock_levels_view
        assert store.select(view, Query(present=("promotable",))) == []
        shop.close()
