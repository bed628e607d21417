"""Views in DynamoDB: one table a view, one conditional write a row."""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

from ledger.errors import Contention, UnknownOutcome
from ledger.store.dynamodb_client import MAX_CONNECTIONS, translated
from ledger.store.tables import create_table_request, full_name
from projections.store.base import Checkpoint, Query, ViewStore, ViewStoreBusy, values
from projections.store.dynamodb_items import Item, Items
from projections.store.dynamodb_queries import Partition, listed_by, requests
from projections.views.base import Key, Row, View

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

R = TypeVar("R", bound=Row)
T = TypeVar("T")
S = TypeVar("S")

CHECKPOINTS: Final = "checkpoints"

THREADS: Final = MAX_CONNECTIONS // 4
"""Requests under way at a time: as many writes, and as many reads. Events use the rest of the
client's connections."""

KEYS_PER_BATCH: Final = 100
"""What one `BatchGetItem` takes."""

PATIENCE_SECONDS: Final = 10.0
"""How long keys that DynamoDB leaves unprocessed, all of them, are asked for again before
`ViewStoreBusy`."""

BACKOFF_BASE_SECONDS: Final = 0.05
BACKOFF_CAP_SECONDS: Final = 1.0


class DynamoDBViewStore(ViewStore):
    """Rows in a table per view (`{prefix}-{view}`), checkpoints in a table of theirs.

    `load`, `checkpoint` and a `select` within one hash key of a view's table are strongly
    consistent. Any other `select` reads an index, which follows the table a moment behind: a row
    just written may be missing or be shown as it was. Safe for many threads and processes.

    Parameters
    ----------
    client
        Stays the caller's: `close` leaves it open.
    create_tables
        Whether `prepare` creates tables that are missing. On AWS they are Terraform's work, and
        whoever runs projections there need not be allowed to.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        prefix: str,
        *,
        create_tables: bool = False,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._checkpoints = full_name(prefix, CHECKPOINTS)
        self._creates = create_tables
        self._patience = patience
        self._known: dict[str, Items[Any]] = {}
        # Apart, so that a page doesn't wait behind the thousands of writes of a catch-up.
        self._writers = ThreadPoolExecutor(THREADS, "view-write")
        self._readers = ThreadPoolExecutor(THREADS, "view-read")

    @override
    def prepare(self, views: Iterable[View[Any]]) -> None:
        if not self._creates:
            return
        wanted = {items.table: items.base for items in map(self._items, views)}
        wanted[self._checkpoints] = CHECKPOINTS
        with _busy("creating the views' tables", writing=True):
            for table, like in wanted.items():
                self._create(table, like)
            for table in wanted:
                self._client.get_waiter("table_exists").wait(
                    TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
                )

    @override
    def load(self, view: View[R], keys: Iterable[Key]) -> dict[Key, R]:
        items = self._items(view)
        wanted = list(map(items.key, dict.fromkeys(keys)))
        if len(wanted) == 1:
            one = self._get(items.table, wanted[0])
            found = [] if one is None else [one]
        else:
            cuts = range(0, len(wanted), KEYS_PER_BATCH)
            batches = [wanted[cut : cut + KEYS_PER_BATCH] for cut in cuts]
            read = _each(self._readers, partial(self._batch, items.table), batches)
            found = [item for batch in read for item in batch]
        return {values(row, view.key_fields): row for row in map(items.row, found)}

    @override
    def save(self, view: View[R], rows: Sequence[R], checkpoint: Checkpoint | None = None) -> None:
        items = self._items(view)
        put = partial(self._put, items.table, newer_by="version")
        _each(self._writers, put, [items.item(row) for row in rows])
        if checkpoint is not None:
            item = {"view": {"S": view.name}, "position": {"N": str(checkpoint.position)}}
            if checkpoint.at is not None:
                item["at"] = {"S": checkpoint.at}
            self._put(self._checkpoints, item, newer_by="position")

    @override
    def checkpoint(self, view: View[Any]) -> Checkpoint:
        item = self._get(self._checkpoints, {"view": {"S": view.name}})
        if item is None:
            return Checkpoint()
        return Checkpoint(int(item["position"]["N"]), item["at"]["S"] if "at" in item else None)

    @override
    def select(self, view: View[R], query: Query) -> list[R]:
        items = self._items(view)
        asked = requests(items, query)
        share = query.limit if len(asked) == 1 else query.limit * 3 // (2 * len(asked)) + 1
        partitions = [Partition(self._query, request, share) for request in asked]
        _each(self._readers, lambda partition: partition.fill(share), partitions)
        merged = heapq.merge(*partitions, key=listed_by, reverse=view.newest_first)
        return [items.row(item) for item in islice(merged, query.limit)]

    @override
    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()

    def _items(self, view: View[R]) -> Items[R]:
        items = self._known.get(view.name)
        if items is None:
            items = self._known[view.name] = Items(view, self._prefix)
        return items

    def _create(self, table: str, like: str) -> None:
        request = {**create_table_request(self._prefix, like), "TableName": table}
        with suppress(self._client.exceptions.ResourceInUseException):
            self._client.create_table(**request)

    def _get(self, table: str, key: Item) -> Mapping[str, Any] | None:
        with _busy(f"reading {table}"):
            answer = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _batch(self, table: str, keys: Sequence[Item]) -> list[Mapping[str, Any]]:
        """The items there are of at most `KEYS_PER_BATCH` keys."""
        found: list[Mapping[str, Any]] = []
        deadline, longest = time.monotonic() + self._patience, BACKOFF_BASE_SECONDS
        while True:
            asked: Any = {table: {"Keys": keys, "ConsistentRead": True}}
            with _busy(f"reading {table}"):
                answer = self._client.batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(table, [])
            unprocessed: Any = answer.get("UnprocessedKeys")
            left = unprocessed[table]["Keys"] if unprocessed else []
            if not left:
                return found
            if len(left) < len(keys):
                deadline, longest = time.monotonic() + self._patience, BACKOFF_BASE_SECONDS
            elif time.monotonic() > deadline:
                msg = f"{table}: keys were left unprocessed for {self._patience:g} s"
                raise ViewStoreBusy(msg)
            keys = left
            time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
            longest = min(BACKOFF_CAP_SECONDS, 2 * longest)

    def _put(self, table: str, item: Item, *, newer_by: str) -> None:
        """Write an item unless there is one that is as new, by one of its numbers."""
        newer_is_there = self._client.exceptions.ConditionalCheckFailedException
        with _busy(f"writing {table}", writing=True), suppress(newer_is_there):
            self._client.put_item(
                TableName=table,
                Item=item,
                ConditionExpression="attribute_not_exists(#n) OR #n < :n",
                ExpressionAttributeNames={"#n": newer_by},
                ExpressionAttributeValues={":n": item[newer_by]},
            )

    def _query(self, **request: Any) -> Mapping[str, Any]:
        with _busy(f"reading {request['TableName']}"):
            return self._client.query(**request)


def _each(pool: ThreadPoolExecutor, work: Callable[[T], S], parts: Sequence[T]) -> list[S]:
    """`work` on every part, in parallel; what has not begun when one fails is not done."""
    if len(parts) == 1:
        return [work(parts[0])]
    return list(pool.map(work, parts))


@contextmanager
def _busy(what: str, *, writing: bool = False) -> Iterator[None]:
    """Say `ViewStoreBusy` where trying again is all there is to do.

    That holds for a write whose answer was lost, too: it does nothing the second time.
    """
    try:
        with translated(what, writing=writing):
            yield
    except (Contention, UnknownOutcome) as error:
        raise ViewStoreBusy(str(error)) from error
