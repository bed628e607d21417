"""Real races on a position in lanes: every unit is sold once, and nobody is refused one in vain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from ledger.domain.streams import position_of
from ledger.domain.values import OrderPolicy
from ledger.service import (
    CancelOrder,
    Context,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    SetLanes,
)
from tests.property.test_races import insistently
from tests.support.buyers import SKU, at_once, buy, status
from tests.support.engines import Engines
from tests.support.event_stores import ATOMIC, Store, all_events, event_store, verified
from tests.support.processes import Process, Site

STREAM = f"stock:{SKU}@main"


@pytest.fixture(params=ATOMIC)
def store(request: pytest.FixtureRequest, tmp_path: Path, engines: Engines) -> Iterator[Store]:
    with event_store(request.param, tmp_path, engines) as store:
        yield store


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    site = Site(store.open(), ("main",))
    yield site
    if store.name == "sqlite":
        site.auditor.catch_up()
    report = verified(site.recorder)
    assert report.ok, report.findings


def receive(process: Process, units: int) -> None:
    insistently(process.send, ReceiveStock((ReceiptLine(SKU, "main", units),)))


def split(process: Process, count: int) -> None:
    def handle(command: SetLanes) -> object:
        return process.ledger.handle(command, Context("operator"))

    insistently(handle, SetLanes(SKU, "main", count))


def sell_out(site: Site, ledgers: Sequence[Ledger], units: int, refused: int) -> None:
    """All at once, until nothing is left: every unit is sold, from lanes, and then no more."""
    turns = (units + refused) // len(ledgers)
    deeds = [
        lambda ledger=ledger, n=n: [status(buy(ledger, f"{n}-{turn}")) for turn in range(turns)]
        for n, ledger in enumerate(ledgers)
    ]
    found = Counter(answer for answers in at_once(deeds) for answer in answers)
    assert found == {"allocated": units, "rejected": refused}
    level = site.start().ledger.history.position(STREAM)
    assert level is not None
    sold = (level.balance.on_hand, level.balance.reserved, level.balance.available)
    assert sold == (units, units, 0)
    lanes = {e.originator_id for e in all_events(site.recorder) if "#" in str(e.originator_id)}
    assert {position_of(str(lane)) for lane in lanes} == {STREAM}


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("cache_size", [50_000, 0])
def test_ledgers_that_share_nothing_sell_exactly_what_is_there(
    site: Site, count: int, cache_size: int
) -> None:
    operator = site.start()
    split(operator, count)
    receive(operator, 25)
    sell_out(site, [site.start(cache_size=cache_size).ledger for _ in range(5)], 25, 10)


def test_ledgers_that_split_the_position_at_once_sell_exactly_what_is_there(site: Site) -> None:
    receive(site.start(), 60)
    ledgers = [site.start().ledger for _ in range(5)]
    for n, ledger in enumerate(ledgers):
        vars(ledger._appender)["_split_into"] = lambda _, count=2 + n: count
    sell_out(site, ledgers, 60, 10)


def test_lanes_come_and_go_while_everything_goes_on(site: Site) -> None:
    """Buyers, a receiver, clients who change their minds, and an operator who splits and mends."""
    shop = site.start()
    receive(shop, 12)
    buyers = [site.start(cache_size=50_000 * (n % 2)) for n in range(3)]

    def order(process: Process, name: str) -> int:
        for turn in range(8):
            wanted = (OrderRequestLine(SKU, 1 + turn % 3),)
            place = PlaceOrder(wanted, f"{name}-{turn}", policy=OrderPolicy.BACKORDER)
            insistently(process.send, place)
            if turn % 2:
                insistently(process.send, CancelOrder(f"{name}-{turn}"))
            insistently(process.ledger.promote, STREAM)
        return 0

    def operate(process: Process) -> int:
        for count in (3, 1, 5, 2, 4, 1, 3):
            split(process, count)
            receive(process, 4)
        return 0

    at_once([*(partial(order, b, f"b{n}") for n, b in enumerate(buyers)),
             partial(operate, site.start())])  # fmt: skip
    insistently(shop.ledger.promote, STREAM)
    level = shop.ledger.history.position(STREAM)
    assert level is not None
    wanted = 3 * sum(1 + turn % 3 for turn in range(0, 8, 2))
    assert level.balance.on_hand == 12 + 7 * 4
    assert level.balance.reserved + level.balance.backordered == wanted
    assert level.balance.reserved == min(wanted, level.balance.on_hand)
