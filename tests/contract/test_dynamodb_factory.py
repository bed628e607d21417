"""The factory of the DynamoDB module, in the library's published cases and beyond them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    StoredEvent,
)
from eventsourcing.tests.persistence import InfrastructureFactoryTestCase
from eventsourcing.utils import Environment

from ledger.store.dynamodb import (
    DynamoDBAggregateRecorder,
    DynamoDBLedgerRecorder,
    DynamoDBProcessRecorder,
    DynamoDBTrackingRecorder,
    Factory,
)
from tests.contract.test_dynamodb_published import Counters
from tests.support.engines import Engines
from tests.support.event_stores import event_tables


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

    def expected_tracking_recorder_class(self) -> type[DynamoDBTrackingRecorder]:
        return DynamoDBTrackingRecorder

    def tracking_recorder_subclass(self) -> type[DynamoDBTrackingRecorder]:
        return Counters

    def expected_process_recorder_class(self) -> type[DynamoDBProcessRecorder]:
        return DynamoDBProcessRecorder


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


def test_ids_are_uuids_or_text_as_the_environment_says(engines: Engines) -> None:
    with event_tables("moto", engines) as tables:
        for kind, name in (("uuid", uuid4()), ("text", "order:1")):
            factory = Factory({"DYNAMODB_TABLE_PREFIX": tables.prefix, "ORIGINATOR_ID_TYPE": kind})
            recorder = factory.application_recorder()
            recorder.insert_events([StoredEvent(name, 1, "t", b"{}")])
            (found,) = recorder.select_events(name)
            assert (found.originator_id, type(found.originator_id)) == (name, type(name))
            factory.close()
