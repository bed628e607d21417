"""The items of views in DynamoDB: what they hold, what they cost, and which index serves what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from projections.store import Query
from projections.store.dynamodb_items import SHARDS, Items
from projections.store.dynamodb_queries import requests
from projections.views import OpenReservationsView, OrdersView, StockLevelsView, View
from tests.support.view_stores import level, order

STOCK, ORDERS, OPEN = StockLevelsView(), OrdersView(), OpenReservationsView()
THROTTLED = ClientError(
    {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "any"
)
SILENT = ReadTimeoutError(endpoint_url="https://dynamodb")


def test_an_item_has_its_row_and_what_its_indexes_need() -> None:
    row = order("O1", "2026-01", customer="Zoë", status="shipped", due_at="2027")
    items = Items(ORDERS.at(3), "p")
    stored = items.item(row)

    shard = stored["all_shard"]["S"]
    assert shard in {f"3#{n}" for n in range(SHARDS)}
    assert {name: stored[name] for name in stored if name not in items.fields.names} == {
        "key": {"S": "3#O1"},
        "generation": {"N": "3"},
        "all_shard": {"S": shard},
        "status_shard": {"S": f"3#shipped{shard[1:]}"},
        "customer_key": {"S": "3#Zoë"},
        "listed_by": {"S": "2026-01\x1fO1"},
    }
    assert "task" not in stored
    assert stored["ordered"] == {"N": "0"}
    assert stored["order_id"] == {"S": "O1"}
    assert items.table == "p-orders"
    assert items.row(stored) == row
    stock = Items(STOCK, "p").item(level("S0"))
    assert (stock["key"], stock["location"]) == ({"S": "1#S0"}, {"S": "main"})
    assert "promotable" not in stock


def test_a_row_that_falls_due_no_more_takes_no_place_in_the_index() -> None:
    items = Items(OPEN, "p")
    keyed = {"listed_by", "due_at_shard"}
    assert keyed <= items.item(order("O1", "2026-01", due_at="2027")).keys()
    assert keyed.isdisjoint(items.item(order("O1", "2026-01", version=2)))


LONG = "x" * 64


@pytest.mark.parametrize(
    ("items", "row"),
    [
        (Items(STOCK.at(999), "p"), level(LONG, LONG, 10**9, promotable=1)),
        (
            Items(ORDERS.at(999), "p"),
            order(
                LONG,
                "x" * 27,
                10**9,
                customer="x" * 120,
                ordered=10**9,
                reserved=10**9,
                status="partially_shipped",
                due_at="x" * 27,
                task="cancellation",
            ),
        ),
        (Items(OPEN.at(999), "p"), order(LONG, "x" * 27, customer="x" * 120, due_at="x" * 27)),
    ],
)
def test_a_row_costs_one_write_unit(items: Items[Any], row: Any) -> None:
    """DynamoDB counts names and values, and charges a unit for every KB begun."""

    def size(value: Mapping[str, Any]) -> int:
        ((kind, held),) = value.items()
        return len(held) // 2 + 2 if kind == "N" else len(held) if kind == "S" else 1

    assert sum(len(name) + size(value) for name, value in items.item(row).items()) <= 1024


def test_rows_are_spread_over_the_shards() -> None:
    items = Items(STOCK, "p")
    found = [items.item(level(f"SKU-{n}"))["all_shard"]["S"] for n in range(4_000)]
    assert all(900 < found.count(f"1#{n}") < 1_100 for n in range(SHARDS))


QUERIES = [
    (STOCK, Query(), "all", SHARDS),
    (STOCK, Query(equal={"location": "A"}), "location", 1),
    (STOCK, Query(equal={"location": "A"}, present=("promotable",)), "location", 1),
    (STOCK, Query(present=("promotable",)), "promotable", SHARDS),
    (STOCK, Query(equal={"sku": "S0"}, at_most={"available": 1}), None, 1),
    (STOCK, Query(equal={"sku": "S0", "location": "A"}), None, 1),
    (STOCK, Query(at_most={"available": 1}), "all", SHARDS),
    (ORDERS, Query(equal={"order_id": "O1"}), None, 1),
    (ORDERS, Query(equal={"status": "shipped"}), "status", SHARDS),
    (ORDERS, Query(equal={"status": "shipped", "customer": "C"}), "customer", 1),
    (ORDERS, Query(equal={"status": "shipped"}, present=("task",)), "task", SHARDS),
    (OPEN, Query(), "due_at", SHARDS),
    (OPEN, Query(at_most={"due_at": "2026"}), "due_at", SHARDS),
    (OPEN, Query(at_most={"due_at": "2026"}, after=("2025", "O1")), "due_at", SHARDS),
    (OPEN, Query(at_most={"due_at": "2026"}, after=("2026-01", "O1")), "due_at", 0),
]


@pytest.mark.parametrize(("view", "query", "index", "partitions"), QUERIES)
def test_every_query_has_its_index(
    view: View[Any], query: Query, index: str | None, partitions: int
) -> None:
    asked = requests(Items(view, "p"), query)
    assert len(asked) == partitions
    for request in asked:
        assert request.get("IndexName") == index
        assert request.get("ConsistentRead", False) is (index is None)
