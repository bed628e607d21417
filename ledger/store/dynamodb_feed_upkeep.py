"""Keeping the feed up to date on demand: whoever reads it sequences what has come first.

Three sources say what has come: this process's own commits, so that it reads its own writes; the
events table's stream; and a scan of the table, when the stream can't know: at first, when records
were trimmed unread, when nobody has looked for most of the day a stream lasts, or when the table
has no stream at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eventsourcing.persistence import ProgrammingError, StoredEvent

from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_feed import Feed
from ledger.store.dynamodb_items import PURPOSE
from ledger.store.dynamodb_stream import ShardBatch, StreamReader
from ledger.store.dynamodb_stream_access import stream_arn
from ledger.store.dynamodb_tables import DynamoDBTables

POLL_SECONDS: Final = 0.1
"""Pause between two looks at the stream."""

CATCH_UP_SECONDS: Final = 2.0
"""How long one look may go on while there is more and more to read."""

MARK_SECONDS: Final = 600.0
"""How often the time of the last look is stored."""

MAX_AGE_SECONDS: Final = 20 * 3600.0
"""A stream lasts 24 hours: when nobody looked for so long, something may be gone."""

MAX_HINTS: Final = 10_000
"""How many streams this process remembers it has written to; the table's stream knows the rest."""

_KEY: Final[Mapping[str, Any]] = {"partition": {"S": "stream"}, "position": {"N": "0"}}


class Upkeep:
    """Brings the feed up to date.

    Parameters
    ----------
    scan
        The newest version of every stream of events.
    clock
        Epoch seconds.
    """

    def __init__(
        self,
        tables: DynamoDBTables,
        feed: Feed,
        scan: Callable[[], Mapping[str, int]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tables = tables
        self._feed = feed
        self._scan = scan
        self._clock = clock
        self._hints: dict[str, int] = {}
        self._hinting = threading.Lock()
        self._working = threading.Lock()
        self._progress = _Progress(tables)
        self._reader: StreamReader | None = None
        self._look_at = 0.0

    def remember(self, events: Iterable[StoredEvent]) -> None:
        """Note what this process has just stored."""
        with self._hinting:
            if len(self._hints) > MAX_HINTS:
                self._hints.clear()
            for event in events:
                stream, version = str(event.originator_id), event.originator_version
                self._hints[stream] = max(version, self._hints.get(stream, version))

    def sequence_own(self) -> None:
        """Sequence what this process has stored."""
        with self._working:
            self._sequence_own()

    def refresh(self) -> None:
        """Sequence what has come, from wherever; other processes' news at most every 100 ms."""
        with self._working:
            self._sequence_own()
            if time.monotonic() >= self._look_at:
                self._look()
                self._look_at = time.monotonic() + POLL_SECONDS

    def _sequence_own(self) -> None:
        with self._hinting:
            hints, self._hints = self._hints, {}
        try:
            self._feed.sequence(hints.items())
        except BaseException:
            with self._hinting:
                for stream, version in hints.items():
                    self._hints[stream] = max(version, self._hints.get(stream, version))
            raise

    def _look(self) -> None:
        """Sequence what the stream knows, or what a scan finds."""
        if self._reader is None or self._is_old():
            self._reader = self._begin()
        if self._reader is None:
            self._feed.sequence(self._scan().items())
            return
        try:
            self._follow(self._reader)
        except ProgrammingError:  # the stream was turned off
            self._reader = None
            self._feed.sequence(self._scan().items())

    def _begin(self) -> StreamReader | None:
        """A reader that goes on where the last one of any process stopped, if there is a stream."""
        try:
            arn = stream_arn(self._tables.client, self._tables.events)
        except ProgrammingError:
            return None
        self._progress.load()
        return StreamReader(self._tables.streams, arn, self._progress)

    def _is_old(self) -> bool:
        looked_at = self._progress.looked_at
        return looked_at is None or self._clock() - looked_at > MAX_AGE_SECONDS

    def _follow(self, reader: StreamReader) -> None:
        """Sequence what the stream has, until it has nothing new or time is up."""
        until = time.monotonic() + CATCH_UP_SECONDS
        began = self._clock()
        old = self._is_old()
        while True:
            batches = reader.poll()
            if old or reader.trimmed:
                self._feed.sequence(self._scan().items())
                reader.recovered()
                old = False
                self._progress.mark(began)
            if not batches:
                break
            self._feed.sequence(_hints(batches))
            for batch in batches:
                reader.done(batch)
            if time.monotonic() > until:
                return
        if began - (self._progress.looked_at or 0) > MARK_SECONDS:
            self._progress.mark(began)


def _hints(batches: Iterable[ShardBatch]) -> Iterator[tuple[str, int]]:
    """The events that records tell of; not what has another purpose, nor what was deleted."""
    for batch in batches:
        for record in batch.records:
            image = record["dynamodb"].get("NewImage")
            if image is not None and PURPOSE not in image:
                yield image["stream"]["S"], int(image["version"]["N"])


@dataclass
class _Progress:
    """How far the stream has been read, in one item of the feed's table: `ShardPositions`."""

    tables: DynamoDBTables
    looked_at: float | None = None
    """When all that had come was sequenced (epoch seconds), as far as is known; None: never."""

    def load(self) -> dict[str, str]:
        """Every shard's position; makes the item if there is none."""
        with translated(f"reading {self.tables.feed}"):
            item = self._update("SET #s = if_not_exists(#s, :v)", {"#s": "shards"}, {"M": {}})
        self.looked_at = float(item["looked_at"]["N"]) if "looked_at" in item else None
        return {shard: position["S"] for shard, position in item["shards"]["M"].items()}

    def save(self, shard: str, position: str) -> None:
        """Store a shard's position."""
        with translated(f"saving a position in {self.tables.feed}"):
            self._update("SET #s.#i = :v", {"#s": "shards", "#i": shard}, {"S": position})

    def forget(self, shard: str) -> None:
        """Drop a shard that the stream no longer has."""
        with translated(f"dropping a position in {self.tables.feed}"):
            self._update("REMOVE #s.#i", {"#s": "shards", "#i": shard})

    def mark(self, looked_at: float) -> None:
        """Store that all that had come by then was sequenced."""
        with translated(f"saving a time in {self.tables.feed}"):
            self._update("SET #a = :v", {"#a": "looked_at"}, {"N": str(int(looked_at))})
        self.looked_at = looked_at

    def _update(
        self, expression: str, names: Mapping[str, str], value: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        values = {} if value is None else {"ExpressionAttributeValues": {":v": value}}
        answer = self.tables.client.update_item(
            TableName=self.tables.feed,
            Key=_KEY,
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ReturnValues="ALL_NEW",
            **values,  # type: ignore[arg-type]
        )
        return answer["Attributes"]
