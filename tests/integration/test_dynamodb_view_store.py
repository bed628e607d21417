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
from projections.store.dynamodb_items import SHARDS
from projections.store.dynamodb_queries import Partition
from projections.views import OpenReservationsView, OrdersView, StockLevelsView
from tests.support.engines import Engines
from tests.support.view_stores import level, order

STOCK, ORDERS, OPEN = StockLevelsView(), OrdersView(), OpenReservationsView()
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
    store.prepare([STOCK, ORDERS, OPEN])
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


def test_finding_what_is_due_costs_what_is_due(client: Moody, store: DynamoDBViewStore) -> None:
    """Whatever the number of orders that are open: the range is a key condition."""
    rows = [order(f"O{n:04}", "2026", due_at=f"2026-{n:04}") for n in range(400)]
    store.save(OPEN, rows)
    asked: list[int] = []

    def counted(query: Callable[..., Any], **request: Any) -> Any:
        answer = query(**request)
        asked.append(answer["Count"])
        assert "listed_by" in request["ExpressionAttributeNames"].values()
        assert "<=" not in request.get("FilterExpression", "")
        return answer

    client.moods["query"] = counted
    assert list(store.each(OPEN, Query(at_most={"due_at": "2026-0009"}))) == rows[:10]
    assert sum(asked) == 10
    assert len(asked) <= SHARDS + 1


def test_deletes_left_unprocessed_are_asked_for_again(
    client: Moody, store: DynamoDBViewStore
) -> None:
    second = STOCK.at(2)
    store.save(second, [level(f"S{n}") for n in range(60)])
    most = 7

    def partial(write: Callable[..., Any], *, RequestItems: Mapping[str, Any]) -> Any:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        if not most:
            return {"UnprocessedItems": RequestItems}
        answer = write(RequestItems={table: asked[:most]})
        rest = asked[most:]
        return {**answer, "UnprocessedItems": {table: rest} if rest else {}}

    client.moods["batch_write_item"] = partial
    most = 0
    with pytest.raises(ViewStoreBusy, match="keys were left unprocessed"):
        store.discard(second)
    most = 7
    store.discard(second)
    assert not any(store.scan(second))


def test_rows_of_older_code_lack_what_has_a_default(
    client: Moody, store: DynamoDBViewStore
) -> None:
    """A generation that was filled before a field was added is read until the switch."""
    store.save(ORDERS, [order("O1", "2026", ordered=3)])
    for name in ("ordered", "task_units", "policy"):
        client.update_item(
            TableName="p-orders",
            Key={"key": {"S": "1#O1"}},
            UpdateExpression=f"REMOVE {name}",
        )
    assert store.load(ORDERS, [("O1",)]) == {("O1",): order("O1", "2026")}
    client.update_item(
        TableName="p-orders", Key={"key": {"S": "1#O1"}}, UpdateExpression="REMOVE updated_at"
    )
    with pytest.raises(ProgrammingError, match="without the field updated_at: give it a default"):
        store.load(ORDERS, [("O1",)])


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
