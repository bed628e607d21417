"""The local pump from end to end: table, stream, relay, bus, queues, consumers."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ledger.domain.order import OrderStatus
from ledger.domain.values import OrderPolicy
from ledger.service import CancelOrder, Context, ShipOrder
from projections.views import StockLevelsView
from tests.integration.pump.support import Site, soon

SKUS = [f"S{n}" for n in range(6)]


def shop_for_a_while(site: Site, seed: int, orders: int = 12) -> None:
    """Receipts, orders of every policy, shipments and cancellations."""
    chance = random.Random(seed)
    for number in range(orders):
        site.receive(chance.choice(SKUS), chance.randint(1, 5))
        order_id = f"O-{seed}-{number}"
        skus = chance.sample(SKUS, chance.randint(1, 3))
        site.order(
            order_id, *skus, quantity=chance.randint(1, 4), policy=chance.choice(list(OrderPolicy))
        )
        order = site.ledger.history.order(order_id)
        assert order is not None
        if order.status is OrderStatus.ALLOCATED and chance.random() < 0.5:
            site.ledger.handle(ShipOrder(order_id), Context())
        elif order.status is not OrderStatus.REJECTED and chance.random() < 0.3:
            site.ledger.handle(CancelOrder(order_id), Context())


def test_everything_is_delivered(site: Site) -> None:
    with site.pump() as pump:
        site.ledger.listen(pump.notify)
        shop_for_a_while(site, 1)
        soon(site.everything_is_applied)
        soon(lambda: not pump.plumbing.waiting)
    assert pump.totals.count("DeadLettered") == 0
    assert pump.totals.count("Published") == sum(site.versions().values())
    assert site.views.checkpoint(StockLevelsView()).at is not None


def test_it_goes_on_where_it_was(site: Site) -> None:
    shop_for_a_while(site, 2, orders=4)
    assert site.drained().totals.count("Published") == sum(site.versions().values())
    assert site.everything_is_applied()
    before = sum(site.versions().values())
    shop_for_a_while(site, 3, orders=4)
    again = site.drained()
    assert site.everything_is_applied()
    assert again.totals.count("Published") == sum(site.versions().values()) - before


def test_what_a_sweep_brings_about_is_delivered_as_well(ministack: Site) -> None:
    """The backorder is served by the order processor, in the pump."""
    ministack.order("B-1", "MUG", quantity=3, policy=OrderPolicy.BACKORDER)
    ministack.drained()
    assert ministack.order_rows()["B-1",].status == "backordered"
    ministack.receive("MUG", 5)
    ministack.drained()
    assert ministack.order_rows()["B-1",].status == "allocated"
    assert ministack.everything_is_applied()


def test_an_order_falls_due(ministack: Site) -> None:
    ministack.receive("MUG", 5)
    ministack.order("E-1", "MUG", reservation_ttl_seconds=1)
    with ministack.pump():
        soon(lambda: ministack.order_rows().get(("E-1",)) is not None)
        soon(lambda: ministack.order_rows()["E-1",].status == "expired")
        soon(ministack.everything_is_applied)


def test_two_at_once_are_harmless(ministack: Site) -> None:
    with ministack.pump(), ministack.pump():
        shop_for_a_while(ministack, 4)
        soon(ministack.everything_is_applied)


@contextmanager
def pumping(site: Site) -> Iterator[subprocess.Popen[str]]:
    """`ledger pump`, once it delivers."""
    with site.process("pump") as process:
        assert process.stderr is not None
        try:
            assert "Delivering the events of dynamodb:" in process.stderr.readline()
            yield process
        finally:
            process.kill()


def test_it_may_be_killed_at_any_moment(site: Site) -> None:
    chance = random.Random(7)
    for seed in range(10, 14):
        with pumping(site) as process:
            killer = threading.Timer(chance.uniform(0.1, 1.5), process.kill)
            killer.start()
            shop_for_a_while(site, seed, orders=5)
            killer.join()
    done = site.command("pump", "--once")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert site.everything_is_applied()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked_to(ministack: Site, stop: signal.Signals) -> None:
    with pumping(ministack) as process:
        ministack.receive("MUG", 5)
        soon(ministack.stock_rows)
        process.send_signal(stop)
        stderr = process.communicate(timeout=30)[1]
    assert (process.returncode, "Traceback" in stderr) == (0, False), stderr
    assert "1 events published" in stderr
