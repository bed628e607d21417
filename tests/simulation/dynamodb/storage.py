"""The data behind the simulated DynamoDB: tables, indexes, and what they held a moment ago."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any, Final
from zlib import crc32

from tests.simulation.dynamodb.values import Item

Key = tuple[Any, ...]
AsOf = Callable[[], float] | None
"""Answers the instant an eventually consistent read sees an item at; None reads strongly."""

MEMORY_SECONDS: Final = 3.0
"""For how long what an item was before is still read by an eventually consistent read."""


@dataclass(frozen=True)
class Write:
    """One item that was written: what a table's stream tells. `commit` counts the atomic writes
    of the whole database.
    """

    commit: int
    at: float
    old: Item | None
    new: Item | None


@dataclass(frozen=True)
class Keys:
    """The key attributes of a table or an index."""

    hash: str
    range: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names."""
        return (self.hash,) if self.range is None else (self.hash, self.range)

    def of(self, item: Mapping[str, Any]) -> Key:
        """An item's key, as values that sort."""
        return tuple(plain(item[name]) for name in self.names)

    def pick(self, item: Item) -> dict[str, Any]:
        """The key attributes of an item."""
        return {name: item[name] for name in self.names}


@dataclass
class Table:
    """One table. `rows` keep what each item was, newest last; None says that it is not there."""

    name: str
    keys: Keys
    indexes: dict[str, Keys]
    request: dict[str, Any]
    rows: dict[Key, list[tuple[float, Item | None]]] = field(default_factory=dict)
    partitions: dict[Any, dict[Key, None]] = field(default_factory=dict)
    stream: list[Write] = field(default_factory=list)

    def get(self, key: Key, as_of: AsOf = None) -> Item | None:
        """An item as it is, or as it was."""
        versions = self.rows.get(key)
        if versions is None:
            return None
        if as_of is None:
            return versions[-1][1]
        moment = as_of()
        for at, item in reversed(versions):
            if at <= moment:
                return item
        return None

    def put(self, key: Key, item: Item | None, now: float) -> None:
        """Replace an item."""
        versions = self.rows.setdefault(key, [])
        versions.append((now, item))
        while len(versions) > 1 and versions[1][0] < now - MEMORY_SECONDS:
            del versions[0]
        self.partitions.setdefault(key[0], {})[key] = None

    def partition(self, value: Any, as_of: AsOf) -> list[Item]:
        """The items of one hash key, by range key."""
        found = ((key, self.get(key, as_of)) for key in self.partitions.get(value, ()))
        return [item for _, item in sorted((k, i) for k, i in found if i is not None)]

    def index(self, name: str, value: Any, as_of: AsOf) -> list[Item]:
        """The items in one partition of an index: those that have its keys."""
        keys = self.indexes[name]
        found = []
        for key in self.rows:
            item = self.get(key, as_of)
            if item is not None and all(attribute in item for attribute in keys.names):
                place = keys.of(item)
                if place[0] == value:
                    found.append(((place, key), item))
        return [item for _, item in sorted(found, key=lambda pair: pair[0])]

    def scan(self, segment: int, segments: int, as_of: AsOf) -> Iterator[tuple[Key, Item]]:
        """The items of a segment, in an order that has nothing to do with their keys."""
        spread = sorted((crc32(repr(key).encode()), key) for key in self.rows)
        for place, key in spread:
            item = self.get(key, as_of)
            if item is not None and place % segments == segment:
                yield (place, key), item


class Database:
    """Every table of one account; clients of any number of processes share it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.tables: dict[str, Table] = {}
        self.guard = threading.RLock()
        self.commits = 0
        self.tokens: dict[str, dict[str, Any]] = {}
        """Answers of transactions by their client request token."""
        self.requests = count()

    def create(self, request: dict[str, Any]) -> Table:
        """Make a table as `CreateTable` asks for it."""
        indexes = {
            index["IndexName"]: _keys(index["KeySchema"])
            for index in request.get("GlobalSecondaryIndexes", ())
        }
        table = Table(request["TableName"], _keys(request["KeySchema"]), indexes, request)
        self.tables[table.name] = table
        return table

    def write(self, writes: list[tuple[Table, Key, Item | None]]) -> None:
        """Replace items, all at once."""
        self.commits += 1
        now = self.clock()
        for table, key, item in writes:
            old = table.get(key)
            table.put(key, item, now)
            if "StreamSpecification" in table.request and item != old:
                table.stream.append(Write(self.commits, now, old, item))


def plain(value: Mapping[str, Any]) -> Any:
    """A key attribute as a value that sorts."""
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


def size_of(item: Item) -> int:
    """About the bytes that DynamoDB counts for an item."""
    return sum(len(name) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "M":
        return 3 + sum(len(name) + _size(inner) for name, inner in content.items())
    if kind == "L":
        return 3 + sum(map(_size, content))
    return len(content) if isinstance(content, str | bytes) else 1


def _keys(schema: list[dict[str, str]]) -> Keys:
    names = {part["KeyType"]: part["AttributeName"] for part in schema}
    return Keys(names["HASH"], names.get("RANGE"))
