"""The real limits: orders of hundreds of positions and lines, and what one commit may hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import pytest

from ledger.domain.allocation import MAX_LINES_PER_EVENT, MAX_POSITIONS_PER_COMMIT
from ledger.domain.lanes import most_lanes
from ledger.domain.order import OrderStatus, TaskKind
from ledger.domain.values import MAX_ID_LENGTH, MAX_QUANTITY, OrderPolicy
from ledger.service import (
    CancelOrder,
    Context,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    SetLanes,
    ShipOrder,
)
from tests.support.processes import Process, Site, new_site

MAX_ACTIONS = 100
"""Actions of one DynamoDB transaction; the command's record is one of them."""
MAX_TRANSACTION = 4_000_000
MAX_ITEM = 400_000
"""Bytes of one DynamoDB item; attributes besides the state take some hundreds of them."""


@pytest.fixture
def site() -> Iterator[Site]:
    with new_site(("main",)) as site:
        yield site


def stock_up(process: Process, skus: list[str], units: int, location: str = "main") -> None:
    for start in range(0, len(skus), MAX_POSITIONS_PER_COMMIT):
        chunk = skus[start : start + MAX_POSITIONS_PER_COMMIT]
        process.send(ReceiveStock(tuple(ReceiptLine(sku, location, units) for sku in chunk)))


def check_commits(site: Site) -> None:
    """Every commit fits one transaction, every event one item."""
    site.auditor.catch_up()
    log = site.recorder.select_notifications(0, 100_000, inclusive_of_start=False)
    sizes = {(n.originator_id, n.originator_version): len(n.state) for n in log}
    for _, group in groupby(site.auditor.heard, key=lambda r: r.command):
        commit = [sizes[r.stream, r.version] for r in group]
        assert len(commit) < MAX_ACTIONS
        assert max(commit) < MAX_ITEM - 2_000
        assert sum(commit) < MAX_TRANSACTION - MAX_ACTIONS * 2_000


def lines_of(skus: list[str], units: int = 1) -> tuple[OrderRequestLine, ...]:
    return tuple(OrderRequestLine(sku, units) for sku in skus)


def test_an_order_of_300_positions_is_allocated_shipped_and_cancelled_in_chunks(
    site: Site,
) -> None:
    skus = [f"sku-{n:03d}" for n in range(300)]
    process = site.start()
    stock_up(process, skus, 3)
    placed = process.send(PlaceOrder(lines_of(skus, 2), "o-1")).order
    assert placed is not None
    assert placed.task is not None
    assert (placed.status, placed.task.kind) == (OrderStatus.ALLOCATING, TaskKind.ALLOCATION)
    assert process.ledger.advance("o-1").status is OrderStatus.ALLOCATED
    process.send(ShipOrder("o-1"))
    shipped = process.ledger.advance("o-1")
    assert shipped.status is OrderStatus.SHIPPED
    assert [shipment.units for shipment in shipped.shipments] == [600]
    process.send(PlaceOrder(lines_of(skus), "o-2"))
    process.ledger.advance("o-2")
    process.send(CancelOrder("o-2"))
    assert process.ledger.advance("o-2").status is OrderStatus.CANCELLED
    check_commits(site)
    assert set(site.auditor.balances().values()) == {(1, 0, 0, 0, None)}


def test_an_order_of_300_positions_that_is_short_of_the_last_gives_everything_back(
    site: Site,
) -> None:
    skus = [f"sku-{n:03d}" for n in range(300)]
    process = site.start()
    stock_up(process, skus[:-1], 1)
    process.send(PlaceOrder(lines_of(skus), "o-1"))
    order = process.ledger.advance("o-1")
    assert (order.status, order.totals.rejected) == (OrderStatus.REJECTED, 300)
    assert [(s.sku, s.requested, s.available) for s in order.shortfalls] == [(skus[-1], 1, 0)]
    check_commits(site)
    assert set(site.auditor.balances().values()) == {(1, 0, 0, 0, None)}


def test_an_order_of_1200_lines_on_few_skus(site: Site) -> None:
    skus = [f"sku-{n % 3}" for n in range(1_200)]
    process = site.start()
    stock_up(process, sorted(set(skus)), 400)
    placed = process.send(PlaceOrder(lines_of(skus), "o-1"))
    assert [r.type for r in placed.events] == ["OrderPlaced", "OrderLinesAdded"]
    order = process.ledger.advance("o-1")
    assert (order.status, order.totals.reserved) == (OrderStatus.ALLOCATED, 1_200)
    process.send(ShipOrder("o-1"))
    assert process.ledger.advance("o-1").status is OrderStatus.SHIPPED
    check_commits(site)
    assert set(site.auditor.balances().values()) == {(0, 0, 0, 0, None)}


@pytest.mark.parametrize("policy", OrderPolicy)
@pytest.mark.parametrize("stocked", [MAX_QUANTITY // 2, MAX_QUANTITY * 12])
def test_the_widest_order_one_commit_takes_fits_one_transaction(
    site: Site, policy: OrderPolicy, stocked: int
) -> None:
    """Ids of full length, numbers of many digits, as many lines and positions as there may be."""
    skus = [f"{n:03d}".rjust(MAX_ID_LENGTH, "x") for n in range(MAX_POSITIONS_PER_COMMIT)]
    location = "y" * MAX_ID_LENGTH
    process = site.start()
    while stocked:
        stock_up(process, skus, min(stocked, MAX_QUANTITY), location)
        stocked -= min(stocked, MAX_QUANTITY)
    lines = tuple(
        OrderRequestLine(skus[n % len(skus)], MAX_QUANTITY, location)
        for n in range(MAX_LINES_PER_EVENT)
    )
    order_id, customer = "z" * MAX_ID_LENGTH, "ß" * 256
    placed = process.send(PlaceOrder(lines, order_id, customer, policy)).order
    assert placed is not None
    assert placed.task is None
    if placed.totals.open:
        process.send(CancelOrder(order_id))
    check_commits(site)


@pytest.mark.parametrize("count", [5, 6, 9, 10, 12, 18, 32])
def test_a_line_that_takes_the_last_unit_of_lanes_everywhere_fits_one_transaction(
    count: int,
) -> None:
    locations = tuple(f"L{n}" for n in range(count))
    with new_site(locations) as site:
        process = site.start()
        for location in locations:
            stock_up(process, ["hot"], 40, location)
            process.ledger.handle(SetLanes("hot", location, most_lanes(count)), Context())
        placed = process.send(PlaceOrder(lines_of(["hot"], 40 * count), "o-1")).order
        assert placed is not None
        assert (placed.status, placed.task) == (OrderStatus.ALLOCATED, None)
        check_commits(site)
