"""The recorder of aggregates on DynamoDB: events by stream and version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    StoredEvent,
    Tracking,
)
from typing_extensions import override

from ledger.store.base import CommandRecord, refuse_unknown
from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_items import (
    EVENTS,
    Item,
    event_item,
    stored_event,
    stream_prefix,
)
from ledger.store.dynamodb_tables import DynamoDBTables


class DynamoDBAggregateRecorder(AggregateRecorder):
    """Events by stream and version."""

    def __init__(
        self, tables: DynamoDBTables, *, uuids: bool = False, purpose: str = EVENTS
    ) -> None:
        self.tables = tables
        self._uuids = uuids
        self._purpose = purpose

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        refuse_unknown(kwargs)
        if stored_events:
            self._append(stored_events)
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
        request = self._query(f"{stream_prefix(self._purpose)}{originator_id}", gt, lte, desc=desc)
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
        return stored_event(item, self._purpose, uuids=self._uuids)

    def _append(
        self,
        stored_events: Sequence[StoredEvent],
        command: CommandRecord | None = None,
        tracking: Tracking | None = None,
        unmoved: Mapping[str, int] | None = None,
    ) -> None:
        items = [event_item(stored, self._purpose) for stored in stored_events]
        self.tables.append(items, command, self._stored, tracking, unmoved=unmoved)
