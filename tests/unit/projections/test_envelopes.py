"""Batches of stream records, as Pipes and as Lambda's event source mappings hand them over."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.codec import CorruptEvent, decode
from projections.delivery.envelopes import UnreadableBatch, batch_json, read_batch
from tests.support.delivery import failures, received, stream_record

MAPPING: dict[str, Any] = {
    "Records": [
        {
            "eventID": "c4ca4238a0b923820dcc509a6f75849b",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "Keys": {"version": {"N": "1"}, "stream": {"S": "stock:MUG@main"}},
                "NewImage": {
                    "stream": {"S": "stock:MUG@main"},
                    "version": {"N": "1"},
                    "type": {"S": "StockReceived"},
                    "state": {"B": base64.b64encode(received().state).decode()},
                },
                "ApproximateCreationDateTime": 1428537600,
                "SequenceNumber": "4421584500000000017450439091",
                "SizeBytes": 26,
                "StreamViewType": "NEW_IMAGE",
            },
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/shop-events/stream/x",
        },
        {
            "eventID": "c81e728d9d4c2f636f067f89cc14862c",
            "eventName": "REMOVE",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "Keys": {"version": {"N": "2"}, "stream": {"S": "stock:MUG@main"}},
                "SequenceNumber": "4421584500000000017450439092",
                "SizeBytes": 59,
                "StreamViewType": "NEW_IMAGE",
            },
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/shop-events/stream/x",
        },
    ]
}
PIPE = MAPPING["Records"]


@pytest.mark.parametrize("event", [MAPPING, PIPE], ids=["mapping", "pipe"])
def test_both_shapes_hold_the_same_records(event: object) -> None:
    first, second = read_batch(event).records
    assert first.recorded() == decode(received())
    assert (first.change, first.place) == ("INSERT", "stock:MUG@main version 1")
    assert (second.change, second.place) == ("REMOVE", "stock:MUG@main version 2")
    assert second.image is None


def test_a_pipe_is_told_every_failure_and_a_mapping_the_first() -> None:
    pipe, mapping = read_batch(PIPE), read_batch(MAPPING)
    assert failures(pipe.answer(pipe.records)) == [
        "c4ca4238a0b923820dcc509a6f75849b",
        "c81e728d9d4c2f636f067f89cc14862c",
    ]
    assert failures(mapping.answer(mapping.records)) == ["4421584500000000017450439091"]
    assert failures(mapping.answer(mapping.records[1:])) == ["4421584500000000017450439092"]
    for batch in (pipe, mapping):
        assert batch.answer([]) == {"batchItemFailures": []}


def test_records_of_the_service_itself_come_through_json() -> None:
    """`GetRecords` answers bytes and datetimes."""
    record = json.loads(json.dumps(PIPE[0]))
    record["dynamodb"]["NewImage"]["state"]["B"] = received().state
    record["dynamodb"]["ApproximateCreationDateTime"] = datetime(2026, 1, 1, tzinfo=UTC)
    assert read_batch([record]).records[0].recorded() == decode(received())
    again = json.loads(batch_json([record]))
    assert read_batch(again).records[0].recorded() == decode(received())
    assert again["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] == 1767225600.0


@pytest.mark.parametrize(
    "event",
    [None, "x", {}, {"Records": None}, {"detail": {}}, [1], [{}], [{"dynamodb": {}}]],
    ids=repr,
)
def test_what_is_no_batch_is_not_taken_for_success(event: object) -> None:
    with pytest.raises(UnreadableBatch):
        read_batch(event)


@pytest.mark.parametrize(
    "state",
    [{"B": "not base64!"}, {"S": "text"}, {"B": 7}, {"B": base64.b64encode(b"{}").decode()}],
    ids=repr,
)
def test_an_item_that_is_no_event_names_its_place(state: object) -> None:
    (record,) = read_batch([stream_record(received(version=3), state=state)]).records
    with pytest.raises(CorruptEvent, match="stock:MUG@main version 3"):
        record.recorded()


def test_a_broken_seal_is_no_event() -> None:
    stored = received()
    forged = base64.b64encode(stored.state.replace(b'"quantity":1', b'"quantity":9')).decode()
    (record,) = read_batch([stream_record(stored, state={"B": forged})]).records
    with pytest.raises(CorruptEvent, match="sealed"):
        record.recorded()


def test_items_of_another_purpose_say_so() -> None:
    (record,) = read_batch([stream_record(received(), purpose={"S": "snapshots"})]).records
    assert record.of_another_purpose
