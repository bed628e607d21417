"""Readers over views that were projected from real events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.domain.order import OrderStatus, Totals
from ledger.domain.values import OrderPolicy
from ledger.service import commands as c
from projections.bootstrap import Projections, open_projections
from projections.readers import OrderSummary, Reservation, StockLevel, StockTotals
from tests.support.histories import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    for sku, location, units in (("S0", "A", 5), ("S0", "B", 7), ("S1", "A", 1), ("S2", "B", 9)):
        world.handle(c.ReceiveStock((c.ReceiptLine(sku, location, units),)))
    world.handle(c.SetPositionPolicy("S0", "A", 3))
    world.handle(order("O1", "S0", 4, "A", customer="Ann", reservation_ttl_seconds=60))
    world.handle(order("O2", "S1", 3, "A", customer="Bob", policy=OrderPolicy.BACKORDER))
    world.handle(order("O3", "S2", 99, "B", customer="Ann"))
    yield world
    world.recorder.close()


@pytest.fixture
def projections(world: World) -> Iterator[Projections]:
    projections = open_projections(world.recorder, path=world.path)
    while projections.runner.catch_up():
        pass
    yield projections
    projections.close()


def order(order_id: str, sku: str, units: int, location: str, **options: object) -> c.PlaceOrder:
    line = c.OrderRequestLine(sku, units, location)
    return c.PlaceOrder((line,), order_id=order_id, **options)  # type: ignore[arg-type]


def test_a_stock_level(world: World, projections: Projections) -> None:
    newest = world.ledger.history.newest("stock:S0@A")
    assert newest is not None

    assert projections.stock_levels.get("S0", "A") == StockLevel(
        sku="S0",
        location="A",
        on_hand=5,
        reserved=4,
        backordered=0,
        damaged=0,
        available=1,
        low_stock_threshold=3,
        version=3,
        as_of=newest.at,
    )
    assert projections.stock_levels.get("S0", "C") is None


def test_listing_stock_levels(projections: Projections) -> None:
    def keys(**conditions: object) -> list[str]:
        found = projections.stock_levels.list(**{"limit": 9, **conditions})  # type: ignore[arg-type]
        return [f"{level.sku}@{level.location}" for level in found]

    assert keys() == ["S0@A", "S0@B", "S1@A", "S2@B"]
    assert keys(sku="S0") == ["S0@A", "S0@B"]
    assert keys(location="B") == ["S0@B", "S2@B"]
    assert keys(below=2) == ["S0@A", "S1@A"]
    assert keys(below=1) == ["S1@A"]
    assert keys(limit=2) == ["S0@A", "S0@B"]
    assert keys(limit=2, after=("S0", "B")) == ["S1@A", "S2@B"]


def test_stock_totals_are_sums_over_positions(projections: Projections) -> None:
    assert projections.stock_levels.totals(["S0", "S1", "S9"]) == {
        "S0": StockTotals(on_hand=12, reserved=4, available=8, positions=2),
        "S1": StockTotals(on_hand=1, reserved=1, backordered=2, available=0, positions=1),
        "S9": StockTotals(),
    }


def test_an_order_summary(world: World, projections: Projections) -> None:
    placed = world.ledger.history.newest("order:O1")
    found = projections.orders.get("O1")
    assert placed is not None
    assert found is not None

    assert found == OrderSummary(
        order_id="O1",
        status=OrderStatus.ALLOCATED,
        customer="Ann",
        policy=OrderPolicy.ALL_OR_NOTHING,
        placed_at=placed.at,
        updated_at=placed.at,
        expires_at=found.expires_at,
        line_count=1,
        totals=Totals(ordered=4, reserved=4),
        version=1,
    )
    assert found.expires_at is not None
    assert projections.orders.get("O9") is None


def test_listing_orders_newest_first(projections: Projections) -> None:
    def ids(**conditions: object) -> list[str]:
        found = projections.orders.list(**{"limit": 9, **conditions})  # type: ignore[arg-type]
        return [order.order_id for order in found]

    assert ids() == ["O3", "O2", "O1"]
    assert ids(status=OrderStatus.REJECTED) == ["O3"]
    assert ids(customer="Ann") == ["O3", "O1"]
    assert ids(customer="Ann", status=OrderStatus.ALLOCATED) == ["O1"]
    assert ids(limit=1) == ["O3"]
    last = projections.orders.get("O3")
    assert last is not None
    assert ids(limit=1, after=(last.placed_at, "O3")) == ["O2"]


def test_listing_reservations_near_expiry(world: World, projections: Projections) -> None:
    world.handle(order("O4", "S2", 2, "B", customer="Ann", reservation_ttl_seconds=5))
    world.handle(order("O5", "S2", 1, "B", reservation_ttl_seconds=600))
    world.handle(order("O6", "S2", 1, "B", reservation_ttl_seconds=30))
    world.handle(c.CancelOrder("O6"))
    projections.runner.catch_up()
    reservations = projections.reservations

    found = reservations.list(limit=9)

    assert [r.order_id for r in found] == ["O4", "O1", "O5"]
    due = projections.orders.get("O4")
    assert due is not None
    assert found[0] == Reservation("O4", "Ann", due.expires_at or "", 2, 0, 1)
    assert reservations.list(limit=9, due_before=found[1].due_at) == found[:2]
    assert reservations.list(limit=9, due_before=found[0].due_at[:-8]) == []
    after = (found[0].due_at, found[0].order_id)
    assert reservations.list(limit=1, after=after) == found[1:2]
    assert reservations.list(limit=9, after=after, due_before=found[1].due_at) == found[1:2]
    assert reservations.applied_to() == projections.orders.applied_to()


def test_lists_go_on_across_a_switch(projections: Projections) -> None:
    """Readers follow the generation that is active; cursors hold in all of them."""
    first = projections.orders.list(limit=1)
    levels = projections.stock_levels.list(limit=9)
    for view in projections.views:
        rebuild = projections.rebuild(view)
        rebuild.begin()
        rebuild.settle()
        rebuild.fill()
        rebuild.switch()
        projections.store.discard(view)

    rest = projections.orders.list(limit=9, after=(first[0].placed_at, first[0].order_id))
    assert [found.order_id for found in (*first, *rest)] == ["O3", "O2", "O1"]
    assert projections.orders.get("O1") == rest[1]
    assert projections.stock_levels.list(limit=9) == levels
    assert projections.stock_levels.get("S0", "A") == levels[0]
    assert projections.stock_levels.totals(["S0"])["S0"].on_hand == 12
    assert [r.order_id for r in projections.reservations.list(limit=9)] == ["O1"]
    assert projections.stock_levels.applied_to() == projections.orders.applied_to()


def test_freshness_is_the_time_of_the_newest_event_applied(
    world: World, projections: Projections
) -> None:
    newest = world.ledger.history.newest("order:O3")
    assert newest is not None
    assert projections.orders.applied_to() == newest.at

    world.handle(c.ReceiveStock((c.ReceiptLine("S0", "A", 1),)))
    projections.runner.catch_up()

    received = world.ledger.history.newest("stock:S0@A")
    assert received is not None
    assert projections.orders.applied_to() == projections.stock_levels.applied_to() == received.at


def test_a_ledger_without_events_has_no_freshness(tmp_path: Path) -> None:
    empty = World(tmp_path, "empty.db")
    projections = open_projections(empty.recorder, path=empty.path)

    assert len(projections.runner.catch_up()) == 0
    assert projections.stock_levels.applied_to() is None
    assert projections.orders.applied_to() is None
    assert projections.stock_levels.list(limit=9) == []
    projections.close()
    empty.recorder.close()
