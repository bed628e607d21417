"""The DynamoDB event store: a persistence module for the `eventsourcing` library.

Layout: one item per event, keyed by `stream` and `version`, with `type` and the event's bytes as
`state`. A commit is one `TransactWriteItems`: a `Put` for every event on the condition that it
does not exist, and one for the command's record. That is the only way anything is written.

Use it as `PERSISTENCE_MODULE=ledger.store.dynamodb`, with `DYNAMODB_TABLE_PREFIX` naming the
tables (`ledger tables create`). It needs no other environment than boto3 does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Notification,
    NotSupportedError,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, EnvType
from typing_extensions import override

from ledger.store.base import CommandRecord, LedgerRecorder, refuse_unknown
from ledger.store.dynamodb_client import make_client, translated
from ledger.store.dynamodb_items import Item, command_record, event_item, stored_event
from ledger.store.dynamodb_tables import DynamoDBTables

__all__ = [
    "DynamoDBAggregateRecorder",
    "DynamoDBLedgerRecorder",
    "DynamoDBTables",
    "Factory",
]


class DynamoDBAggregateRecorder(AggregateRecorder):
    """Events by stream and version."""

    def __init__(
        self, tables: DynamoDBTables, *, uuids: bool = False, purpose: str = "events"
    ) -> None:
        self.tables = tables
        self._uuids = uuids
        self._prefix = "" if purpose == "events" else f"{purpose}#"

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        refuse_unknown(kwargs)
        if stored_events:
            self._append(stored_events, None)
        return None

    @override
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        if limit is not None and limit < 1:
            return []
        request = self._query(f"{self._prefix}{originator_id}", gt, lte, desc=desc)
        found: list[StoredEvent] = []
        with translated(f"reading {originator_id}"):
            while True:
                if limit is not None:
                    request["Limit"] = limit - len(found)
                answer = self.tables.client.query(**request)
                found.extend(map(self._stored, answer["Items"]))
                last = answer.get("LastEvaluatedKey")
                if last is None or (limit is not None and len(found) >= limit):
                    return found
                request["ExclusiveStartKey"] = last

    def _query(self, stream: str, gt: int | None, lte: int | None, *, desc: bool) -> dict[str, Any]:
        condition = "#s = :s"
        values: Item = {":s": {"S": stream}}
        names = {"#s": "stream"}
        low = None if gt is None else gt + 1
        if low is not None and lte is not None and low > lte:
            lte = low - 1  # nothing is between: a range DynamoDB accepts, and finds empty
            condition += " AND #v = :none"
            values[":none"] = {"N": "-1"}
        elif low is not None and lte is not None:
            condition += " AND #v BETWEEN :low AND :high"
            values |= {":low": {"N": str(low)}, ":high": {"N": str(lte)}}
        elif low is not None:
            condition += " AND #v >= :low"
            values[":low"] = {"N": str(low)}
        elif lte is not None:
            condition += " AND #v <= :high"
            values[":high"] = {"N": str(lte)}
        if "#v" in condition:
            names["#v"] = "version"
        return {
            "TableName": self.tables.events,
            "ConsistentRead": True,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not desc,
        }

    def _stored(self, item: Mapping[str, Any]) -> StoredEvent:
        return stored_event(item, self._prefix, uuids=self._uuids)

    def _append(self, stored_events: Sequence[StoredEvent], command: CommandRecord | None) -> None:
        items = [event_item(stored, self._prefix) for stored in stored_events]
        self.tables.append(items, command, self._stored)


class DynamoDBLedgerRecorder(DynamoDBAggregateRecorder, LedgerRecorder):
    """Events and command records. Notifications have no sequence here (see `docs`)."""

    @override
    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandRecord | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        refuse_unknown(kwargs)
        if stored_events or command is not None:
            self._append(stored_events, command)
        return None

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
        """The newest version of every stream, by a consistent scan of the whole event table."""
        newest: dict[str, int] = {}
        pages = self.tables.client.get_paginator("scan").paginate(
            TableName=self.tables.events,
            ConsistentRead=True,
            ProjectionExpression="#s, #v",
            ExpressionAttributeNames={"#s": "stream", "#v": "version"},
        )
        with translated(f"scanning {self.tables.events}"):
            for page in pages:
                for item in page["Items"]:
                    stream, version = item["stream"]["S"], int(item["version"]["N"])
                    newest[stream] = max(version, newest.get(stream, 0))
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
        raise NotSupportedError(NO_SEQUENCE)

    @override
    def max_notification_id(self) -> int | None:
        raise NotSupportedError(NO_SEQUENCE)

    @override
    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        raise NotSupportedError(NO_SEQUENCE)

    @override
    def close(self) -> None:
        self.tables.close()


NO_SEQUENCE: Final = (
    "events on DynamoDB have no common sequence: read streams, or follow the table's stream"
)


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Makes the recorders (`PERSISTENCE_MODULE=ledger.store.dynamodb`)."""

    TABLE_PREFIX: Final = "DYNAMODB_TABLE_PREFIX"
    ENDPOINT_URL: Final = "DYNAMODB_ENDPOINT_URL"
    ORIGINATOR_ID_TYPE: Final = "ORIGINATOR_ID_TYPE"

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        prefix = self.env.get(self.TABLE_PREFIX)
        if not prefix:
            keys = ", ".join(self.env.create_keys(self.TABLE_PREFIX))
            msg = f"DynamoDB table prefix not found in environment with keys: {keys}"
            raise OSError(msg)
        kind = (self.env.get(self.ORIGINATOR_ID_TYPE) or "uuid").lower()
        if kind not in ("uuid", "text"):
            msg = f"{self.ORIGINATOR_ID_TYPE} is {kind!r}: 'uuid' or 'text' is expected"
            raise OSError(msg)
        self._uuids = kind == "uuid"
        self.tables = DynamoDBTables(make_client(self.env.get(self.ENDPOINT_URL) or None), prefix)

    @override
    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Events, or what has another purpose (snapshots) beside them in the same table."""
        return DynamoDBAggregateRecorder(self.tables, uuids=self._uuids, purpose=purpose)

    @override
    def application_recorder(self) -> DynamoDBLedgerRecorder:
        return DynamoDBLedgerRecorder(self.tables, uuids=self._uuids)

    @override
    def tracking_recorder(
        self, tracking_recorder_class: type[TrackingRecorder] | None = None
    ) -> TrackingRecorder:
        raise NotSupportedError(NO_SEQUENCE)

    @override
    def process_recorder(self) -> ProcessRecorder:
        raise NotSupportedError(NO_SEQUENCE)

    def close(self) -> None:
        """Let go of threads and connections."""
        self.tables.close()
