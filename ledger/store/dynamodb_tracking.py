"""How far projections have come, recorded together with what they wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eventsourcing.persistence import ProcessRecorder, StoredEvent, Tracking, TrackingRecorder
from typing_extensions import override

from ledger.store.base import CommandRecord, refuse_unknown
from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_ledger import DynamoDBLedgerRecorder
from ledger.store.dynamodb_tables import DynamoDBTables, tracked_before


class DynamoDBTrackingRecorder(TrackingRecorder):
    """One item per upstream application: the newest position, which only grows.

    A view is a subclass whose methods write with `transact`.
    """

    def __init__(self, tables: DynamoDBTables) -> None:
        self.tables = tables

    @override
    def insert_tracking(self, tracking: Tracking) -> None:
        with translated(f"tracking {tracking.application_name}", writing=True):
            try:
                self.tables.client.put_item(**self.tables.new_tracking(tracking))
            except self.tables.client.exceptions.ConditionalCheckFailedException as error:
                raise tracked_before(tracking) from error

    def transact(self, actions: Sequence[Mapping[str, Any]], tracking: Tracking) -> None:
        """Do actions of `TransactWriteItems` and track, all or nothing: at most 99 of them.

        Raises
        ------
        IntegrityError
            The position, or a later one, was tracked before; or a condition was not met.
        Contention, UnknownOutcome
            Too busy; or the answer was lost (if it was done, doing it again says so).
        """
        self.tables.write(actions, f"writing at {tracking}", tracking=tracking)

    @override
    def max_tracking_id(self, application_name: str) -> int | None:
        with translated(f"reading the tracking of {application_name}"):
            answer = self.tables.client.get_item(
                TableName=self.tables.tracking,
                Key={"application": {"S": application_name}},
                ConsistentRead=True,
            )
        return int(answer["Item"]["notification_id"]["N"]) if "Item" in answer else None


class DynamoDBProcessRecorder(DynamoDBTrackingRecorder, DynamoDBLedgerRecorder, ProcessRecorder):
    """Events and the position they were made of, in one transaction."""

    def __init__(
        self,
        tables: DynamoDBTables,
        *,
        uuids: bool = False,
        sequences: bool = True,
        numbers: bool = False,
    ) -> None:
        DynamoDBLedgerRecorder.__init__(
            self, tables, uuids=uuids, sequences=sequences, numbers=numbers
        )

    @override
    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandRecord | None = None,
        tracking: Tracking | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        refuse_unknown(kwargs)
        if stored_events or command is not None or tracking is not None:
            self._append(stored_events, command, tracking)
        return self._appended(stored_events)
