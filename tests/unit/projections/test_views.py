"""Views are pure folds: what they show at every version is what the ledger's own fold shows."""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import given

from ledger.codec import CorruptEvent, Recorded, Stamp, encode
from ledger.domain import events as e
from ledger.domain.balance import Balance
from ledger.domain.streams import is_order, is_stock
from projections.views import OrdersView, StockLevelsView
from projections.views.order_rows import FOLDS
from projections.views.stock_levels import row_location
from tests.support.expected_views import expected_stock, streams_of, summary
from tests.support.histories import Move, World, moves

STAMP = Stamp("2026-01-01T00:00:00.000000Z", "command", "tester", "local", 1)


def recorded(stream: str, version: int, event: e.Event) -> Recorded:
    return encode(stream, version, event, event_id="id", stamp=STAMP, prev="")[0]


@given(moves)
def test_an_order_shows_the_ledgers_fold_at_every_version(history: list[Move]) -> None:
    view = OrdersView()
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        world.play(history)
        streams = streams_of(world.log())
        world.recorder.close()
    for stream, found in streams.items():
        if not is_order(stream):
            continue
        row = None
        for index, event in enumerate(found, 1):
            assert view.fold_all(row, found[index - 1 :]) == summary(found)
            row = view.fold(row, event)
            assert row == summary(found[:index])


@given(moves)
def test_a_position_shows_its_newest_event(history: list[Move]) -> None:
    view = StockLevelsView()
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        world.play(history)
        log = world.log()
        world.recorder.close()
    shown = {
        view.key(stream): view.fold(None, found[-1])
        for stream, found in streams_of(log).items()
        if view.feeds(stream)
    }
    assert shown == expected_stock(log)


def test_every_kind_of_order_event_can_be_folded() -> None:
    assert set(FOLDS) == {kind for kind in e.CATALOGUE.values() if issubclass(kind, e.OrderEvent)}


def test_each_stream_feeds_one_view() -> None:
    stock, orders = StockLevelsView(), OrdersView()

    for stream in ("stock:S0@A", "order:O1"):
        assert stock.feeds(stream) == is_stock(stream)
        assert orders.feeds(stream) == is_order(stream)
    assert stock.key("stock:S0@A") == ("S0", "A")
    assert orders.key("order:O1") == ("O1",)
    assert stock.key("stock:S0@A#12") == ("S0", row_location("A", 12))


def test_an_event_in_the_wrong_stream_is_corrupt() -> None:
    received = e.StockReceived(quantity=1, balance=Balance(on_hand=1))

    with pytest.raises(CorruptEvent, match=r"order:O1 version 1: a StockReceived in an order's"):
        OrdersView().fold(None, recorded("order:O1", 1, received))
    with pytest.raises(CorruptEvent, match=r"stock:S0@A version 1: a ExpiryStarted in a position"):
        StockLevelsView().fold(None, recorded("stock:S0@A", 1, e.ExpiryStarted()))


def test_an_order_is_folded_without_gaps() -> None:
    with pytest.raises(AssertionError):
        OrdersView().fold(None, recorded("order:O1", 2, e.ExpiryStarted()))
