"""The DynamoDB event store: a persistence module for the `eventsourcing` library.

Layout: one item per event, keyed by `stream` and `version`, with `type` and the event's bytes as
`state`. A commit is one `TransactWriteItems`: a `Put` for every event on the condition that it
does not exist, and one for the command's record. That is the only way anything is written there.
Positions in the sequence of all events are given afterwards, in a table of their own.

Use it as `PERSISTENCE_MODULE=ledger.store.dynamodb`, with `DYNAMODB_TABLE_PREFIX` naming the
tables (`ledger tables create`). It needs no other environment than boto3 does.
"""

from __future__ import annotations

from typing import Final

from eventsourcing.persistence import AggregateRecorder, InfrastructureFactory
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool
from typing_extensions import override

from ledger.store.dynamodb_aggregate import DynamoDBAggregateRecorder
from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_items import EVENTS
from ledger.store.dynamodb_ledger import DynamoDBLedgerRecorder
from ledger.store.dynamodb_tables import DynamoDBTables
from ledger.store.dynamodb_tracking import DynamoDBProcessRecorder, DynamoDBTrackingRecorder

__all__ = [
    "DynamoDBAggregateRecorder",
    "DynamoDBLedgerRecorder",
    "DynamoDBProcessRecorder",
    "DynamoDBTables",
    "DynamoDBTrackingRecorder",
    "Factory",
]


class Factory(InfrastructureFactory[DynamoDBTrackingRecorder]):
    """Makes the recorders (`PERSISTENCE_MODULE=ledger.store.dynamodb`)."""

    TABLE_PREFIX: Final = "DYNAMODB_TABLE_PREFIX"
    ENDPOINT_URL: Final = "DYNAMODB_ENDPOINT_URL"
    ORIGINATOR_ID_TYPE: Final = "ORIGINATOR_ID_TYPE"
    NUMBERS: Final = "DYNAMODB_NUMBER_AT_ONCE"

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
        self._numbers = strtobool(self.env.get(self.NUMBERS) or "no")
        self.tables = DynamoDBTables(make_client(self.env.get(self.ENDPOINT_URL) or None), prefix)

    @override
    def aggregate_recorder(self, purpose: str = EVENTS) -> AggregateRecorder:
        """Events, or what has another purpose (snapshots) beside them in the same table."""
        return DynamoDBAggregateRecorder(self.tables, uuids=self._uuids, purpose=purpose)

    @override
    def application_recorder(self) -> DynamoDBLedgerRecorder:
        topic = self.env.get(self.APPLICATION_RECORDER_TOPIC)
        made: type[DynamoDBLedgerRecorder] = (
            resolve_topic(topic) if topic else DynamoDBLedgerRecorder
        )
        return made(self.tables, uuids=self._uuids, numbers=self._numbers)

    @override
    def tracking_recorder(
        self, tracking_recorder_class: type[DynamoDBTrackingRecorder] | None = None
    ) -> DynamoDBTrackingRecorder:
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        made: type[DynamoDBTrackingRecorder] = tracking_recorder_class or (
            resolve_topic(topic) if topic else DynamoDBTrackingRecorder
        )
        return made(self.tables)

    @override
    def process_recorder(self) -> DynamoDBProcessRecorder:
        topic = self.env.get(self.PROCESS_RECORDER_TOPIC)
        made: type[DynamoDBProcessRecorder] = (
            resolve_topic(topic) if topic else DynamoDBProcessRecorder
        )
        return made(self.tables, uuids=self._uuids, numbers=self._numbers)

    def close(self) -> None:
        """Let go of threads and connections."""
        self.tables.close()
