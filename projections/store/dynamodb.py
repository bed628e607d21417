"""Views in DynamoDB: one table a view, one conditional write a row."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

from ledger.store.dynamodb_client import MAX_CONNECTIONS
from ledger.store.tables import create_table_request, full_name
from projections.generations import Generations
from projections.rebuild.state import Rebuilding
from projections.store.base import Checkpoint, Query, ViewStore, values
from projections.store.dynamodb_access import (
    KEYS_PER_READ,
    KEYS_PER_WRITE,
    PATIENCE_SECONDS,
    Access,
    Found,
    Item,
    busy,
)
from projections.store.dynamodb_items import GENERATION, Items
from projections.store.dynamodb_notes import Notes
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


class DynamoDBViewStore(ViewStore):
    """Rows in a table per view (`{prefix}-{view}`), those of all its generations; what else there
    is to remember of views is in one table, `{prefix}-checkpoints`.

    A `select` within one first key of a view is strongly consistent. Any other `select` reads an
    index, which follows the table a moment behind: a row just written may be missing or be shown
    as it was. Safe for many threads and processes.

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
        self._creates = create_tables
        self._access = Access(client, patience)
        self._notes = Notes(self._access, full_name(prefix, CHECKPOINTS))
        self._known: dict[View[Any], Items[Any]] = {}
        # Apart, so that a page doesn't wait behind the thousands of writes of a catch-up.
        self._writers = ThreadPoolExecutor(THREADS, "view-write")
        self._readers = ThreadPoolExecutor(THREADS, "view-read")

    @override
    def prepare(self, views: Iterable[View[Any]]) -> None:
        if not self._creates:
            return
        wanted = dict.fromkeys([*(view.base for view in views), CHECKPOINTS])
        with busy("creating the views' tables", writing=True):
            for name in wanted:
                with suppress(self._client.exceptions.ResourceInUseException):
                    self._client.create_table(**create_table_request(self._prefix, name))
            for name in wanted:
                self._client.get_waiter("table_exists").wait(
                    TableName=full_name(self._prefix, name),
                    WaiterConfig={"Delay": 1, "MaxAttempts": 60},
                )

    @override
    def load(self, view: View[R], keys: Iterable[Key]) -> dict[Key, R]:
        items = self._items(view)
        wanted = list(map(items.key, dict.fromkeys(keys)))
        if len(wanted) == 1:
            one = self._access.get(items.table, wanted[0])
            found = [] if one is None else [one]
        else:
            batches = _cut(wanted, KEYS_PER_READ)
            read = _each(self._readers, partial(self._access.batch, items.table), batches)
            found = [item for batch in read for item in batch]
        return {values(row, view.key_fields): row for row in map(items.row, found)}

    @override
    def save(self, view: View[R], rows: Sequence[R], checkpoint: Checkpoint | None = None) -> None:
        items = self._items(view)

        def put(item: Item) -> None:
            """Write a row unless there is one that is as new."""
            condition = "attribute_not_exists(#version) OR #version < :version"
            self._access.put(items.table, item, condition, version=item["version"])

        _each(self._writers, put, [items.item(row) for row in rows])
        if checkpoint is not None:
            self._notes.move(view, checkpoint)

    @override
    def checkpoint(self, view: View[Any]) -> Checkpoint:
        return self._notes.checkpoint(view)

    @override
    def generations(self, view: View[Any]) -> Generations:
        return self._notes.generations(view)

    @override
    def register(self, view: View[Any], before: Generations, after: Generations) -> bool:
        return self._notes.register(view, before, after)

    @override
    def discard(self, view: View[Any]) -> None:
        items = self._items(view)

        def discard(segment: int) -> None:
            where = {"Segment": segment, "TotalSegments": THREADS}
            for page in self._scan(items, **where):
                for part in _cut([items.key_of(item) for item in page], KEYS_PER_WRITE):
                    self._access.delete(items.table, part)

        _each(self._writers, discard, range(THREADS))
        self._notes.forget(view)

    @override
    def rebuilding(self, view: View[Any]) -> Rebuilding | None:
        return self._notes.rebuilding(view)

    @override
    def record(self, view: View[Any], before: Rebuilding | None, after: Rebuilding | None) -> bool:
        return self._notes.record(view, before, after)

    @override
    def select(self, view: View[R], query: Query) -> list[R]:
        items = self._items(view)
        asked = requests(items, query)
        if not asked:
            return []
        share = query.limit if len(asked) == 1 else query.limit * 3 // (2 * len(asked)) + 1
        partitions = [Partition(self._access.query, request, share) for request in asked]
        _each(self._readers, lambda partition: partition.fill(share), partitions)
        merged = heapq.merge(*partitions, key=listed_by, reverse=view.newest_first)
        return [items.row(item) for item in islice(merged, query.limit)]

    @override
    def scan(self, view: View[R]) -> Iterator[list[R]]:
        items = self._items(view)
        for page in self._scan(items):
            yield [items.row(item) for item in page]

    @override
    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()

    def _scan(self, items: Items[Any], **where: Any) -> Iterator[Sequence[Found]]:
        """The items of one generation; those of the others are read as well, and left out."""
        return self._access.scan(
            TableName=items.table,
            ConsistentRead=True,
            FilterExpression="#g = :g",
            ExpressionAttributeNames={"#g": GENERATION},
            ExpressionAttributeValues={":g": {"N": str(items.view.generation)}},
            **where,
        )

    def _items(self, view: View[R]) -> Items[R]:
        items = self._known.get(view)
        if items is None:
            items = self._known[view] = Items(view, self._prefix)
        return items


def _each(pool: ThreadPoolExecutor, work: Callable[[T], S], parts: Sequence[T]) -> list[S]:
    """`work` on every part, in parallel; what has not begun when one fails is not done."""
    if len(parts) == 1:
        return [work(parts[0])]
    return list(pool.map(work, parts))


def _cut(parts: Sequence[T], size: int) -> list[Sequence[T]]:
    """The parts, at most so many together."""
    return [parts[start : start + size] for start in range(0, len(parts), size)]
