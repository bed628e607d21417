"""Positions that are given with every commit, for those who wait for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from eventsourcing.application import Application, ProcessingEvent
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, DomainEventProtocol
from eventsourcing.system import ProcessApplication, SingleThreadedRunner, System

from ledger.store.dynamodb import DynamoDBLedgerRecorder
from tests.support.engines import Engines
from tests.support.event_stores import EventTables, event_tables
from tests.support.feeds import events, refuse, told

STREAMED = True

on_one_engine = pytest.mark.parametrize("tables", ["ministack"], indirect=True)


@on_one_engine
def test_positions_are_answered_when_they_are_given_at_once(tables: EventTables) -> None:
    recorder = DynamoDBLedgerRecorder(tables.connect(), numbers=True)
    assert recorder.insert_events([*events("a", 1, 2), *events("b", 1)]) == [1, 2, 3]
    assert recorder.insert_events(events("b", 2)) == [4]
    assert recorder.insert_events([]) is None
    assert told(recorder.select_notifications(4, 1)) == [(4, "b", 2)]


class Books(Application[UUID]):
    """An upstream application of the library."""


class Readers(ProcessApplication[UUID]):
    """Answers every book with a reader."""

    @singledispatchmethod
    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        if isinstance(domain_event, Aggregate.Created):
            processing_event.collect_events(Aggregate())


@on_one_engine
def test_a_system_of_the_library_runs_when_positions_are_given_at_once(
    tables: EventTables, engines: Engines
) -> None:
    with event_tables("ministack", engines) as downstream:
        env = {
            "PERSISTENCE_MODULE": "ledger.store.dynamodb",
            "DYNAMODB_NUMBER_AT_ONCE": "y",
            "DYNAMODB_ENDPOINT_URL": tables.endpoint or "",
            "BOOKS_DYNAMODB_TABLE_PREFIX": tables.prefix,
            "READERS_DYNAMODB_TABLE_PREFIX": downstream.prefix,
        }
        with SingleThreadedRunner[UUID](System(pipes=[[Books, Readers]]), env) as runner:
            books = runner.get(Books)
            for _ in range(3):
                books.save(Aggregate())
            assert runner.get(Readers).recorder.max_notification_id() == 3
            assert runner.get(Readers).recorder.max_tracking_id("Books") == 3


@on_one_engine
def test_a_commit_stands_although_its_positions_are_not_known(tables: EventTables) -> None:
    recorder = DynamoDBLedgerRecorder(tables.connect(), numbers=True)
    hooks: Any = recorder.tables.client.meta.events
    hooks.register("before-call.dynamodb.PutItem", refuse)
    assert recorder.insert_events(events("a", 1)) is None
    hooks.unregister("before-call.dynamodb.PutItem", refuse)
    assert recorder.insert_events(events("b", 1)) == [2]
    assert told(recorder.select_notifications(1, 9)) == [(1, "a", 1), (2, "b", 1)]


@on_one_engine
def test_a_commit_stands_although_its_recorder_is_being_closed(tables: EventTables) -> None:
    """As by the library's runner of projections, which closes while it still records."""
    recorder = DynamoDBLedgerRecorder(tables.connect(), numbers=True)
    recorder.tables.in_parallel.shutdown()
    assert recorder.insert_events(events("a", 1)) is None
    assert tables.open().max_notification_id() == 1
