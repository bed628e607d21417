"""The streams that the engines serve, read as AWS's are."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest
from eventsourcing.persistence import ProgrammingError, StoredEvent

from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_stream import StreamReader
from ledger.store.dynamodb_stream_access import (
    TablePositions,
    make_streams_client,
    stream_arn,
    streams_client_beside,
)
from ledger.store.tables import create_table_request, full_name
from tests.support.event_stores import EventTables

STREAMED = True

PATIENCE: Final = 20.0
"""Seconds within which a stream must have what its table has."""


def reader_of(tables: EventTables) -> StreamReader:
    """A reader that keeps its place in the pump's table."""
    arn = stream_arn(tables.client, full_name(tables.prefix, "events"))
    streams = tables.connect().streams
    positions = TablePositions(tables.client, full_name(tables.prefix, "pump"))
    return StreamReader(streams, arn, positions)


@pytest.fixture
def _pump(tables: EventTables) -> Any:
    tables.client.create_table(**create_table_request(tables.prefix, "pump"))
    yield
    tables.client.delete_table(TableName=full_name(tables.prefix, "pump"))


def drained(reader: StreamReader, expected: int) -> list[Any]:
    """All there is to read, acknowledged. A stream may be a moment behind its table."""
    records: list[Any] = []
    until = time.monotonic() + PATIENCE
    while True:
        batches = reader.poll()
        for batch in batches:
            records += batch.records
            reader.done(batch)
        if not batches and (len(records) >= expected or time.monotonic() > until):
            assert len(records) == expected
            return records


@pytest.mark.usefixtures("_pump")
def test_records_hold_the_events_as_they_were_stored(
    tables: EventTables, recorder: DynamoDBLedgerRecorder
) -> None:
    reader = reader_of(tables)
    drained(reader, 0)
    state = bytes(range(256))
    recorder.insert_events([StoredEvent("a", 1, "T", state), StoredEvent("b", 1, "U", b"{}")])
    records = drained(reader, 2)
    images = {r["dynamodb"]["NewImage"]["stream"]["S"]: r["dynamodb"]["NewImage"] for r in records}
    assert {r["eventName"] for r in records} == {"INSERT"}
    assert images["a"] == {
        "stream": {"S": "a"},
        "version": {"N": "1"},
        "type": {"S": "T"},
        "state": {"B": state},
    }
    assert set(images) == {"a", "b"}


@pytest.mark.usefixtures("_pump")
def test_reading_goes_on_where_it_was_acknowledged(
    tables: EventTables, recorder: DynamoDBLedgerRecorder
) -> None:
    def versions(records: list[Any]) -> list[int]:
        return [int(r["dynamodb"]["Keys"]["version"]["N"]) for r in records]

    for version in (1, 2, 3):
        recorder.insert_events([StoredEvent("a", version, "T", b"{}")])
    assert versions(drained(reader_of(tables), 3)) == [1, 2, 3]
    for version in (4, 5):
        recorder.insert_events([StoredEvent("a", version, "T", b"{}")])
    reader_of(tables).poll()  # and dies with what it was given
    later = reader_of(tables)
    assert versions(drained(later, 2)) == [4, 5]
    drained(reader_of(tables), 0)
    assert not later.trimmed


@pytest.mark.usefixtures("_pump")
def test_more_than_one_read_holds_is_read_whole(tables: EventTables) -> None:
    recorder = tables.open(read_timeout=60)
    expected = list(range(1, 1_101))
    for n in range(0, 1_100, 100):
        recorder.insert_events([StoredEvent("a", v, "T", b"{}") for v in expected[n : n + 100]])
    records = drained(reader_of(tables), 1_100)
    assert sorted(int(r["dynamodb"]["Keys"]["version"]["N"]) for r in records) == expected


def test_a_table_without_a_stream_of_images_says_so(tables: EventTables) -> None:
    with pytest.raises(ProgrammingError, match="feed has no stream of new images: turn it on"):
        stream_arn(tables.client, full_name(tables.prefix, "feed"))
    with pytest.raises(ProgrammingError, match="nowhere"):
        stream_arn(tables.client, "nowhere")


@pytest.mark.usefixtures("engines")
def test_the_streams_client_speaks_with_whom_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def url(*given: str) -> str:
        client = make_streams_client(*given)
        client.close()
        return client.meta.endpoint_url

    aws = "https://streams.dynamodb.eu-west-1.amazonaws.com"
    assert url() == aws
    assert url("http://given") == "http://given"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    assert url() == "http://all"
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://tables")
    assert url() == "http://tables"
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", "http://streams")
    assert url() == "http://streams"


@pytest.mark.usefixtures("engines")
@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (None, "https://streams.dynamodb.eu-west-1.amazonaws.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_a_streams_client_stays_beside_its_tables_client(
    endpoint: str | None, expected: str
) -> None:
    client = make_client(endpoint)
    beside = streams_client_beside(client)
    assert beside.meta.endpoint_url == expected
    client.close()
    beside.close()


@pytest.mark.usefixtures("engines")
@pytest.mark.parametrize(("patience", "expected"), [(3, 5), (60, 60)])
def test_a_streams_client_is_as_patient_as_its_tables_client(patience: int, expected: int) -> None:
    client = make_client(read_timeout=patience)
    beside = streams_client_beside(client)
    config: Any = beside.meta.config
    assert config.read_timeout == expected
    client.close()
    beside.close()
