"""The items of one generation of a view, derived from its row's fields and the manifest.

All generations are in one table. An item holds the row's fields as they are, but no None and no
False. Beside them it has its `generation`, the table's hash key `key`, and the attributes its
indexes are keyed by: `listed_by`, which sorts as the view lists its rows, and one attribute per
index that says in which of the index's partitions the row is. A row that is not listed has none
of these.

==================  ============================================  ===============================
key of              attribute                                     its partitions hold
==================  ============================================  ===============================
the table           `key`: `{gen}#{first key field}`              the rows of one key
many-valued field   `{field}_key`: `{gen}#{value}`                the rows of one value
few-valued field    `{field}_shard`: `{gen}#{value}#{shard}`      a share of the rows of one value
sparse field        `{field}_shard`: `{gen}#{shard}`              a share of the rows that have it
no field (`all`)    `all_shard`: `{gen}#{shard}`                  a share of all rows
==================  ============================================  ===============================

One partition takes 1,000 writes a second and no more, so what most rows share must not be a
partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from zlib import crc32

from ledger.store.tables import full_name, manifest
from projections.store.base import Query, values
from projections.store.dynamodb_access import Item
from projections.store.fields import Fields
from projections.views.base import Key, Row, View

R = TypeVar("R", bound=Row)

KEY: Final = "key"
GENERATION: Final = "generation"

SHARDS: Final = 4
"""Partitions per index value where few values are shared by many rows. It is part of what is
stored: a view is rebuilt to change it."""

LISTED_BY: Final = "listed_by"
SEPARATOR: Final = "\x1f"
"""Sorts below everything an id or an instant may hold, so that joined text sorts as its parts."""

NEXT: Final = "\x20"
"""Sorts next above the separator, and still below everything an id or an instant may hold."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a view's table. `name` is the field it is on, or `all`."""

    name: str
    attribute: str
    """What its partitions are told apart by."""
    by_value: bool
    sharded: bool

    def partition(self, generation: int, value: object, shard: int) -> str:
        """The partition of a generation's row with this value."""
        parts = [str(generation)]
        if self.by_value:
            parts.append(str(value))
        if self.sharded:
            parts.append(str(shard))
        return "#".join(parts)

    def partitions(self, generation: int, value: object) -> list[str]:
        """The partitions that together hold a generation's rows with this value."""
        shards = range(SHARDS if self.sharded else 1)
        return [self.partition(generation, value, shard) for shard in shards]

    def serves(self, query: Query) -> bool:
        """Whether every row that answers the query is found in it."""
        if self.by_value:
            return self.name in query.equal
        return self.name == "all" or self.name in {*query.equal, *query.at_most, *query.present}


class Items(Generic[R]):
    """Table, indexes and row conversion of one generation of a view."""

    def __init__(self, view: View[R], prefix: str) -> None:
        self.view = view
        self.fields = Fields(view)
        self.table = full_name(prefix, view.base)
        self.indexes = [
            self._index(name, index.hash_key.name)
            for name, index in manifest()[view.base].indexes.items()
        ]

    def key(self, key: Key) -> Item:
        """The primary key of a row's item."""
        first, *rest = key
        others = zip(self.view.key_fields[1:], rest, strict=True)
        return {KEY: self.hash_key(first), **{name: {"S": part} for name, part in others}}

    def key_of(self, item: Mapping[str, Any]) -> Item:
        """The primary key of an item."""
        return {name: item[name] for name in (KEY, *self.view.key_fields[1:])}

    def hash_key(self, first: object) -> dict[str, Any]:
        """What rows with this first key field are keyed by."""
        return {"S": f"{self.view.generation}#{first}"}

    def item(self, row: R) -> Item:
        """A row, ready to be stored."""
        kept = dict(zip(self.fields.names, values(row, self.fields.names), strict=True))
        for name in self.fields.sparse:
            if kept[name] is None or (name in self.fields.flags and not kept[name]):
                del kept[name]
        item = {name: self.encoded(name, value) for name, value in kept.items()}
        item |= self.key(values(row, self.view.key_fields))
        item[GENERATION] = {"N": str(self.view.generation)}
        if self.view.order[0] not in kept:
            return item
        item[LISTED_BY] = {"S": joined(values(row, self.view.order))}
        shard = shard_of(values(row, self.view.key_fields))
        for index in self.indexes:
            if index.name == "all" or index.name in kept:
                value = kept.get(index.name)
                item[index.attribute] = {"S": index.partition(self.view.generation, value, shard)}
        return item

    def row(self, item: Mapping[str, Any]) -> R:
        """The row that was stored as `item`."""
        return self.view.row(**{name: self._decoded(name, item) for name in self.fields.names})

    def encoded(self, name: str, value: object) -> dict[str, Any]:
        """A field's value as DynamoDB takes it."""
        if name in self.fields.flags:
            return {"BOOL": bool(value)}
        return {"N": str(value)} if name in self.fields.integers else {"S": value}

    def _decoded(self, name: str, item: Mapping[str, Any]) -> str | int | None:
        if name in self.fields.flags:
            return name in item
        if name not in item:
            return None if name in self.fields.optional else self.fields.default(name)
        return int(item[name]["N"]) if name in self.fields.integers else str(item[name]["S"])

    def _index(self, name: str, attribute: str) -> Index:
        sharded = attribute.endswith("_shard")
        by_value = not sharded or (name in self.fields.names and name not in self.fields.sparse)
        return Index(name, attribute, by_value, sharded)


def shard_of(key: Key) -> int:
    """The shard of a row: always the same one, in every process."""
    return crc32(SEPARATOR.join(key).encode()) % SHARDS


def joined(parts: Iterable[Any]) -> str:
    """Text that sorts as the parts do; numbers don't sort as text, so they are refused."""
    return SEPARATOR.join(parts)


def above(first: str) -> str:
    """Sorts above whatever is joined from `first` and more, and below all that `first` is less
    than.
    """
    return first + NEXT
