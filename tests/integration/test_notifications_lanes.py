"""What is told of a position in lanes: of the whole, once lane 0 has all that is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.domain.values import OrderPolicy
from ledger.service import (
    AdjustmentLine,
    AdjustStock,
    Context,
    OrderRequestLine,
    PlaceOrder,
    SetLanes,
    SetPositionPolicy,
)
from tests.support.notifications import Recording
from tests.support.notified import Shop, kinds

STOCK = {"low_stock", "out_of_stock", "back_in_stock"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def sell(shop: Shop, units: int) -> None:
    command = PlaceOrder((OrderRequestLine("HOT", units, "A"),), policy=OrderPolicy.PARTIAL)
    shop.world.ledger.handle(command, Context())


def told(shop: Shop, channel: Recording) -> list[str]:
    before = len(channel.sent)
    assert shop.notifier(channel).handle(shop.world.log()) == {}
    return [kind for kind in kinds(channel)[before:] if kind in STOCK]


def test_it_is_low_when_all_lanes_together_are_and_not_when_one_is(shop: Shop) -> None:
    channel = Recording()
    ledger = shop.world.ledger
    shop.receive("HOT", 60)
    ledger.handle(SetPositionPolicy("HOT", "A", 10), Context())
    ledger.handle(SetLanes("HOT", "A", 3), Context())
    assert told(shop, channel) == []
    for _ in range(12):
        sell(shop, 4)
    assert told(shop, channel) == [], "12 are left, on some lanes none"
    sell(shop, 4)
    assert told(shop, channel) == ["low_stock"]
    sell(shop, 8)
    assert told(shop, channel) == ["out_of_stock"]
    shop.receive("HOT", 60)
    assert told(shop, channel) == ["back_in_stock"]
    sell(shop, 1)
    assert told(shop, channel) == [], "that it is in lanes again is no news"


def test_it_is_out_of_stock_whoever_took_the_last_units_from_whichever_lane(shop: Shop) -> None:
    channel = Recording()
    appender = shop.world.ledger._appender
    shop.receive("HOT", 6)
    shop.world.ledger.handle(SetLanes("HOT", "A", 3), Context())
    for home in range(3):
        appender._home = home
        sell(shop, 1)
        sell(shop, 1)
    assert told(shop, channel) == ["out_of_stock"]


def test_it_is_out_of_stock_when_a_correction_takes_all(shop: Shop) -> None:
    channel = Recording()
    shop.receive("HOT", 60)
    shop.world.ledger.handle(SetLanes("HOT", "A", 3), Context())
    lost = AdjustmentLine("HOT", "A", -60, "flood")
    shop.world.ledger.handle(AdjustStock((lost,)), Context())
    assert told(shop, channel) == ["out_of_stock"]
    shop.receive("HOT", 60)
    assert told(shop, channel) == ["back_in_stock"]
