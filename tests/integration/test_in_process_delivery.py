"""Delivery within one process: real threads on a real file."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.domain.order import OrderStatus
from ledger.domain.values import OrderPolicy
from ledger.service import commands as c
from projections.bootstrap import Projections, open_projections
from projections.delivery.in_process import InProcessDelivery
from projections.loop import Loop
from projections.runner import Runner
from tests.support.histories import World, small_commits

SKUS = ("S0", "S1", "S2", "S3")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_commits():
        world = World(tmp_path)
        yield world
        world.recorder.close()


@pytest.fixture
def projections(world: World) -> Iterator[Projections]:
    projections = open_projections(world.recorder, path=world.path)
    yield projections
    projections.close()


@pytest.fixture
def delivery(world: World, projections: Projections) -> Iterator[InProcessDelivery]:
    """Delivery that polls so seldom that only being told can make it fast."""
    delivery = InProcessDelivery(
        projections.runner,
        projections.store,
        projections.order_processor(world.ledger),
        poll=30.0,
        sweep=30.0,
    )
    world.ledger.listen(delivery.notify)
    delivery.start()
    yield delivery
    delivery.stop()


def receive(world: World, quantity: int, *skus: str) -> None:
    world.handle(c.ReceiveStock(tuple(c.ReceiptLine(sku, "A", quantity) for sku in skus)))


def place(world: World, order_id: str, quantity: int, *skus: str) -> None:
    lines = tuple(c.OrderRequestLine(sku, quantity, "A") for sku in skus)
    world.handle(c.PlaceOrder(lines, order_id=order_id, policy=OrderPolicy.BACKORDER))


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def test_a_commit_shows_up_without_waiting_for_the_poll(
    world: World, projections: Projections, delivery: InProcessDelivery
) -> None:
    receive(world, 5, "S0")

    assert delivery.wait_for(projections.stock_levels_view, "stock:S0@A", 1, 10.0)

    level = projections.stock_levels.get("S0", "A")
    assert level is not None
    assert (level.on_hand, level.version) == (5, 1)
    assert projections.stock_levels.applied_to() == level.as_of
    # Views are written one after the other; this one comes later.
    eventually(lambda: projections.orders.applied_to() == level.as_of)


def test_waiting_for_what_does_not_come_ends(
    projections: Projections, delivery: InProcessDelivery
) -> None:
    started = time.monotonic()

    assert not delivery.wait_for(projections.stock_levels_view, "stock:S0@A", 1, 0.2)
    assert 0.2 <= time.monotonic() - started < 5


def test_large_orders_and_backorders_go_on_by_themselves(
    world: World, projections: Projections, delivery: InProcessDelivery
) -> None:
    receive(world, 1, *SKUS)
    place(world, "O1", 3, *SKUS)

    def status() -> OrderStatus | None:
        order = projections.orders.get("O1")
        return None if order is None else order.status

    eventually(lambda: status() is OrderStatus.BACKORDERED)
    receive(world, 9, *SKUS)
    eventually(lambda: status() is OrderStatus.ALLOCATED)
    delivery.stop()


def test_commits_of_another_process_are_found_by_polling(
    world: World, projections: Projections
) -> None:
    delivery = InProcessDelivery(
        projections.runner,
        projections.store,
        projections.order_processor(world.ledger),
        poll=0.05,
        sweep=0.05,
    )
    delivery.start()
    place(world, "O1", 2, *SKUS)  # nobody calls notify
    receive(world, 5, *SKUS)

    def allocated() -> bool:
        order = projections.orders.get("O1")
        return order is not None and order.status is OrderStatus.ALLOCATED

    eventually(allocated)
    delivery.stop()


def test_a_backlog_is_swept_instead_of_handed_over(world: World, projections: Projections) -> None:
    receive(world, 5, *SKUS)
    place(world, "O1", 2, *SKUS)
    for _ in range(10):
        receive(world, 1, "S0")
    delivery = InProcessDelivery(
        projections.runner,
        projections.store,
        projections.order_processor(world.ledger),
        poll=30.0,
        sweep=30.0,
        page=4,
    )
    world.ledger.listen(delivery.notify)
    delivery.start()

    def allocated() -> bool:
        order = projections.orders.get("O1")
        return order is not None and order.status is OrderStatus.ALLOCATED

    eventually(allocated)
    delivery.stop()


def test_delivery_goes_on_after_a_failure(
    world: World,
    projections: Projections,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempts = iter(range(100))
    catch_up = Runner.catch_up

    def failing(runner: Runner, limit: int) -> object:
        if next(attempts) < 2:
            raise OSError("the disk had a bad moment")
        return catch_up(runner, limit)

    monkeypatch.setattr(Runner, "catch_up", failing)
    delivery = projections.delivery(world.ledger)
    receive(world, 5, "S0")
    with caplog.at_level(logging.ERROR, logger="projections.loop"):
        delivery.start()
        assert delivery.wait_for(projections.stock_levels_view, "stock:S0@A", 1, 10.0)
        delivery.stop()

    assert [r.getMessage() for r in caplog.records] == ["projections failed and will try again"] * 2


def test_delivery_that_never_started_can_be_stopped(world: World, projections: Projections) -> None:
    projections.delivery(world.ledger).stop()


def test_stopping_waits_for_the_step_under_way() -> None:
    entered, finished = threading.Event(), threading.Event()

    def step() -> None:
        entered.set()
        time.sleep(0.1)
        finished.set()

    loop = Loop("slow", step, every=30.0)
    loop.start()
    assert entered.wait(10)
    loop.stop()

    assert finished.is_set()
