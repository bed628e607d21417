"""Whatever is asked, a view on DynamoDB answers as the same view on SQLite does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.store import Query, ViewStore
from projections.store.base import values
from projections.views import (
    OpenReservationsView,
    OrderRow,
    OrdersView,
    StockLevelsView,
    StockRow,
    View,
)
from tests.support.engines import Engines
from tests.support.view_stores import view_stores

SKUS, PLACES, NUMBERS = ("A", "A-1", "A.", "B"), ("X", "Y", "Z"), st.integers(0, 3)
IDS, TIMES = ("O1", "O10", "O2", "O3", "O4"), ("2026-01", "2026-02", "2026-03")
CUSTOMERS, STATES = ("C", "D#1", "Zoë"), ("allocated", "shipped")
GENERATION = count(2)

stock_rows = st.builds(
    StockRow,
    st.sampled_from(SKUS),
    st.sampled_from(PLACES),
    *[NUMBERS] * 5,
    low_stock_threshold=st.none() | NUMBERS,
    queue_from=st.none() | NUMBERS,
    promotable=st.booleans(),
    version=st.integers(1, 5),
    at=st.sampled_from(TIMES),
)
order_rows = st.builds(
    OrderRow,
    st.sampled_from(IDS),
    placed_at=st.sampled_from(TIMES),
    updated_at=st.sampled_from(TIMES),
    version=st.integers(1, 5),
    customer=st.none() | st.sampled_from(CUSTOMERS),
    status=st.sampled_from(STATES),
    due_at=st.none() | st.sampled_from(TIMES),
    task=st.none() | st.just("expiry"),
    ordered=NUMBERS,
)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions on some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def queries(
    equal: st.SearchStrategy[dict[str, Any]],
    at_most: st.SearchStrategy[dict[str, Any]],
    present: tuple[str, ...],
    after: st.SearchStrategy[tuple[str, ...]],
) -> st.SearchStrategy[list[Query]]:
    chosen = st.lists(st.sampled_from(present), unique=True, max_size=2).map(tuple)
    return st.lists(
        st.builds(Query, equal, at_most, chosen, st.none() | after, st.integers(1, 9)),
        min_size=3,
        max_size=8,
    )


stock_queries = queries(
    some(sku=st.sampled_from(SKUS), location=st.sampled_from(PLACES), on_hand=NUMBERS),
    some(available=NUMBERS, sku=st.sampled_from(SKUS), queue_from=NUMBERS),
    ("promotable", "low_stock_threshold", "sku", "on_hand"),
    st.tuples(st.sampled_from(SKUS), st.sampled_from(PLACES)),
)
order_queries = queries(
    some(
        order_id=st.sampled_from(IDS),
        customer=st.sampled_from(CUSTOMERS),
        status=st.sampled_from(STATES),
        task=st.just("expiry"),
    ),
    some(placed_at=st.sampled_from(TIMES), ordered=NUMBERS, customer=st.sampled_from(CUSTOMERS)),
    ("task", "due_at", "customer", "status"),
    st.tuples(st.sampled_from(TIMES), st.sampled_from(IDS)),
)
due_queries = queries(
    some(order_id=st.sampled_from(IDS), customer=st.sampled_from(CUSTOMERS)),
    some(due_at=st.sampled_from(TIMES), ordered=NUMBERS),
    ("task", "due_at", "customer"),
    st.tuples(st.sampled_from(TIMES), st.sampled_from(IDS)),
)


@pytest.fixture(scope="module")
def stores(
    engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ViewStore, ViewStore]]:
    """Both kinds of store; every example writes to a generation of its own."""
    folder: Path = tmp_path_factory.mktemp("views")
    with (
        view_stores("sqlite", folder, engines) as open_sqlite,
        view_stores("moto", folder, engines) as open_dynamodb,
    ):
        yield open_sqlite(), open_dynamodb()


def assert_same(
    stores: tuple[ViewStore, ViewStore], view: View[Any], rows: list[Any], asked: list[Query]
) -> None:
    for store in stores:
        store.prepare([view])
        for row in rows:
            store.save(view, [row])
    one, other = stores
    assert list(one.each(view)) == list(other.each(view))
    found = [{values(row, view.key_fields): row for p in s.scan(view) for row in p} for s in stores]
    assert found[0] == found[1]
    for query in asked:
        assert one.select(view, query) == other.select(view, query)
        assert list(one.each(view, query)) == list(other.each(view, query))


few = settings(max_examples=settings().max_examples // 3)


@few
@given(st.lists(stock_rows, max_size=15), stock_queries)
def test_stock_levels(
    stores: tuple[ViewStore, ViewStore], rows: list[StockRow], asked: list[Query]
) -> None:
    assert_same(stores, StockLevelsView().at(next(GENERATION)), rows, asked)


@few
@given(st.lists(order_rows, max_size=15), order_queries)
def test_orders(
    stores: tuple[ViewStore, ViewStore], rows: list[OrderRow], asked: list[Query]
) -> None:
    assert_same(stores, OrdersView().at(next(GENERATION)), rows, asked)


@few
@given(st.lists(order_rows, max_size=15), due_queries)
def test_open_reservations(
    stores: tuple[ViewStore, ViewStore], rows: list[OrderRow], asked: list[Query]
) -> None:
    assert_same(stores, OpenReservationsView().at(next(GENERATION)), rows, asked)
