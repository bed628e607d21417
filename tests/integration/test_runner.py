"""The runner on real files: several at once, and what it does when it can't go on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.codec import CorruptEvent
from ledger.domain.values import OrderPolicy
from ledger.service import commands as c
from projections.audit import ViewAudit
from projections.bootstrap import Projections, open_projections
from projections.runner import EventsMissing, Runner
from projections.store.base import values
from projections.store.sqlite import SQLiteViewStore
from projections.views import StockLevelsView
from tests.support.expected_views import expected_orders, expected_stock
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


def receive(world: World, quantity: int, *skus: str) -> None:
    world.handle(c.ReceiveStock(tuple(c.ReceiptLine(sku, "A", quantity) for sku in skus)))


def place(world: World, order_id: str, quantity: int, *skus: str) -> None:
    lines = tuple(c.OrderRequestLine(sku, quantity, "A") for sku in skus)
    world.handle(c.PlaceOrder(lines, order_id=order_id, policy=OrderPolicy.BACKORDER))


def test_runners_of_several_processes_share_a_file(world: World) -> None:
    """Three runners with connections of their own, while orders come in."""
    stores = [SQLiteViewStore(world.path) for _ in range(3)]
    stop = threading.Event()
    failures: list[BaseException] = []

    def run(store: SQLiteViewStore) -> None:
        try:
            runner = Runner(world.recorder, store, views)
            while not stop.is_set() or runner.catch_up(3):
                runner.catch_up(3)
        except BaseException as error:
            failures.append(error)

    first = open_projections(world.recorder, path=world.path)
    views = first.views
    threads = [threading.Thread(target=run, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for number in range(12):
        receive(world, 3, *SKUS)
        place(world, f"O{number}", 2, "S0", "S1")
        world.advance_all()
    stop.set()
    for thread in threads:
        thread.join(60)

    assert failures == []
    stock, orders, _ = views
    log = world.log()
    assert {values(r, stock.key_fields): r for r in stores[0].each(stock)} == expected_stock(log)
    assert {values(r, orders.key_fields): r for r in stores[1].each(orders)} == expected_orders(log)
    for store in stores:
        store.close()
    first.close()


def test_a_corrupt_event_stops_its_view_and_names_itself(
    world: World, projections: Projections
) -> None:
    receive(world, 5, "S0")
    place(world, "O1", 2, "S0")
    with world.recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("UPDATE stored_events SET state=? WHERE originator_id='order:O1'", (b"{}",))
    receive(world, 5, "S0")

    with pytest.raises(CorruptEvent, match="order:O1 version 1: not an envelope"):
        projections.runner.catch_up()

    assert projections.orders.get("O1") is None
    assert projections.store.checkpoint(projections.orders_view).position == 0
    level = projections.stock_levels.get("S0", "A")
    assert level is not None, "the other view goes on"
    assert level.version == 3


@pytest.mark.parametrize("stream", ["order:", "stock:", "stock:S0", "stock:S0@A#x"])
def test_a_stream_that_names_no_row_fails_alone(
    world: World, projections: Projections, stream: str
) -> None:
    """Only whoever writes around the ledger can make one; the seal fits all the same."""
    receive(world, 5, "S0")
    place(world, "O1", 2, "S0")
    log = world.log()
    body = log[0].state.rpartition(b',"hash"')[0]
    seal = hashlib.sha256(f"{stream}\n1\n".encode() + body + b"}").hexdigest()
    odd = StoredEvent(stream, 1, log[0].topic, body + f',"hash":"{seal}"}}'.encode())

    report = projections.runner.apply([odd, *log])

    assert list(report.failed) == [stream]
    with pytest.raises(CorruptEvent, match=f"{stream} version 1: .* is not a"):
        report.check()
    level = projections.stock_levels.get("S0", "A")
    assert level is not None
    assert (level.version, projections.orders.get("O1") is not None) == (2, True)


def test_a_gap_that_can_not_be_filled_stops_the_view(
    world: World, projections: Projections
) -> None:
    receive(world, 5, *SKUS)
    place(world, "O1", 2, *SKUS)
    world.advance_all()
    log = [event for event in world.log() if event.originator_id == "order:O1"]
    with world.recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute(
            "DELETE FROM stored_events WHERE originator_id='order:O1' AND originator_version=2"
        )

    with pytest.raises(EventsMissing, match="order:O1 version 2 is missing"):
        projections.runner.apply([log[-1]]).check()

    projections.runner.apply(log[::-1]).check()
    order = projections.orders.get("O1")
    assert order is not None
    assert order.version == len(log)


def test_a_view_that_is_new_catches_up_beside_one_that_is_not(
    world: World, projections: Projections
) -> None:
    receive(world, 5, *SKUS)
    while projections.runner.catch_up():
        pass
    receive(world, 5, *SKUS)
    late = StockLevelsView("late")
    runner = Runner(world.recorder, projections.store, [projections.stock_levels_view, late])
    while runner.catch_up(3):
        pass

    assert list(projections.store.each(late)) == list(
        projections.store.each(projections.stock_levels_view)
    )
    audit = ViewAudit(projections.store, [late])
    assert audit.lag() == {"late": 0}
