"""Scans of the event table as it is in life: large pages, throttling, foreign and damaged items."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from eventsourcing.persistence import OperationalError, ProgrammingError, StoredEvent

from ledger.errors import Contention
from ledger.store import scanning, segment_reader
from ledger.store.base import CommandRecord
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables, Factory
from ledger.store.scanning import (
    MAX_SEGMENTS,
    scan_commands,
    scan_events,
    scan_pages,
    scan_segment,
)
from tests.support.engines import Engines
from tests.support.event_stores import ENGINES, EventTables, event_tables

LARGE = 300_000
"""Bytes of an event; four of them fill a page."""


@pytest.fixture(params=["moto", *ENGINES])
def tables(request: pytest.FixtureRequest, engines: Engines) -> Iterator[EventTables]:
    with event_tables(request.param, engines) as tables:
        yield tables


@pytest.fixture
def moto(engines: Engines) -> Iterator[EventTables]:
    with event_tables("moto", engines) as tables:
        yield tables


def scanned(tables: DynamoDBTables, segments: int = 3) -> list[StoredEvent]:
    return sorted(scan_events(tables, segments), key=lambda e: str(e.originator_id))


class Stumbling:
    """A client whose scans fail at first."""

    def __init__(self, client: Any, failures: list[str]) -> None:
        self._client = client
        self._failures = failures
        self.scans = 0

    def scan(self, **request: Any) -> Mapping[str, Any]:
        self.scans += 1
        if self._failures:
            error = {"Code": self._failures.pop(), "Message": "not now"}
            raise ClientError({"Error": error}, "Scan")  # type: ignore[typeddict-item]
        answer: Mapping[str, Any] = self._client.scan(**request)
        return answer

    def close(self) -> None:
        self._client.close()


def stumbling(recorder: DynamoDBLedgerRecorder, failures: list[str]) -> Stumbling:
    client = Stumbling(recorder.tables.client, failures)
    recorder.tables.client = client  # type: ignore[assignment]
    return client


def test_pages_that_are_full_are_put_together(recorder: DynamoDBLedgerRecorder) -> None:
    events = [StoredEvent("s", n, "T", bytes([n]) * LARGE) for n in range(1, 12)]
    for event in events:
        recorder.insert_events([event])
    assert scanned(recorder.tables) == events
    pages = [page for n in range(2) for page in scan_segment(recorder.tables, n, 2)]
    assert len([page for page in pages if page.events]) >= 3


def test_what_is_there_for_another_purpose_is_left_out(tables: EventTables) -> None:
    environment = {"DYNAMODB_TABLE_PREFIX": tables.prefix, "ORIGINATOR_ID_TYPE": "text"}
    factory = Factory({**environment, "DYNAMODB_ENDPOINT_URL": tables.endpoint or ""})
    event = StoredEvent("a", 1, "T", b"event")
    factory.application_recorder().insert_events([event])
    factory.aggregate_recorder("snapshots").insert_events([StoredEvent("a", 1, "T", b"snap")])
    assert scanned(factory.tables) == [event]
    factory.close()


def test_an_event_can_not_be_hidden_by_a_mark(
    tables: EventTables, recorder: DynamoDBLedgerRecorder
) -> None:
    event = StoredEvent("stock:A@main", 1, "T", b"event")
    recorder.insert_events([event])
    tables.client.update_item(
        TableName=recorder.tables.events,
        Key={"stream": {"S": "stock:A@main"}, "version": {"N": "1"}},
        UpdateExpression="SET #p = :p",
        ExpressionAttributeNames={"#p": "purpose"},
        ExpressionAttributeValues={":p": {"S": "snapshots"}},
    )
    assert scanned(recorder.tables) == [event]


def test_damaged_items_come_through(tables: EventTables, recorder: DynamoDBLedgerRecorder) -> None:
    for stream, version, rest in (
        ("a", "1", {}),
        ("b", "1.5", {"type": {"S": "T"}, "state": {"S": "text"}}),
        ("c", "-1", {"type": {"N": "7"}, "state": {"B": b"bytes"}}),
    ):
        item: Any = {"stream": {"S": stream}, "version": {"N": version}, **rest}
        tables.client.put_item(TableName=recorder.tables.events, Item=item)
    assert scanned(recorder.tables) == [
        StoredEvent("a", 1, None, None),  # type: ignore[arg-type]
        StoredEvent("b", "1.5", "T", "text"),  # type: ignore[arg-type]
        StoredEvent("c", -1, "7", b"bytes"),
    ]


def test_events_behind_a_gap_come_in_order(
    recorder: DynamoDBLedgerRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [1, 2, 5, 9, 10, 11, 100, 101]
    recorder.insert_events([StoredEvent("a", version, "T", b"") for version in versions])
    assert [e.originator_version for e in scanned(recorder.tables)] == versions
    monkeypatch.setattr(scanning, "MAX_HELD", 2)
    assert {e.originator_version for e in scanned(recorder.tables)} == set(versions)


def test_commands_are_read_page_by_page(
    tables: EventTables, recorder: DynamoDBLedgerRecorder
) -> None:
    written = {f"key {n}": (("a", n), ("b", n)) for n in range(1, 8)}
    for key, pairs in written.items():
        recorder.insert_events([], command=CommandRecord(key, "print", pairs))
    broken: Any = {"key": {"S": "broken"}, "fingerprint": {"S": ""}, "events": {"B": b"[1"}}
    tables.client.put_item(TableName=recorder.tables.commands, Item=broken)
    found = scan_commands(recorder.tables, page_items=3)
    assert dict(found) == {**written, "broken": None}


def test_a_throttled_page_is_asked_for_again(moto: EventTables) -> None:
    recorder = moto.open()
    event = StoredEvent("a", 1, "T", b"")
    recorder.insert_events([event])
    client = stumbling(recorder, ["ThrottlingException", "InternalServerError"])
    assert scanned(recorder.tables, 1) == [event]
    assert client.scans == 3


def test_patience_has_an_end(moto: EventTables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_reader, "PATIENCE_SECONDS", 0.2)
    recorder = moto.open()
    stumbling(recorder, ["ThrottlingException"] * 1_000)
    with pytest.raises(Contention):
        scanned(recorder.tables)


def test_what_will_not_get_better_is_not_tried_again(moto: EventTables) -> None:
    recorder = moto.open()
    client = stumbling(recorder, ["ResourceNotFoundException"])
    with pytest.raises(ProgrammingError, match="ledger tables create"):
        scanned(recorder.tables, 1)
    assert client.scans == 1


def test_a_scan_that_is_closed_stops_reading(moto: EventTables) -> None:
    recorder = moto.open()
    for n in range(40):
        recorder.insert_events([StoredEvent(f"s{n}", 1, "T", b"")])
    client = stumbling(recorder, [])
    pages = scan_pages(recorder.tables, 2, page_items=1)
    next(pages)
    pages.close()
    assert client.scans <= 4, "one page ahead in each segment"
    assert not [t for t in threading.enumerate() if t.name.startswith("scan")]


def test_one_segments_failure_ends_all(moto: EventTables) -> None:
    recorder = moto.open()
    stumbling(recorder, ["AccessDeniedException"])
    with pytest.raises(Exception, match="AccessDenied") as raised:
        scanned(recorder.tables, 4)
    assert not isinstance(raised.value, OperationalError)


@pytest.mark.parametrize("segments", [0, MAX_SEGMENTS + 1])
def test_segments_have_a_limit(moto: EventTables, segments: int) -> None:
    with pytest.raises(ValueError, match="1 to 32"):
        next(scan_pages(moto.connect(), segments))
