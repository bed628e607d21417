"""The DynamoDB view store when the service is slow, silent or partly done; and what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from eventsourcing.persistence import OperationalError, ProgrammingError
from moto import mock_aws

from ledger.store.dynamodb_client import make_client
from projections.store import Checkpoint, Query, ViewStoreBusy
from projections.store.dynamodb import DynamoDBViewStore
from projections.store.dynamodb_items import SHARDS, Items
from projections.store.dynamodb_queries import Partition, requests
from projections.views import OrdersView, StockLevelsView, View
from tests.support.engines import Engines
from tests.support.view_stores import level, order

STOCK, ORDERS = StockLevelsView(), OrdersView()
THROTTLED = ClientError(
    {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "any"
)
SILENT = ReadTimeoutError(endpoint_url="https://dynamodb")


class Moody:
    """A client; `moods` stand in for some of its operations, and are given the real one."""

    def __init__(self) -> None:
        self.inner = make_client()
        self.moods: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.inner, name)
        if name not in self.moods:
            return real
        return lambda **request: self.moods[name](real, **request)


@pytest.fixture
def client(engines: Engines) -> Iterator[Moody]:  # noqa: ARG001 - boto3 finds only engines
    with mock_aws():
        client = Moody()
        yield client
        client.inner.close()


@pytest.fixture
def store(client: Moody) -> Iterator[DynamoDBViewStore]:
    store = DynamoDBViewStore(client, "p", create_tables=True, patience=0.3)  # type: ignore[arg-type]
    store.prepare([STOCK, ORDERS])
    yield store
    store.close()


def fails(error: Exception) -> Callable[..., Any]:
    def fail(_real: Callable[..., Any], **_request: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", [THROTTLED, SILENT])
def test_a_write_that_fails_for_the_moment_is_busy(
    client: Moody, store: DynamoDBViewStore, error: Exception
) -> None:
    def unlucky(put: Callable[..., Any], **request: Any) -> Any:
        answer = put(**request)
        if request["Item"].get("sku") == {"S": "S1"}:
            raise error
        return answer

    client.moods["put_item"] = unlucky
    rows = [level("S0"), level("S1"), level("S2")]
    with pytest.raises(ViewStoreBusy):
        store.save(STOCK, rows, Checkpoint(7, "then"))
    assert store.checkpoint(STOCK).position == 0

    client.moods.clear()
    store.save(STOCK, rows, Checkpoint(7, "then"))
    assert list(store.each(STOCK)) == rows
    assert store.checkpoint(STOCK).position == 7


@pytest.mark.parametrize("operation", ["get_item", "batch_get_item", "query"])
def test_reads_that_are_throttled_are_busy(
    client: Moody, store: DynamoDBViewStore, operation: str
) -> None:
    def read() -> None:
        store.load(STOCK, [("S0", "main")])
        store.load(STOCK, [("S0", "main"), ("S1", "main")])
        store.select(STOCK, Query())

    client.moods[operation] = fails(THROTTLED)
    with pytest.raises(ViewStoreBusy, match="slow down"):
        read()
    client.moods[operation] = fails(SILENT)
    with pytest.raises(OperationalError, match="reading p-stock_levels"):
        read()


def test_keys_left_unprocessed_are_asked_for_again(client: Moody, store: DynamoDBViewStore) -> None:
    rows = [level(f"S{n}") for n in range(120)]
    store.save(STOCK, rows)
    most = 30

    def partial(read: Callable[..., Any], *, RequestItems: Mapping[str, Any]) -> Any:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        keys, rest = asked["Keys"][:most], asked["Keys"][most:]
        if not keys:
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        answer = read(RequestItems={table: {**asked, "Keys": keys}})
        return {**answer, "UnprocessedKeys": {table: {**asked, "Keys": rest}} if rest else {}}

    client.moods["batch_get_item"] = partial
    keys = [(row.sku, row.location) for row in rows]
    assert store.load(STOCK, keys) == dict(zip(keys, rows, strict=True))

    most = 0
    with pytest.raises(ViewStoreBusy, match=r"keys were left unprocessed for 0\.3 s"):
        store.load(STOCK, keys)


def test_tables_are_created_only_where_that_is_asked_for(client: Moody) -> None:
    store = DynamoDBViewStore(client, "q")  # type: ignore[arg-type]
    store.prepare([STOCK])
    assert client.list_tables()["TableNames"] == []
    with pytest.raises(ProgrammingError, match="Create the tables first"):
        store.save(STOCK, [level("S0")])
    store.close()


def test_an_item_has_its_row_and_what_its_indexes_need() -> None:
    items = Items(ORDERS, "p")
    stored = items.item(order("O1", "2026-01", customer="Zoë", status="shipped", due_at="2027"))

    shard = stored["all_shard"]["S"]
    assert shard in {f"#{n}" for n in range(SHARDS)}
    assert {name: stored[name]["S"] for name in stored if name not in items.fields.names} == {
        "all_shard": shard,
        "status_shard": f"shipped{shard}",
        "due_at_shard": shard,
        "customer_key": "Zoë",
        "listed_by": "2026-01\x1fO1",
    }
    assert "task" not in stored
    assert stored["ordered"] == {"N": "0"}
    assert "promotable" not in Items(STOCK, "p").item(level("S0"))


def test_rows_are_spread_over_the_shards() -> None:
    items = Items(STOCK, "p")
    found = [items.item(level(f"SKU-{n}"))["all_shard"]["S"] for n in range(4_000)]
    assert all(900 < found.count(f"#{n}") < 1_100 for n in range(SHARDS))


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
    (ORDERS, Query(at_most={"due_at": "2026"}), "due_at", SHARDS),
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


def test_a_page_reads_little_more_than_it_shows(client: Moody, store: DynamoDBViewStore) -> None:
    store.save(STOCK, [level(f"S{n:03}") for n in range(200)])
    read: list[int] = []

    def counted(query: Callable[..., Any], **request: Any) -> Any:
        answer = query(**request)
        read.append(answer["ScannedCount"])
        return answer

    client.moods["query"] = counted
    assert len(store.select(STOCK, Query(limit=40))) == 40
    assert len(read) <= SHARDS + 1
    assert sum(read) <= 100


def test_a_filter_that_few_pass_takes_few_pages() -> None:
    """Of 100,000 items the last one answers."""
    limits: list[int] = []

    def read(*, Limit: int, ExclusiveStartKey: int = 0, **_: Any) -> dict[str, Any]:  # noqa: N803
        limits.append(Limit)
        end = ExclusiveStartKey + Limit
        if end < 100_000:
            return {"Items": [], "LastEvaluatedKey": end}
        return {"Items": [{"listed_by": {"S": "last"}}]}

    assert len(list(Partition(read, {}, 20))) == 1
    assert len(limits) < 20
    assert limits[:3] == [20, 40, 80]
