"""The library's own published cases on DynamoDB, as far as its events have no common sequence.

What needs one can't run: `ApplicationRecorderTestCase`, `ProcessRecorderTestCase`,
`TrackingRecorderTestCase` and `NonInterleavingNotificationIDsBaseCase` as a whole (every one of
their cases reads notification ids), and of `InfrastructureFactoryTestCase` the two cases that make
tracking and process recorders, in whose place this checks that they are refused.
"""

from __future__ import annotations

from typing import ClassVar
from unittest import TestCase
from uuid import uuid4

import pytest
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    NotSupportedError,
    ProcessRecorder,
    StoredEvent,
    TrackingRecorder,
)
from eventsourcing.tests.persistence import AggregateRecorderTestCase, InfrastructureFactoryTestCase
from eventsourcing.utils import Environment

from ledger.store.dynamodb import DynamoDBAggregateRecorder, DynamoDBLedgerRecorder, Factory
from tests.support.engines import Engines
from tests.support.event_stores import DynamoDBKind, event_tables


class _OnDynamoDB(TestCase):
    """New tables for each case."""

    engine: ClassVar[DynamoDBKind]

    @pytest.fixture(autouse=True)
    def _take(self, engines: Engines) -> None:
        self.engines = engines

    def setUp(self) -> None:
        tables = self.enterContext(event_tables(self.engine, self.engines))
        env = {
            "DYNAMODB_TABLE_PREFIX": tables.prefix,
            "DYNAMODB_ENDPOINT_URL": tables.endpoint or "",
            "ORIGINATOR_ID_TYPE": "uuid",
        }
        self.factory = Factory(env)
        self.addCleanup(self.factory.close)


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


class _ApplicationRecorder(_AggregateRecorder):
    """An application's recorder keeps events as an aggregate's does."""

    def create_recorder(self) -> AggregateRecorder:
        return self.factory.application_recorder()


class TestAggregateRecorderOnMoto(_AggregateRecorder):
    engine = "moto"


class TestAggregateRecorderOnMiniStack(_AggregateRecorder):
    engine = "ministack"


class TestAggregateRecorderOnDynamoDBLocal(_AggregateRecorder):
    engine = "dynamodb-local"


class TestApplicationRecorderOnMoto(_ApplicationRecorder):
    engine = "moto"


class TestApplicationRecorderOnMiniStack(_ApplicationRecorder):
    engine = "ministack"


class TestApplicationRecorderOnDynamoDBLocal(_ApplicationRecorder):
    engine = "dynamodb-local"


del _OnDynamoDB, _AggregateRecorder, _ApplicationRecorder


class TestDynamoDBFactory(InfrastructureFactoryTestCase[Factory]):
    @pytest.fixture(autouse=True)
    def _take(self, engines: Engines) -> None:
        self.engines = engines

    def setUp(self) -> None:
        self.env = Environment("TestCase")
        self.env[InfrastructureFactory.PERSISTENCE_MODULE] = Factory.__module__
        self.env[Factory.TABLE_PREFIX] = "nowhere"
        super().setUp()

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return DynamoDBAggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return DynamoDBLedgerRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        raise NotSupportedError("no common sequence")

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        raise NotSupportedError("no common sequence")

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        raise NotSupportedError("no common sequence")

    def test_create_tracking_recorder(self) -> None:
        with pytest.raises(NotSupportedError, match="no common sequence"):
            self.factory.tracking_recorder()

    def test_create_process_recorder(self) -> None:
        with pytest.raises(NotSupportedError, match="no common sequence"):
            self.factory.process_recorder()


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({}, "DYNAMODB_TABLE_PREFIX"),
        ({"DYNAMODB_TABLE_PREFIX": "x", "ORIGINATOR_ID_TYPE": "number"}, "'number'"),
    ],
)
def test_a_factory_says_what_is_wrong_with_its_environment(env: dict[str, str], says: str) -> None:
    with pytest.raises(OSError, match=says):
        Factory(env)


def test_the_sequence_that_is_not_there_is_refused(engines: Engines) -> None:
    with event_tables("moto", engines) as tables:
        recorder = tables.open()
        for ask in (
            lambda: recorder.max_notification_id(),
            lambda: recorder.select_notifications(1, 10),
            lambda: recorder.subscribe(),
        ):
            with pytest.raises(NotSupportedError, match="no common sequence"):
                ask()


def test_ids_are_uuids_or_text_as_the_environment_says(engines: Engines) -> None:
    with event_tables("moto", engines) as tables:
        for kind, name in (("uuid", uuid4()), ("text", "order:1")):
            factory = Factory({"DYNAMODB_TABLE_PREFIX": tables.prefix, "ORIGINATOR_ID_TYPE": kind})
            recorder = factory.application_recorder()
            recorder.insert_events([StoredEvent(name, 1, "t", b"{}")])
            (found,) = recorder.select_events(name)
            assert (found.originator_id, type(found.originator_id)) == (name, type(name))
            factory.close()
