"""The relay: what it publishes, what it reports, and what it puts away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ledger.codec import Recorded, decode
from projections.delivery.details import recorded_of
from projections.delivery.envelopes import UnreadableBatch
from projections.delivery.meters import Totals
from projections.delivery.publisher import MAX_CALL_BYTES, MAX_ENTRY_BYTES, Publisher
from projections.delivery.relay import Relay
from tests.support.delivery import (
    FakeEvents,
    Letters,
    Seconds,
    failures,
    received,
    stream_record,
)


def publisher(client: Any, clock: Seconds | None = None, **options: Any) -> Publisher:
    clock = clock or Seconds()
    highest = {"jitter": lambda _low, high: high, **options}
    return Publisher(client, "shop", clock=clock, sleep=clock.sleep, **highest)


def events(count: int, **options: Any) -> list[Recorded]:
    return [decode(received(f"S{n}", **options)) for n in range(count)]


def test_events_are_published_in_tens() -> None:
    client = FakeEvents()
    sent = events(25)
    assert publisher(client).publish(sent) == []
    assert [len(call) for call in client.calls] == [10, 10, 5]
    assert [recorded_of(detail) for detail in client.details] == sent
    entry = client.calls[0][0]
    assert {name: entry[name] for name in ("EventBusName", "Source", "DetailType")} == {
        "EventBusName": "shop",
        "Source": "ledger",
        "DetailType": "StockReceived",
    }
    assert entry["Time"] == datetime(2026, 11, 22, 9, 39, 56, 123456, tzinfo=UTC)
    assert "replay" not in client.details[0]


def test_a_replay_says_so() -> None:
    client = FakeEvents()
    publisher(client).publish(events(1), replay="run-1")
    assert client.details[0]["replay"] == "run-1"


def size(entry: Any) -> int:
    """As EventBridge counts it: time, source, detail type, detail, resources."""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return (14 if "Time" in entry else 0) + sum(len(text.encode()) for text in texts)


def test_a_call_holds_what_it_may() -> None:
    client = FakeEvents()
    sent = events(7, note="é" * 50_000)
    assert publisher(client).publish(sent) == []
    sizes = [sum(map(size, call)) for call in client.calls]
    assert max(sizes) <= MAX_CALL_BYTES
    assert [len(call) for call in client.calls] == [2, 2, 2, 1]
    assert [recorded_of(detail) for detail in client.details] == sent


@pytest.mark.parametrize(("spare", "omitted"), [(0, False), (-1, True)])
def test_what_is_too_large_travels_without_data(spare: int, omitted: bool) -> None:
    client = FakeEvents()
    publisher(client).publish(events(1, note="x"))
    room = MAX_ENTRY_BYTES - size(client.calls[0][0])
    (event,) = events(1, note="x" * (room - spare + 1))
    publisher(client).publish([event])
    assert size(client.calls[1][0]) <= MAX_ENTRY_BYTES
    assert client.details[1].get("dataomitted", False) is omitted
    assert recorded_of(client.details[1], lambda _stream, _version: event) == event


def test_entries_that_fail_are_tried_again_alone() -> None:
    sent = events(12)
    client = FakeEvents(lambda event_id, attempt: event_id == sent[3].id and attempt < 4)
    sent[3].id = "01a202b7-0000-7000-8000-000000000003"
    clock = Seconds()
    assert publisher(client, clock).publish(sent) == []
    assert [len(call) for call in client.calls] == [10, 2, 1, 1, 1]
    assert clock.slept == [0.1, 0.2, 0.4]


def test_what_fails_for_long_is_answered() -> None:
    sent = events(3)
    sent[1].id = "01a202b7-0000-7000-8000-000000000003"
    client = FakeEvents(lambda event_id, _attempt: event_id == sent[1].id)
    clock = Seconds()
    assert publisher(client, clock, budget=5.0).publish(sent) == [sent[1]]
    assert clock.now <= 5.0
    assert client.tries[sent[1].id] == 6


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"),
        EndpointConnectionError(endpoint_url="https://events.eu-west-1.amazonaws.com"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_call_that_fails_fails_all_of_it(error: Exception) -> None:
    class Down(FakeEvents):
        def put_events(self, *, Entries: Sequence[Any]) -> Any:  # noqa: N803
            if len(self.calls) < 2:
                self.calls.append(Entries)
                raise error
            return super().put_events(Entries=Entries)

    client = Down()
    sent = events(2)
    assert publisher(client).publish(sent) == []
    assert [len(call) for call in client.calls] == [2, 2, 2]


class Bus:
    """Takes everything but some streams."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.taken: list[tuple[str, int]] = []

    def publish(self, events: Sequence[Recorded], *, replay: str | None = None) -> list[Recorded]:
        assert replay is None
        self.taken += [(e.stream, e.version) for e in events if e.stream not in self.refused]
        return [event for event in events if event.stream in self.refused]


