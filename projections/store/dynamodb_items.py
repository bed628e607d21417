"""The items of one view's DynamoDB table, derived from its row's fields and the manifest.

An item holds the row's fields as they are, but no None and no False. Beside them it has the
attributes its indexes are keyed by: `listed_by`, which sorts as the view lists its rows, and one
attribute per index that says in which of the index's partitions the row is.

==================  ===========================================  ===============================
index on            attribute                                    its partitions hold
==================  ===========================================  ===============================
many-valued field   `{field}_key`: the value                     the rows of one value
few-valued field    `{field}_shard`: `{value}#{shard}`           a share of the rows of one value
sparse field        `{field}_shard`: `#{shard}`, if it is there  a share of the rows that have it
no field (`all`)    `all_shard`: `#{shard}`                      a share of all rows
==================  ===========================================  ===============================

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
from projections.store.fields import Fields
from projections.views import OrderRow, StockRow
from projections.views.base import Key, Row, View

R = TypeVar("R", bound=Row)

Item = dict[str, dict[str, Any]]

TABLES: Final[Mapping[type[Row], str]] = {StockRow: "stock_levels", OrderRow: "orders"}
"""The manifest's table for each kind of row; every generation of a view has the same."""

SHARDS: Final = 4
"""Partitions per index value where few values are shared by many rows. It is part of what is
stored: a view is rebuilt to change it."""

LISTED_BY: Final = "listed_by"
SEPARATOR: Final = "\x1f"
"""Sorts below everything an id or an instant may hold, so that joined text sorts as its parts."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a view's table. `name` is the field it is on, or `all`."""

    name: str
    attribute: str
    """What its partitions are told apart by."""
    by_value: bool
    sharded: bool

    def partition(self, value: object, shard: int) -> str:
        """The partition of a row with this value."""
        prefix = str(value) if self.by_value else ""
        return f"{prefix}#{shard}" if self.sharded else prefix

    def partitions(self, value: object) -> list[str]:
        """The partitions that together hold the rows with this value."""
        shards = range(SHARDS if self.sharded else 1)
        return [self.partition(value, shard) for shard in shards]

    def serves(self, query: Query) -> bool:
        """Whether every row that answers the query is found in it."""
        if self.by_value:
            return self.name in query.equal
        return self.name == "all" or self.name in {*query.equal, *query.at_most, *query.present}


class Items(Generic[R]):
    """Table, indexes and row conversion of one view."""

    def __init__(self, view: View[R], prefix: str) -> None:
        self.view = view
        self.fields = Fields(view)
        self.base = TABLES[view.row]
        """Name of the manifest's table that this view's one is like."""
        self.table = full_name(prefix, view.name)
        self.indexes = [
            self._index(name, index.hash_key.name)
            for name, index in manifest()[self.base].indexes.items()
        ]

    def key(self, key: Key) -> Item:
        """The primary key of a row's item."""
        return {name: {"S": part} for name, part in zip(self.view.key_fields, key, strict=True)}

    def item(self, row: R) -> Item:
        """A row, ready to be stored."""
        kept = dict(zip(self.fields.names, values(row, self.fields.names), strict=True))
        for name in self.fields.sparse:
            if kept[name] is None or (name in self.fields.flags and not kept[name]):
                del kept[name]
        item = {name: self.encoded(name, value) for name, value in kept.items()}
        item[LISTED_BY] = {"S": joined(values(row, self.view.order))}
        shard = shard_of(values(row, self.view.key_fields))
        for index in self.indexes:
            if index.name == "all" or index.name in kept:
                partition = index.partition(kept.get(index.name), shard)
                item[index.attribute] = {"S": partition}
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
        if name in self.fields.optional and name not in item:
            return None
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
