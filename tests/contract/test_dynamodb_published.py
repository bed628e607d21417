"""The library's own published cases on DynamoDB; `docs/dynamodb-module.md` says what is changed.

The recorder answers `None` from `insert_events`, since positions are given later; cases that need
positions at once run with `DYNAMODB_NUMBER_AT_ONCE`. On moto runs what has no races: its
transactions are not atomic between threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from unittest import TestCase
from unittest.mock import patch
from uuid import uuid4

import pytest
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    StoredEvent,
    Tracking,
)
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)

from ledger.store.dynamodb import (
    DynamoDBLedgerRecorder,
    DynamoDBProcessRecorder,
    DynamoDBTrackingRecorder,
    Factory,
)
from tests.support import projection_cases
from tests.support.engines import Engines
from tests.support.event_stores import DynamoDBKind, event_tables


class _OnDynamoDB(TestCase):
    """New tables for each case."""

    engine: ClassVar[DynamoDBKind]

    @pytest.fixture(autouse=True)
    def _take(self, engines: Engines) -> None:
        self.engines = engines

    def setUp(self) -> None:
        self.tables = self.enterContext(event_tables(self.engine, self.engines))
        self.settings = {
            "PERSISTENCE_MODULE": Factory.__module__,
            "DYNAMODB_TABLE_PREFIX": self.tables.prefix,
            "DYNAMODB_ENDPOINT_URL": self.tables.endpoint or "",
            "ORIGINATOR_ID_TYPE": "uuid",
        }
        self.factory = self.made()

    def made(self, **settings: str) -> Factory:
        """A factory, closed in the end; patient, since an engine may take seconds for 100 items."""
        factory = Factory({**self.settings, **settings})
        self.addCleanup(factory.close)
        self.addCleanup(factory.tables.close)
        factory.tables = self.tables.connect(read_timeout=60)
        return factory


class _AggregateRecorder(_OnDynamoDB, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder()

    def test_what_has_another_purpose_is_kept_apart(self) -> None:
        events, snapshots = (self.factory.aggregate_recorder(p) for p in ("events", "snapshots"))
        originator_id = uuid4()
        event, snapshot = (StoredEvent(originator_id, 1, "t", state) for state in (b"e", b"s"))
        events.insert_events([event])
        snapshots.insert_events([snapshot])
        assert events.select_events(originator_id) == [event]
        assert snapshots.select_events(originator_id) == [snapshot]
        assert len(self.factory.application_recorder().select_notifications(1, 10)) == 1


class _Application(_OnDynamoDB, ApplicationRecorderTestCase[ApplicationRecorder]):
    """Positions are given when somebody asks for notifications."""

    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False

    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()

    def test_insert_select(self) -> None:
        """The case wants positions from `insert_events`: they are read back in its place."""
        insert = DynamoDBLedgerRecorder.insert_events

        def insert_and_look(
            recorder: DynamoDBLedgerRecorder, events: Sequence[StoredEvent], **kwargs: Any
        ) -> list[int]:
            assert insert(recorder, events, **kwargs) is None
            return [n.id for n in recorder.select_notifications(None, 100) if _event(n) in events]

        with patch.object(DynamoDBLedgerRecorder, "insert_events", insert_and_look):
            super().test_insert_select()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class _NumberedApplication(_OnDynamoDB, ApplicationRecorderTestCase[ApplicationRecorder]):
    """Positions are given with every commit: nothing of the cases is changed."""

    def create_recorder(self) -> ApplicationRecorder:
        return self.made(DYNAMODB_NUMBER_AT_ONCE="y").application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class _Tracking(_OnDynamoDB, TrackingRecorderTestCase):
    def create_recorder(self) -> DynamoDBTrackingRecorder:
        return self.factory.tracking_recorder()


class _Process(_OnDynamoDB, ProcessRecorderTestCase):
    def create_recorder(self) -> DynamoDBProcessRecorder:
        return self.factory.process_recorder()


class _NonInterleaving(_OnDynamoDB, NonInterleavingNotificationIDsBaseCase):
    insert_num = 100  # events of one commit: a transaction takes no more

    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()


class Counters(DynamoDBTrackingRecorder, projection_cases.EventCountersView):
    """Two counters, kept beside the trackings for want of another table."""

    def get_created_event_counter(self) -> int:
        return self.max_tracking_id("#created") or 0

    def get_subsequent_event_counter(self) -> int:
        return self.max_tracking_id("#subsequent") or 0

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._count("#created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._count("#subsequent", tracking)

    def _count(self, counter: str, tracking: Tracking) -> None:
        update = {
            "TableName": self.tables.tracking,
            "Key": {"application": {"S": counter}},
            "UpdateExpression": "ADD notification_id :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        self.transact([{"Update": update}], tracking)


class _View(_OnDynamoDB, projection_cases.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> projection_cases.EventCountersView:
        return self.factory.tracking_recorder(Counters)  # type: ignore[return-value]


class _Projection(_OnDynamoDB, projection_cases.AggregateEventCountersProjectionTestCase):
    """The case waits for positions that `save` answers."""

    view_class = Counters

    def setUp(self) -> None:
        super().setUp()
        self.env = {**self.settings, "DYNAMODB_NUMBER_AT_ONCE": "y"}  # type: ignore[misc]


class _EventSourcedProjection(_OnDynamoDB, projection_cases.EventSourcedProjectionTestCase):
    """The case waits for positions that `save` answers; each application has its own tables."""

    def setUp(self) -> None:
        super().setUp()
        downstream = self.enterContext(event_tables(self.engine, self.engines))
        self.env = {  # type: ignore[misc]
            **self.settings,
            "DYNAMODB_NUMBER_AT_ONCE": "y",
            "COUNTERS_DYNAMODB_TABLE_PREFIX": downstream.prefix,
        }


def _event(notification: StoredEvent) -> StoredEvent:
    return StoredEvent(
        notification.originator_id,
        notification.originator_version,
        notification.topic,
        notification.state,
    )


class TestAggregateRecorderOnMoto(_AggregateRecorder):
    engine = "moto"


class TestAggregateRecorderOnMiniStack(_AggregateRecorder):
    engine = "ministack"


class TestAggregateRecorderOnDynamoDBLocal(_AggregateRecorder):
    engine = "dynamodb-local"


class TestApplicationRecorderOnMiniStack(_Application):
    engine = "ministack"


class TestApplicationRecorderOnDynamoDBLocal(_Application):
    engine = "dynamodb-local"


class TestNumberedApplicationRecorderOnMiniStack(_NumberedApplication):
    engine = "ministack"


class TestNumberedApplicationRecorderOnDynamoDBLocal(_NumberedApplication):
    engine = "dynamodb-local"


class TestTrackingRecorderOnMoto(_Tracking):
    engine = "moto"


class TestTrackingRecorderOnMiniStack(_Tracking):
    engine = "ministack"


class TestTrackingRecorderOnDynamoDBLocal(_Tracking):
    engine = "dynamodb-local"


class TestProcessRecorderOnMoto(_Process):
    engine = "moto"


class TestProcessRecorderOnMiniStack(_Process):
    engine = "ministack"


class TestProcessRecorderOnDynamoDBLocal(_Process):
    engine = "dynamodb-local"


class TestNonInterleavingOnMiniStack(_NonInterleaving):
    engine = "ministack"


class TestNonInterleavingOnDynamoDBLocal(_NonInterleaving):
    engine = "dynamodb-local"


class TestViewOnMoto(_View):
    engine = "moto"


class TestViewOnMiniStack(_View):
    engine = "ministack"


class TestViewOnDynamoDBLocal(_View):
    engine = "dynamodb-local"


class TestProjectionOnMiniStack(_Projection):
    engine = "ministack"


class TestProjectionOnDynamoDBLocal(_Projection):
    engine = "dynamodb-local"


class TestEventSourcedProjectionOnMiniStack(_EventSourcedProjection):
    engine = "ministack"


class TestEventSourcedProjectionOnDynamoDBLocal(_EventSourcedProjection):
    engine = "dynamodb-local"


del _OnDynamoDB, _AggregateRecorder, _Application, _NumberedApplication, _Tracking, _Process
del _NonInterleaving, _View, _Projection, _EventSourcedProjection