RECORDS = [stream_record(received(sku)) for sku in ("A", "B", "C")]


def test_a_batch_is_published_and_answered_with_success() -> None:
    bus, totals = Bus(), Totals()
    relay = Relay(bus, meter=totals)
    assert relay.handle({"Records": RECORDS}) == {"batchItemFailures": []}
    assert relay.handle(RECORDS) == {"batchItemFailures": []}
    assert bus.taken == 2 * [(f"stock:{sku}@main", 1) for sku in "ABC"]
    assert totals.count("Published") == 6


def test_what_the_bus_refuses_comes_again() -> None:
    relay = Relay(Bus("stock:B@main", "stock:C@main"), meter=(totals := Totals()))
    assert failures(relay.handle(RECORDS)) == [RECORDS[1]["eventID"], RECORDS[2]["eventID"]]
    first = RECORDS[1]["dynamodb"]["SequenceNumber"]
    assert failures(relay.handle({"Records": RECORDS})) == [first]
    assert (totals.count("Published"), totals.count("PublishFailed")) == (2, 4)


@pytest.mark.parametrize("change", ["MODIFY", "REMOVE"])
def test_a_change_of_history_is_an_alarm_and_is_not_published(
    change: str, caplog: pytest.LogCaptureFixture
) -> None:
    bus, totals = Bus(), Totals()
    records = [RECORDS[0], stream_record(received("B"), change)]
    assert Relay(bus, meter=totals).handle(records) == {"batchItemFailures": []}
    assert bus.taken == [("stock:A@main", 1)]
    assert totals.count("EventTableMutated") == 1
    (line,) = caplog.records
    assert (line.levelname, "stock:B@main version 1" in line.message) == ("ERROR", True)


def test_items_of_another_purpose_are_passed_over() -> None:
    bus = Bus()
    record = stream_record(received("B"), purpose={"S": "snapshots"}, state={"B": "AAAA"})
    assert Relay(bus).handle([record]) == {"batchItemFailures": []}
    assert bus.taken == []


POISON = stream_record(received("B", 4), state={"B": "bm8gZW52ZWxvcGU="})


def test_a_record_that_is_no_event_is_put_away_and_holds_up_nobody() -> None:
    bus, letters, totals = Bus(), Letters(), Totals()
    relay = Relay(bus, letters, meter=totals)
    batch = {"Records": [RECORDS[0], POISON, RECORDS[2]]}
    assert relay.handle(batch) == {"batchItemFailures": []}
    assert bus.taken == [("stock:A@main", 1), ("stock:C@main", 1)]
    assert totals.count("RelayRejected") == 1
    (letter,) = letters.all
    assert (letter.consumer, "stock:B@main version 4" in letter.reason) == ("relay", True)
    assert json.loads(letter.body) == {"Records": [POISON]}
    assert failures(Relay(bus).handle(json.loads(letter.body))), "it can be relayed again"


@pytest.mark.parametrize("letters", [None, Letters(OSError("down"))])
def test_without_a_place_to_put_it_such_a_record_comes_again(letters: Letters | None) -> None:
    """The mapping's bisection and on-failure destination deal with it."""
    bus = Bus()
    assert failures(Relay(bus, letters).handle([RECORDS[0], POISON, RECORDS[2]])) == [
        POISON["eventID"]
    ]
    assert len(bus.taken) == 2


def test_what_is_no_batch_raises() -> None:
    with pytest.raises(UnreadableBatch):
        Relay(Bus()).handle({"detail": {}})


def test_what_the_service_would_not_take_comes_again_and_goes_through() -> None:
    """Relay and publisher together, on a bus that is throttled for longer than the budget."""
    taken = decode(received("B"))
    refused = {taken.id: 9}
    client = FakeEvents(lambda event_id, attempt: attempt <= refused.get(event_id, 0))
    batch = [stream_record(received("A", 2)), stream_record(received("B"))]
    relay = Relay(publisher(client, budget=1.0))
    assert failures(relay.handle(batch)) == [batch[1]["eventID"]]
    while failures(relay.handle(batch)):
        pass
    assert recorded_of(client.details[-1]) == taken
    assert client.tries[taken.id] == 10
