"""What brings the feed up to date, what that costs, and when the whole table is scanned."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_feed_upkeep import MAX_AGE_SECONDS, POLL_SECONDS, Upkeep
from tests.support.api_calls import WRITE, ApiCalls
from tests.support.event_stores import ENGINES, EventTables
from tests.support.feeds import events, ids, refuse, sooner_or_later

STREAMED = True

on_one_engine = pytest.mark.parametrize("tables", ["ministack"], indirect=True)


@on_one_engine
def test_what_could_not_be_sequenced_is_not_forgotten(tables: EventTables) -> None:
    recorder = tables.open()
    recorder.insert_events(events("a", 1))
    hooks: Any = recorder.tables.client.meta.events
    hooks.register("before-call.dynamodb.PutItem", refuse)
    with pytest.raises(OperationalError, match="putting page 1 of the feed"):
        recorder.max_notification_id()
    hooks.unregister("before-call.dynamodb.PutItem", refuse)
    assert recorder.max_notification_id() == 1


class Scans:
    """Upkeep of a feed whose scans are counted, at a time that a test sets."""

    def __init__(self, tables: EventTables) -> None:
        self.recorder = DynamoDBLedgerRecorder(tables.connect(), sequences=False)
        self.feed = self.recorder.feed
        self.scans = 0
        self.now = 1_800_000_000.0
        self.upkeep = self.anew()

    def anew(self) -> Upkeep:
        """Another process, at the same time."""
        self.upkeep = Upkeep(self.recorder.tables, self.feed, self.scan, lambda: self.now)
        return self.upkeep

    def scan(self) -> Mapping[str, int]:
        self.scans += 1
        return self.recorder.scan_versions()

    def refreshed(self) -> int:
        """How many scans a refresh took."""
        before = self.scans
        time.sleep(POLL_SECONDS)
        self.upkeep.refresh()
        return self.scans - before


@pytest.mark.parametrize("tables", ["moto", *ENGINES], indirect=True)
def test_a_scan_is_made_at_first_and_after_most_of_a_day(tables: EventTables) -> None:
    scans = Scans(tables)
    scans.recorder.insert_events(events("a", 1))
    assert (scans.refreshed(), scans.feed.end()) == (1, 1)
    scans.recorder.insert_events(events("a", 2))
    sooner_or_later(lambda: (scans.refreshed(), scans.feed.end()), (0, 2))
    scans.anew()
    for passed, expected in (
        (MAX_AGE_SECONDS - 1, 0),
        (MAX_AGE_SECONDS - 1, 0),
        (MAX_AGE_SECONDS + 1, 1),
        (0, 0),
    ):
        scans.now += passed
        assert scans.refreshed() == expected


@on_one_engine
def test_a_scan_is_made_when_the_stream_was_trimmed(tables: EventTables) -> None:
    scans = Scans(tables)
    assert scans.refreshed() == 1
    tables.client.update_item(
        TableName=scans.recorder.tables.feed,
        Key={"partition": {"S": "stream"}, "position": {"N": "0"}},
        UpdateExpression="SET shards.gone = :p",
        ExpressionAttributeValues={":p": {"S": "1"}},
    )
    scans.anew()
    assert scans.refreshed() == 1
    scans.anew()
    assert scans.refreshed() == 0


def test_a_scan_is_made_each_time_when_there_is_no_stream(tables: EventTables) -> None:
    scans = Scans(tables)
    assert scans.refreshed() == 1
    tables.client.update_table(
        TableName=scans.recorder.tables.events, StreamSpecification={"StreamEnabled": False}
    )
    scans.recorder.insert_events(events("a", 1))
    scans.anew()
    assert (scans.refreshed(), scans.refreshed(), scans.feed.end()) == (1, 1, 1)


@on_one_engine
def test_commits_cost_what_they_did_and_idle_reading_little(tables: EventTables) -> None:
    recorder = tables.open()
    recorder.insert_events(events("x", 1))
    assert recorder.max_notification_id() == 1
    api = ApiCalls(recorder)
    recorder.insert_events([*events("a", 1), *events("b", 1), *events("c", 1)])
    assert api.take() == [WRITE]
    time.sleep(POLL_SECONDS)
    assert ids(recorder.select_notifications(2, 10)) == [2, 3, 4]
    sequenced = ["BatchGetItem", *["Query"] * 3, "PutItem", *["UpdateItem"] * 3]
    assert api.take() == [*sequenced, "UpdateItem", "Query", "BatchGetItem"]
    time.sleep(POLL_SECONDS)
    assert recorder.select_notifications(5, 10) == []
    assert api.take() == ["Query"]
