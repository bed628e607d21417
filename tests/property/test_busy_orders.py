"""Who meets an order that is still being worked on finishes that first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.streams import stock_stream
from ledger.domain.values import OrderPolicy
from ledger.service import CancelOrder, PlaceOrder
from tests.support.large_orders import (
    ORDER,
    SKUS,
    Stocked,
    orders,
    receipt,
    small_site,
    step,
    stocks,
)
from tests.support.processes import START

DUE = START + timedelta(seconds=60)


@given(stocks, orders, st.integers(0, 6))
def test_an_order_that_is_due_or_served_while_busy_is_finished_first(
    stock: Stocked, order: PlaceOrder, steps: int
) -> None:
    order = replace(order, policy=OrderPolicy.BACKORDER)
    with small_site(stock) as site:
        process = site.start()
        process.send(order)
        for _ in range(steps):
            step(process)
        for sku in SKUS:
            process.send(receipt({(sku, "east"): 30}))
            process.ledger.promote(stock_stream(sku, "east"))
        assert process.ledger.expire(ORDER, DUE)
        done = process.ledger.history.order(ORDER)
        assert done is not None
        assert done.task is None
        assert done.totals.expired == done.totals.ordered


@given(stocks, orders, st.integers(0, 6))
def test_who_serves_the_queue_of_an_order_that_is_being_cancelled_finishes_that_first(
    stock: Stocked, order: PlaceOrder, steps: int
) -> None:
    order = replace(order, policy=OrderPolicy.BACKORDER)
    with small_site(stock) as site:
        process = site.start()
        process.send(order)
        process.ledger.advance(ORDER)
        process.send(CancelOrder(ORDER))
        for _ in range(steps):
            step(process)
        for sku in SKUS:
            process.send(receipt({(sku, "east"): 30}))
            assert process.ledger.promote(stock_stream(sku, "east")) == 0
        done = process.ledger.advance(ORDER)
        assert done.totals.cancelled == done.totals.ordered
