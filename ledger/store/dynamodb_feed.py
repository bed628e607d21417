"""The feed: one sequence of all events, with positions 1, 2, 3, ... given after they are stored.

Pages (`dynamodb_feed_pages`) are put one after the other, each on the condition that nobody put
one there; the *head* of a stream says up to which version it is sequenced. Two rules make any
number of sequencers safe, wherever one of them stops:

- a head only moves forward;
- before a page is put, the heads of every page before it have been moved. So only the newest page
  can be ahead of the heads, and whoever goes on reads it, and moves them, first.

So the entries of a page that is put are new: they were decided on heads that hold all pages before
it, or else the page is there already and the condition fails. Why it is made like this:
`docs/adr/0012-sequenced-feed.md`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from ledger.errors import Contention
from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_feed_pages import MAX_EVENTS, Entry, Page, fill, page_item
from ledger.store.dynamodb_feed_reading import FeedReader
from ledger.store.dynamodb_tables import DynamoDBTables

HEAD: Final = "head#"
"""Before a stream's name, the key of its head."""

MAX_LOSSES: Final = 100
"""How often one page may be lost to other sequencers before it is given up."""

MAX_HEADS: Final = 200_000
"""How many streams' heads are remembered."""


class Feed(FeedReader):
    """The sequence of all events of a ledger. Any number of threads and processes may use it."""

    def __init__(self, tables: DynamoDBTables) -> None:
        super().__init__(tables)
        self._tail: Page | None = None
        """The newest page that was seen, if its heads are known to have been moved."""
        self._heads: dict[str, int] = {}
        """Versions that were sequenced for certain; the stored heads are these or later."""

    def sequence(self, hints: Iterable[tuple[str, int]]) -> None:
        """Give positions to every event of these streams up to these versions that has none.

        A hint is a stream and a version of it that is stored. Hints may be old, repeated and in
        any order. The versions of one stream come in their order, and what one hint brings in
        stays together (up to 500 events); streams come in the order they are first named.

        Raises
        ------
        Contention
            Throttled, or too many others are sequencing.
        OperationalError
            The answer was lost. Sequence again: nothing is sequenced twice.
        """
        wanted: dict[str, int] = {}
        for stream, version in hints:
            if self._heads.get(stream, version - 1) < version:
                wanted[stream] = max(version, wanted.get(stream, version))
        pairs = list(wanted.items())
        for start in range(0, len(pairs), MAX_EVENTS):
            self._sequence(dict(pairs[start : start + MAX_EVENTS]))

    def _sequence(self, wanted: dict[str, int]) -> None:
        """Put pages until the heads of all these streams are where they are wanted."""
        losses, firsts = 0, dict[str, int | None]()
        while wanted:
            tail = self._tail or self.newest()
            heads = self._settled_heads(tail, wanted)
            page = fill(tail.last + 1, self._entries(wanted, heads, firsts))
            if not page.entries:
                return
            if self._put(page):
                losses = 0
                self._settle(page, page.heads())
                wanted = {s: v for s, v in wanted.items() if self._heads.get(s, v - 1) < v}
                continue
            losses += 1
            self._tail = None
            if losses > MAX_LOSSES:
                msg = f"position {page.first} was lost to others {losses} times"
                raise Contention(msg)
            time.sleep(random.uniform(0, min(0.5, 0.01 * 2**losses)))  # noqa: S311 (no secret)

    def _entries(
        self, wanted: Mapping[str, int], heads: Mapping[str, int], firsts: dict[str, int | None]
    ) -> Iterator[Entry]:
        """The versions that are wanted and have no position. A new stream begins anywhere."""
        new = [stream for stream in wanted if stream not in heads and stream not in firsts]
        firsts.update(zip(new, self._tables.in_parallel.map(self._first_version, new), strict=True))
        for stream, version in wanted.items():
            first = heads[stream] + 1 if stream in heads else firsts[stream]
            if first is not None and first <= version:
                yield Entry(stream, first, version)

    def _first_version(self, stream: str) -> int | None:
        with translated(f"reading {stream}"):
            items = self._client.query(
                TableName=self._tables.events,
                ConsistentRead=True,
                KeyConditionExpression="#s = :s",
                ProjectionExpression="#v",
                ExpressionAttributeNames={"#s": "stream", "#v": "version"},
                ExpressionAttributeValues={":s": {"S": stream}},
                Limit=1,
            )["Items"]
        return int(items[0]["version"]["N"]) if items else None

    def _put(self, page: Page) -> bool:
        """Put a page; False if there is one already."""
        with self._tables.leased(), translated(f"putting page {page.first} of the feed"):
            try:
                self._client.put_item(
                    TableName=self._tables.feed,
                    Item=page_item(page),
                    ConditionExpression="attribute_not_exists(#p)",
                    ExpressionAttributeNames={"#p": "partition"},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _settled_heads(self, tail: Page, wanted: Iterable[str]) -> dict[str, int]:
        """Heads of the wanted streams, once those of the newest page have been moved."""
        ahead = {} if tail is self._tail else tail.heads()
        streams = list(dict.fromkeys([*ahead, *wanted]))
        items = self._tables.get_many(self._tables.feed, [_head_key(s) for s in streams])
        heads = {
            item["partition"]["S"].removeprefix(HEAD): int(item["version"]["N"]) for item in items
        }
        self._remember(heads)
        behind = {s: version for s, version in ahead.items() if heads.get(s, version - 1) < version}
        self._settle(tail, behind)
        return heads | behind

    def _settle(self, page: Page, heads: Mapping[str, int]) -> None:
        """Move the heads that a page is ahead of; now another page may follow."""
        list(self._tables.in_parallel.map(self._move, heads, heads.values()))
        self._remember(heads)
        self._tail = page
        self.known_end = max(self.known_end, page.last)

    def _move(self, stream: str, version: int) -> None:
        with (
            self._tables.leased(),
            translated(f"moving the head of {stream}"),
            suppress(self._client.exceptions.ConditionalCheckFailedException),
        ):
            self._client.update_item(
                TableName=self._tables.feed,
                Key=_head_key(stream),
                UpdateExpression="SET #v = :v",
                ConditionExpression="attribute_not_exists(#v) OR #v < :v",
                ExpressionAttributeNames={"#v": "version"},
                ExpressionAttributeValues={":v": {"N": str(version)}},
            )

    def _remember(self, heads: Mapping[str, int]) -> None:
        if len(self._heads) > MAX_HEADS:
            self._heads.clear()
        self._heads.update(heads)


def _head_key(stream: str) -> dict[str, Any]:
    return {"partition": {"S": f"{HEAD}{stream}"}, "position": {"N": "0"}}
