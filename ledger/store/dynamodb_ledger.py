"""The recorder of the ledger on DynamoDB: events, commands, and the sequence of all events."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from weakref import WeakSet

from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    OperationalError,
    PersistenceError,
    StoredEvent,
    Subscription,
)
from typing_extensions import override

from ledger.store.base import CommandRecord, LedgerRecorder, refuse_unknown
from ledger.store.dynamodb_aggregate import DynamoDBAggregateRecorder
from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_feed import Feed
from ledger.store.dynamodb_feed_pages import Place
from ledger.store.dynamodb_feed_upkeep import Upkeep
from ledger.store.dynamodb_items import (
    PURPOSE,
    command_record,
)
from ledger.store.dynamodb_subscription import DynamoDBSubscription
from ledger.store.dynamodb_tables import DynamoDBTables

WINDOW: Final = 1000
"""Events that are read of the feed at once."""


class DynamoDBLedgerRecorder(DynamoDBAggregateRecorder, LedgerRecorder):
    """Events, command records, and the sequence of all events.

    Parameters
    ----------
    sequences
        Whether reading notifications brings the sequence up to date first; else somebody else
        does (a consumer of the table's stream), and this recorder only reads.
    numbers
        Whether events are sequenced right after they are stored, so that `insert_events` can
        answer their positions. It costs every commit a few writes, and all writers queue for the
        end of the feed; for the library's runners, which wait for positions.
    """

    def __init__(
        self,
        tables: DynamoDBTables,
        *,
        uuids: bool = False,
        sequences: bool = True,
        numbers: bool = False,
    ) -> None:
        super().__init__(tables, uuids=uuids)
        self.feed = Feed(tables)
        self._upkeep = Upkeep(tables, self.feed, self.scan_versions) if sequences else None
        self._numbers = numbers
        self._subscriptions: WeakSet[DynamoDBSubscription] = WeakSet()
        self._subscribing = threading.Lock()

    @override
    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandRecord | None = None,
        unmoved: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        refuse_unknown(kwargs)
        if stored_events or command is not None or unmoved:
            self._append(stored_events, command, unmoved=unmoved)
        return self._appended(stored_events)

    def _appended(self, stored_events: Sequence[StoredEvent]) -> Sequence[int] | None:
        """Tell of events that were stored; their positions, if they are given at once."""
        if self._upkeep is None or not stored_events:
            return None
        self._upkeep.remember(stored_events)
        positions = self._positions(self._upkeep, stored_events) if self._numbers else None
        with self._subscribing:
            for subscription in self._subscriptions:
                subscription.wake()
        return positions

    def _positions(
        self, upkeep: Upkeep, stored_events: Sequence[StoredEvent]
    ) -> Sequence[int] | None:
        keys = [(str(event.originator_id), event.originator_version) for event in stored_events]
        try:
            upkeep.sequence_own()
            found = self.feed.find(keys)
        except (PersistenceError, RuntimeError):
            # The commit stands: nobody may take it for failed. (A RuntimeError is raised when the
            # recorder is closed meanwhile, as the library's runners do.)
            return None
        return [found[key] for key in keys] if len(found) == len(set(keys)) else None

    @override
    def permit(self) -> None:
        self.tables.permit()

    @property
    @override
    def weak_reads(self) -> bool:
        """An eventually consistent read costs half a unit."""
        return True

    @override
    def select_newest(
        self, streams: Iterable[str], *, strong: bool = True
    ) -> dict[str, StoredEvent]:
        wanted = list(dict.fromkeys(streams))
        if len(wanted) == 1:
            found = [self._newest(wanted[0], strong)]
        else:
            read = partial(self._newest, strong=strong)
            found = list(self.tables.in_parallel.map(read, wanted))
        return {s: event for s, event in zip(wanted, found, strict=True) if event is not None}

    def _newest(self, stream: str, strong: bool) -> StoredEvent | None:
        request = self._query(stream, None, None, desc=True)
        with translated(f"reading {stream}"):
            found = self.tables.client.query(**{**request, "ConsistentRead": strong, "Limit": 1})
        return self._stored(found["Items"][0]) if found["Items"] else None

    @override
    def find_command(self, key: str) -> CommandRecord | None:
        with translated(f"reading command {key}"):
            answer = self.tables.client.get_item(
                TableName=self.tables.commands, Key={"key": {"S": key}}, ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        record = command_record(answer["Item"])
        expired = record.expires_at is not None and record.expires_at <= time.time()
        return None if expired else record

    def scan_versions(self) -> dict[str, int]:
        """The newest version of every stream of events, by a consistent scan of their table."""
        newest: dict[str, int] = {}
        pages = self.tables.client.get_paginator("scan").paginate(
            TableName=self.tables.events,
            ConsistentRead=True,
            ProjectionExpression="#s, #v",
            FilterExpression="attribute_not_exists(#p)",
            ExpressionAttributeNames={"#s": "stream", "#v": "version", "#p": PURPOSE},
        )
        with translated(f"scanning {self.tables.events}"):
            for page in pages:
                for item in page["Items"]:
                    stream, version = item["stream"]["S"], int(item["version"]["N"])
                    newest[stream] = max(version, newest.get(stream, version))
        return newest

    @override
    def purge_commands(self) -> int:
        """DynamoDB deletes expired records by itself."""
        return 0

    @override
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = 0 if start is None else max(0, start - inclusive_of_start)
        enough = after + limit if not topics else sys.maxsize
        self._refresh(enough if stop is None else min(enough, stop))
        found: list[Notification] = []
        while len(found) < limit:
            window = WINDOW if topics else min(WINDOW, limit - len(found))
            places = self.feed.read(after, window)
            if stop is not None:
                places = [place for place in places if place.position <= stop]
            read = self._notifications(places)
            found += (each for each in read if not topics or each.topic in topics)
            if len(read) < window:
                break
            after = read[-1].id
        return found[: max(0, limit)]

    def _notifications(self, places: Sequence[Place]) -> list[Notification]:
        """The events at these places. It ends before one that is not there (yet)."""
        items = self.feed.events(places)
        if places and not items:
            msg = f"the event at position {places[0].position} is missing: {places[0]}"
            raise OperationalError(msg)
        events = map(self._stored, items)
        return [
            Notification(e.originator_id, e.originator_version, e.topic, e.state, place.position)
            for e, place in zip(events, places, strict=False)
        ]

    def _refresh(self, position: int) -> None:
        """Bring the feed up to date, unless it is known to reach that far anyway."""
        if self._upkeep is None or self.feed.known_end >= position:
            return
        # One Region sequences, as one writes: here the feed is as far as it was replicated.
        if self.tables.acting():
            self._upkeep.refresh()

    @override
    def max_notification_id(self) -> int | None:
        self._refresh(sys.maxsize)
        return self.feed.end() or None

    @override
    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        subscription = DynamoDBSubscription(self, gt, topics)
        with self._subscribing:
            self._subscriptions.add(subscription)
        return subscription

    @override
    def close(self) -> None:
        self.tables.close()
