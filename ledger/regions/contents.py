"""Comparing two replicas: what one holds that the other doesn't.

Replication is item by item, without an order between items: that one has arrived says nothing of
those written before it. So everything is compared. A scan of both sides gives a digest for each
hash key; only where digests differ, the items are compared. Memory follows the number of hash keys
(streams, commands), not of items.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_tables import DynamoDBTables
from ledger.store.segment_reader import Resume, SegmentReader
from ledger.store.tables import full_name, manifest

REPLICATED: Final = tuple(name for name, table in manifest().items() if table.replicated)
"""The tables that have replicas."""

REPLICATION_ATTRIBUTES: Final = "aws:rep:"
"""Before attributes that replication itself keeps in items; they are not compared."""

Digests = dict[str, tuple[int, int]]
"""By hash key: how many items there are, and the sum of their digests, whatever their order."""


class Missing(NamedTuple):
    """A hash key of which a replica lacks items, or holds others."""

    table: str
    key: str
    items: int


def unreplicated(old: DynamoDBTables, new: DynamoDBTables, segments: int) -> list[Missing]:
    """Everything in `old` that is not in `new` as it is there; both are read strongly."""
    found: list[Missing] = []
    for name in REPLICATED:
        with ThreadPoolExecutor(2, "compare") as pool:
            ours, theirs = pool.map(partial(digests, name=name, segments=segments), (old, new))
        found += still_missing(old, new, [Missing(name, key, 0) for key in unlike(ours, theirs)])
    return found


def still_missing(
    old: DynamoDBTables, new: DynamoDBTables, suspects: list[Missing]
) -> list[Missing]:
    """Which of these are missing now."""
    counted = ((table, key, _count_missing(old, new, table, key)) for table, key, _ in suspects)
    return [Missing(table, key, items) for table, key, items in counted if items]


def unlike(ours: Digests, theirs: Digests) -> Iterator[str]:
    """Hash keys of which the other side holds something else, or nothing."""
    return (key for key, digest in ours.items() if theirs.get(key) != digest)


def digests(tables: DynamoDBTables, name: str, segments: int) -> Digests:
    """The digests of a table, by a consistent scan."""
    table = full_name(tables.prefix, name)
    hash_key = manifest()[name].hash_key.name
    reader = SegmentReader(tables, table, segments, None, consistent=True)

    def of_segment(segment: int) -> Digests:
        found: Digests = {}
        resume: Resume | None = None
        while True:
            items, resume = reader.read(segment, resume)
            for item in items:
                key = item[hash_key]["S"]
                count, total = found.get(key, (0, 0))
                found[key] = count + 1, total + _digest(item)
            if resume is None:
                return found

    merged: Digests = {}
    with ThreadPoolExecutor(segments, "digest") as pool:
        try:
            for part in pool.map(of_segment, range(segments)):
                merged |= part  # a hash key lies in one segment
        finally:
            reader.stop()
    return merged


def items_of(tables: DynamoDBTables, name: str, key: str) -> Iterator[Mapping[str, Any]]:
    """The items of a hash key, read strongly, without those that have expired."""
    definition, table = manifest()[name], full_name(tables.prefix, name)
    pages = tables.client.get_paginator("query").paginate(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="#h = :h",
        ExpressionAttributeNames={"#h": definition.hash_key.name},
        ExpressionAttributeValues={":h": {"S": key}},
    )
    with translated(f"reading {key} of {table}"):
        for page in pages:
            for item in page["Items"]:
                expires = item.get(definition.ttl_attribute or "", {}).get("N")
                if expires is None or int(expires) > time.time():
                    yield item


def _count_missing(old: DynamoDBTables, new: DynamoDBTables, name: str, key: str) -> int:
    there = {_digest(item) for item in items_of(new, name, key)}
    return sum(_digest(item) not in there for item in items_of(old, name, key))


def _digest(item: Mapping[str, Any]) -> int:
    """A number for an item's keys and values; equal items have equal ones."""
    kept = {n: v for n, v in item.items() if not n.startswith(REPLICATION_ATTRIBUTES)}
    text = json.dumps(kept, sort_keys=True, default=bytes.hex)
    return int.from_bytes(blake2b(text.encode(), digest_size=12).digest())
