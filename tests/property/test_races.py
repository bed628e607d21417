"""Real races: however many want the same units at the same moment, each unit is sold once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from ledger.domain.errors import OrderNotOpen
from ledger.domain.events import PositionEvent
from ledger.domain.values import OrderPolicy
from ledger.errors import Contention
from ledger.service import (
    CancelOrder,
    Context,
    Idempotency,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ShipOrder,
)
from tests.support.buyers import SKU, at_once, buy, buy_many, status
from tests.support.engines import Engines
from tests.support.event_stores import ATOMIC, Store, all_events, event_store, verified
from tests.support.processes import Process, Site

A = TypeVar("A")
T = TypeVar("T")
STREAM = f"stock:{SKU}@main"
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=ATOMIC)
def store(request: pytest.FixtureRequest, tmp_path: Path, engines: Engines) -> Iterator[Store]:
    with event_store(request.param, tmp_path, engines) as store:
        yield store


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    site = Site(store.open(), ("main",))
    yield site
    if store.name == "sqlite":
        site.auditor.catch_up()  # commit by commit, in the order of the log
    report = verified(site.recorder)
    assert report.ok, report.findings


def stock_up(site: Site, units: int) -> None:
    site.start().send(ReceiveStock((ReceiptLine(SKU, "main", units),)))


def check_sold(site: Site, units: int, stocked: int) -> None:
    """The stock card counts every unit once, and was never short of any."""
    reserved = 0
    for recorded in site.start().ledger.history.walk(STREAM):
        assert isinstance(recorded.event, PositionEvent)
        balance = recorded.event.balance
        assert 0 <= balance.reserved <= balance.on_hand == stocked
        assert balance.reserved == reserved + (recorded.type == "StockReserved")
        reserved = balance.reserved
    assert reserved == units


@pytest.mark.parametrize(("stocked", "threads", "each"), [(20, 8, 5), (60, 8, 5), (1, 16, 1)])
def test_threads_of_one_process_sell_exactly_what_is_there(
    site: Site, stocked: int, threads: int, each: int
) -> None:
    stock_up(site, stocked)
    found = buy_many(site.start().ledger, "buyer", threads, each)
    sold = min(stocked, threads * each)
    assert found == +Counter({"allocated": sold, "rejected": threads * each - sold})
    check_sold(site, sold, stocked)


@pytest.mark.parametrize("cache_size", [50_000, 0])
def test_ledgers_that_share_nothing_but_the_store_sell_exactly_what_is_there(
    site: Site, cache_size: int
) -> None:
    stock_up(site, 20)
    ledgers = [site.start(cache_size=cache_size).ledger for _ in range(6)]
    keys = [[f"{n}-{turn}" for turn in range(5)] for n in range(6)]
    deeds = [
        lambda ledger=ledger, mine=mine: [status(buy(ledger, key)) for key in mine]
        for ledger, mine in zip(ledgers, keys, strict=True)
    ]
    found = Counter(answer for answers in at_once(deeds) for answer in answers)
    assert found == {"allocated": 20, "rejected": 10}
    check_sold(site, 20, 20)


def test_two_processes_sell_exactly_what_is_there(site: Site, store: Store) -> None:
    stock_up(site, 50)
    with ExitStack() as running:
        buyers = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.support.buyers", store.address, name, "3", "12"],
                    cwd=ROOT,
                    env={**os.environ, **store.environment},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name in ("one", "two")
        ]
        for buyer in buyers:
            assert buyer.stdout is not None
            assert buyer.stdout.readline() == "ready\n"
        for buyer in buyers:
            assert buyer.stdin is not None
            buyer.stdin.write("go\n")
            buyer.stdin.flush()
        answers = [buyer.communicate(timeout=60)[0] for buyer in buyers]
    assert [buyer.returncode for buyer in buyers] == [0, 0]
    found: Counter[str] = sum((Counter(json.loads(answer)) for answer in answers), Counter())
    assert found == {"allocated": 50, "rejected": 22}
    check_sold(site, 50, 50)


@pytest.mark.parametrize("ledgers", [1, 4])
def test_one_key_sent_by_many_at_once_is_one_commit_and_one_answer(
    site: Site, ledgers: int
) -> None:
    stock_up(site, 20)
    shared = [site.start().ledger for _ in range(ledgers)]
    before = len(all_events(site.recorder))
    outcomes = at_once([partial(buy, shared[n % ledgers], "the-key") for n in range(12)])
    assert [outcome.replayed for outcome in outcomes].count(False) == 1
    assert all(outcome.events == outcomes[0].events for outcome in outcomes)
    assert all(outcome.order == outcomes[0].order for outcome in outcomes)
    assert len(all_events(site.recorder)) == before + len(outcomes[0].events)
    check_sold(site, 1, 20)


@pytest.mark.parametrize("turn", range(5))
def test_shipping_cancelling_and_expiring_at_once_give_each_unit_one_fate(
    site: Site, turn: int
) -> None:
    stock_up(site, 10)
    place = PlaceOrder(
        (OrderRequestLine(SKU, 10),), f"o-{turn}", policy=OrderPolicy.PARTIAL,
        reservation_ttl_seconds=0,
    )  # fmt: skip
    processes = [site.start(cache_size=50_000 * (n % 2)) for n in range(6)]
    processes[turn].send(place)
    ship, cancel = ShipOrder(f"o-{turn}"), CancelOrder(f"o-{turn}")
    deeds = [
        partial(settled, processes[0], ship),
        partial(settled, processes[1], cancel),
        partial(insistently, processes[2].ledger.expire, f"o-{turn}"),
        partial(settled, processes[3], ship),
        partial(settled, processes[4], cancel),
        partial(insistently, processes[5].ledger.expire, f"o-{turn}"),
    ]
    assert at_once(deeds).count(True) == 1
    order = processes[0].ledger.history.order(f"o-{turn}")
    assert order is not None
    fates = [order.totals.shipped, order.totals.cancelled, order.totals.expired]
    assert sorted(fates) == [0, 0, 10]


def settled(process: Process, command: ShipOrder | CancelOrder) -> bool:
    """Whether this command, and not another, settled the order."""
    try:
        return bool(insistently(process.send, command).events)
    except OrderNotOpen:
        return False


def insistently(deed: Callable[[A], T], what: A) -> T:
    """Do it, and again as long as too many others were doing the same."""
    while True:
        try:
            return deed(what)
        except Contention:
            continue


def test_many_who_serve_one_queue_serve_it_once(site: Site) -> None:
    shop = site.start()
    for n in range(4):
        shop.send(PlaceOrder((OrderRequestLine(SKU, 3),), f"o-{n}", policy=OrderPolicy.BACKORDER))
    stock_up(site, 10)
    processes = [site.start(cache_size=50_000 * (n % 2)) for n in range(6)]
    at_once([partial(insistently, process.ledger.promote, STREAM) for process in processes])
    stream = shop.ledger.history.walk(STREAM)
    assert sum(r.data["quantity"] for r in stream if r.type == "BackorderPromoted") == 10
    held = [shop.ledger.history.order(f"o-{n}") for n in range(4)]
    assert [order.totals.reserved for order in held if order] == [3, 3, 3, 1]


def test_a_key_is_one_command_for_each_principal_and_route_even_at_once(site: Site) -> None:
    stock_up(site, 9)
    ledger = site.start().ledger
    receive = ReceiveStock((ReceiptLine(SKU, "main", 1),))
    contexts = [
        Context(actor, Idempotency(route, "key"))
        for actor in ("ann", "bob")
        for route in ("receipts", "returns")
    ] * 2
    outcomes = at_once(
        [partial(insistently, partial(ledger.handle, receive), context) for context in contexts]
    )
    assert sorted(outcome.replayed for outcome in outcomes) == [False] * 4 + [True] * 4
