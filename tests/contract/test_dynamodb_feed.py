"""The sequence of all events on DynamoDB, brought up to date by whoever reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from eventsourcing.persistence import Notification, OperationalError, ProgrammingError

from ledger.service import (
    Context,
    Idempotency,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
)
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_aggregate import DynamoDBAggregateRecorder
from ledger.store.dynamodb_feed import Feed
from tests.support.api_calls import WRITE, ApiCalls
from tests.support.engines import Engines
from tests.support.event_stores import ENGINES, EventTables, event_tables
from tests.support.feeds import PATIENCE, events, ids, sooner_or_later, told


@pytest.fixture(params=("moto", *ENGINES))
def tables(request: pytest.FixtureRequest, engines: Engines) -> Iterator[EventTables]:
    """Empty tables on each engine; a test may name others."""
    with event_tables(request.param, engines, streamed=True) as tables:
        yield tables


on_one_engine = pytest.mark.parametrize("tables", ["ministack"], indirect=True)


def test_a_process_reads_its_own_commits_at_once_in_their_order(tables: EventTables) -> None:
    recorder = tables.open()
    assert (recorder.max_notification_id(), recorder.select_notifications(None, 10)) == (None, [])
    recorder.insert_events([*events("b", 1, 2), *events("a", 1)])
    recorder.insert_events([*events("a", 2), *events("c", 0)])
    found = recorder.select_notifications(None, 10)
    assert told(found) == [(1, "b", 1), (2, "b", 2), (3, "a", 1), (4, "a", 2), (5, "c", 0)]
    assert found[4] == Notification("c", 0, "T", b"c0", 5)
    assert recorder.max_notification_id() == 5
    recorder.insert_events(events("a", 3))
    assert told(recorder.select_notifications(5, 10, inclusive_of_start=False)) == [(6, "a", 3)]


def test_other_processes_commits_come_with_the_stream(tables: EventTables) -> None:
    mine, yours = tables.open(), tables.open()
    mine.insert_events(events("a", 1))
    assert mine.max_notification_id() == 1
    yours.insert_events([*events("a", 2), *events("b", 1)])
    sooner_or_later(mine.max_notification_id, 3)
    assert sorted(told(mine.select_notifications(2, 9))) == sorted(
        told(yours.select_notifications(2, 9))
    )


def test_what_was_there_before_anybody_looked_is_found(tables: EventTables) -> None:
    writer = DynamoDBLedgerRecorder(tables.connect(), sequences=False)
    for stream in "abc":
        writer.insert_events(events(stream, 5, 6, 7))
    found = told(tables.open().select_notifications(1, 20))
    assert [position for position, _, _ in found] == list(range(1, 10))
    assert sorted(found, key=lambda f: f[1:]) == sorted(found, key=lambda f: (f[1], f[0]))


def test_who_does_not_sequence_only_reads(tables: EventTables) -> None:
    reader = DynamoDBLedgerRecorder(tables.connect(), sequences=False)
    api = ApiCalls(reader)
    reader.insert_events(events("a", 1))
    assert reader.max_notification_id() is None
    assert reader.select_notifications(1, 10) == []
    assert set(api.take()) == {WRITE, "Query"}
    Feed(tables.connect()).sequence([("a", 1)])
    assert told(reader.select_notifications(1, 10)) == [(1, "a", 1)]


def test_what_is_no_event_is_left_out(tables: EventTables) -> None:
    recorder = tables.open()
    snapshots = DynamoDBAggregateRecorder(tables.connect(), purpose="snapshots")
    snapshots.insert_events(events("a", 1))
    recorder.insert_events(events("a", 1))
    assert recorder.scan_versions() == {"a": 1}
    assert recorder.max_notification_id() == 1
    snapshots.insert_events(events("a", 2))
    recorder.insert_events(events("a", 2))
    tables.open().insert_events(events("a", 3))
    sooner_or_later(recorder.max_notification_id, 3)


def test_the_ledgers_history_is_read_in_one_order(tables: EventTables) -> None:
    """What `GET /v1/events` answers."""
    ledger = Ledger(tables.open())
    receipt = ReceiveStock((ReceiptLine("A", "main", 5), ReceiptLine("B", "main", 5)))
    ledger.handle(receipt, Context("ann", Idempotency("r", "1")))
    ledger.handle(
        PlaceOrder((OrderRequestLine("B", 2),), "o"), Context("ann", Idempotency("o", "1"))
    )
    read = [(position, e.stream, e.version) for position, e in ledger.history.feed(0, 10)]
    assert [position for position, _, _ in read] == [1, 2, 3, 4]
    assert [place[1:] for place in read[:2]] == [("stock:A@main", 1), ("stock:B@main", 1)]
    assert {place[1:] for place in read[2:]} == {("order:o", 1), ("stock:B@main", 2)}
    assert [place[0] for place in ledger.history.feed(1, 2)] == [2, 3]


@on_one_engine
def test_limits_topics_and_ends(tables: EventTables) -> None:
    recorder = tables.open()
    for n in range(1, 41):
        recorder.insert_events(events("a", n, topic="even" if n % 2 == 0 else "odd"))
        recorder.max_notification_id()  # a page each
    assert ids(recorder.select_notifications(3, 4)) == [3, 4, 5, 6]
    assert ids(recorder.select_notifications(3, 4, stop=5)) == [3, 4, 5]
    assert ids(recorder.select_notifications(0, 2, inclusive_of_start=False)) == [1, 2]
    assert ids(recorder.select_notifications(None, 3, topics=["even"])) == [2, 4, 6]
    assert ids(recorder.select_notifications(1, 99, stop=6, topics=["even"])) == [2, 4, 6]
    assert ids(recorder.select_notifications(41, 5)) == []
    assert ids(recorder.select_notifications(1, 0)) == []
    assert ids(recorder.select_notifications(7, 1, stop=6)) == []


@on_one_engine
def test_pages_may_be_entered_anywhere(tables: EventTables) -> None:
    recorder = tables.open()
    for stream in "abc":
        recorder.insert_events(events(stream, *range(1, 91)))
        recorder.max_notification_id()
    everything = recorder.select_notifications(1, 1_000)
    assert [n.id for n in everything] == list(range(1, 271))
    for start in (1, 2, 89, 90, 91, 92, 180, 181, 270, 271):
        other = DynamoDBLedgerRecorder(recorder.tables, sequences=False)
        for limit in (1, 5, 200):
            found = other.select_notifications(start, limit)
            assert found == everything[start - 1 : start - 1 + limit]


@on_one_engine
def test_a_long_stream_is_cut_into_pages(tables: EventTables) -> None:
    recorder = tables.open()
    for n in range(0, 1_200, 100):
        recorder.insert_events(events("a", *range(n, n + 100)))
    found = recorder.select_notifications(None, 2_000)
    assert told(found) == [(n + 1, "a", n) for n in range(1_200)]


@on_one_engine
def test_an_event_that_is_not_there_is_never_passed_over(tables: EventTables) -> None:
    """As in another Region, where the feed may be ahead of the events."""
    recorder = tables.open()
    recorder.insert_events(events("a", 1, 2, 3))
    assert recorder.max_notification_id() == 3
    key: Any = {"stream": {"S": "a"}, "version": {"N": "2"}}
    tables.client.delete_item(TableName=recorder.tables.events, Key=key)
    assert told(recorder.select_notifications(1, 10)) == [(1, "a", 1)]
    with pytest.raises(OperationalError, match="the event at position 2 is missing"):
        recorder.select_notifications(2, 10)


@on_one_engine
def test_a_subscription_tells_of_own_and_others_events_of_its_topics(tables: EventTables) -> None:
    mine, yours = tables.open(), tables.open()
    mine.insert_events(events("a", 1, topic="no"))
    with mine.subscribe(gt=0, topics=["yes"]) as subscription:
        began = time.monotonic()
        mine.insert_events(events("b", 1, topic="yes"))
        assert next(subscription).originator_id == "b"
        yours.insert_events([*events("c", 1, topic="no"), *events("d", 1, topic="yes")])
        assert next(subscription).originator_id == "d"
        assert time.monotonic() - began < PATIENCE


@on_one_engine
def test_a_subscription_ends_with_the_error_that_ends_it(tables: EventTables) -> None:
    recorder = DynamoDBLedgerRecorder(DynamoDBTables(tables.client, "elsewhere"))
    with (
        recorder.subscribe(gt=0) as subscription,
        pytest.raises(ProgrammingError, match="ledger tables create"),
    ):
        next(subscription)
