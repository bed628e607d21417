"""The library's own published cases, run against our persistence modules.

The conditions they state are the least a recorder must fulfil; ours are in `test_recorder.py`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import TestCase

import pytest
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, InfrastructureFactory
from eventsourcing.sqlite import SQLiteTrackingRecorder
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
)
from eventsourcing.utils import Environment

from ledger.store import sqlite
from ledger.store.sqlite import Factory, SQLiteLedgerRecorder


class _OnSQLite(TestCase):
    """A new file for each case."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name, "ledger.db")
        self.factory = Factory({"SQLITE_DBNAME": str(path), "ORIGINATOR_ID_TYPE": "uuid"})
        self.addCleanup(self.factory.close)


class TestSQLiteAggregateRecorder(_OnSQLite, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder()


class TestSQLiteApplicationRecorder(_OnSQLite, ApplicationRecorderTestCase[ApplicationRecorder]):
    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()


class TestSQLiteProcessRecorder(_OnSQLite, ProcessRecorderTestCase):
    def create_recorder(self) -> sqlite.ProcessRecorder:
        recorder = self.factory.process_recorder()
        assert isinstance(recorder, sqlite.ProcessRecorder)
        return recorder


class TestSQLiteNonInterleaving(_OnSQLite, NonInterleavingNotificationIDsBaseCase):
    insert_num = 1_000

    def create_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()


class TestSQLiteFactory(InfrastructureFactoryTestCase[Factory]):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.env = Environment("TestCase")
        self.env[InfrastructureFactory.PERSISTENCE_MODULE] = Factory.__module__
        self.env[Factory.SQLITE_DBNAME] = str(Path(folder.name, "ledger.db"))
        super().setUp()

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return sqlite.AggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return SQLiteLedgerRecorder

    def expected_tracking_recorder_class(self) -> type[SQLiteTrackingRecorder]:
        return SQLiteTrackingRecorder

    def tracking_recorder_subclass(self) -> type[SQLiteTrackingRecorder]:
        return type("Tracking", (SQLiteTrackingRecorder,), {})

    def expected_process_recorder_class(self) -> type[sqlite.ProcessRecorder]:
        return sqlite.ProcessRecorder


@pytest.mark.parametrize("variable", ["SQLITE_DBNAME"])
def test_a_factory_without_its_file_name_says_which_variable_is_missing(variable: str) -> None:
    with pytest.raises(OSError, match=variable):
        Factory({})
