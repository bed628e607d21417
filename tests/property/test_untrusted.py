"""Whatever comes from outside is read or refused, with the errors that are declared for it.

JSON of any shape, records that look almost like a stream's, messages that look almost like a
bus's, and cursors that nobody gave out.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import CorruptEvent, Recorded, check_seal, decode
from projections.delivery.consumer import Consumer
from projections.delivery.dead_letters import MAX_REASON, DeadLetter, reason_of
from projections.delivery.details import EventNotFound, UnreadableDetail, recorded_of
from projections.delivery.envelopes import UnreadableBatch
from projections.delivery.publisher import Publisher
from projections.delivery.redriving import StillDead, publish_again
from projections.delivery.relay import Relay
from tests.support.delivery import (
    FakeEvents,
    Letters,
    bus_event,
    failures,
    placed,
    queue_event,
    received,
    stream_record,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(
        ("StockReceived", "stock:MUG", "order:", "stock:A@b", "INSERT", "0001-01-01", "9" * 5000)
    )
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a JSON value has parts."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    inner = [((*path, name), part) for name, part in parts]
    deeper = [p for at, part in inner if isinstance(part, (dict, list)) for p in places(part, at)]
    return [at for at, _ in inner] + deeper


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """A JSON value of which some parts are missing, or something else."""
    value = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 2))):
        found = places(value)
        if not found:
            break
        *path, last = draw(st.sampled_from(found))
        holder = value
        for name in path:
            holder = holder[name]
        if draw(st.booleans()):
            holder[last] = draw(anything)
        else:
            del holder[last]
    return value


def as_json(value: Any) -> bytes:
    """Compact JSON, also of text that is no Unicode."""
    return json.dumps(value, separators=(",", ":")).encode()


def relay(letters: Letters | None = None) -> Relay:
    """A relay to a bus that takes everything."""
    return Relay(Publisher(FakeEvents(), "shop"), letters)


def resealed(stream: str, version: int, topic: str, envelope: dict[str, Any]) -> StoredEvent:
    """An envelope as it is, under a seal that fits."""
    body = as_json({name: value for name, value in envelope.items() if name != "hash"})
    seal = hashlib.sha256(f"{stream}\n{version}\n".encode() + body).hexdigest()
    return StoredEvent(stream, version, topic, body[:-1] + f',"hash":"{seal}"}}'.encode())


@given(st.binary() | anything.map(as_json))
def test_bytes_are_an_envelope_or_corrupt(state: bytes) -> None:
    stored = StoredEvent("stock:MUG@main", 1, "StockReceived", state)
    for read in (lambda: decode(stored).event, lambda: check_seal(stored)):
        with suppress(CorruptEvent):
            read()


@given(damaged(json.loads(received().state)))
def test_an_almost_envelope_is_read_or_corrupt(envelope: Any) -> None:
    stored = StoredEvent("stock:MUG@main", 1, "StockReceived", as_json(envelope))
    with suppress(CorruptEvent):
        recorded = decode(stored)
        assert recorded.event.name == recorded.type


@given(anything)
def test_any_json_is_a_batch_or_unreadable(event: Any) -> None:
    with suppress(UnreadableBatch):
        relay(Letters()).handle(event)


RECORDS = [stream_record(received()), stream_record(placed())]


@given(damaged({"Records": RECORDS}) | damaged(RECORDS), st.booleans())
def test_an_almost_batch_is_unreadable_or_its_records_fail_alone(event: Any, kept: bool) -> None:
    letters = Letters() if kept else None
    try:
        answer = relay(letters).handle(event)
    except UnreadableBatch:
        return
    records = event["Records"] if isinstance(event, dict) else event
    told = {record["eventID"] for record in records}
    told |= {record["dynamodb"]["SequenceNumber"] for record in records}
    assert set(failures(answer)) <= told
    assert not kept or failures(answer) == []


@given(
    stream=st.sampled_from(("stock:MUG@main", "stock:MUG", "order:", "other"))
    | st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
    envelope=damaged(json.loads(received().state)),
    kept=st.booleans(),
)
def test_what_is_sealed_but_no_event_keeps_nobody_waiting(
    stream: str, envelope: Any, kept: bool
) -> None:
    odd = stream_record(resealed(stream, 1, "StockReceived", envelope))
    good = stream_record(received("CUP"))
    bus, letters = FakeEvents(), Letters()
    failed = failures(Relay(Publisher(bus, "shop"), letters if kept else None).handle([odd, good]))
    assert "stock:CUP@main" in [detail["subject"] for detail in bus.details]
    assert set(failed) <= ({odd["eventID"]} - {good["eventID"]})
    assert len(bus.details) + len(failed) + len(letters.all) == 2


DETAIL = bus_event(decode(received()))["detail"]
OMITTED = bus_event(decode(received()), with_data=False)["detail"]


@given(damaged(DETAIL) | damaged(OMITTED))
def test_an_almost_detail_is_read_or_refused(detail: Any) -> None:
    with suppress(UnreadableDetail, EventNotFound, CorruptEvent):
        recorded = recorded_of(detail, lambda _stream, _version: None)
        assert recorded.event.name == recorded.type


@given(damaged(bus_event(decode(received()))) | anything, st.integers(1, 5))
def test_a_message_that_is_no_event_fails_alone(body: Any, receives: int) -> None:
    handled: list[str] = []

    def handle(events: Sequence[Recorded]) -> dict[str, Exception]:
        handled.extend(event.stream for event in events)
        return {}

    letters = Letters()
    consumer = Consumer("orders", handle, lambda _stream, _version: None, letters)
    good = json.dumps(bus_event(decode(received("CUP"))))
    answer = consumer(queue_event(json.dumps(body), good, receives=receives))
    assert "stock:CUP@main" in handled
    assert set(failures(answer)) <= {"m1"}
    assert len(handled) + len(failures(answer)) + len(letters.all) == 2
    assert bool(letters.all) <= (receives == 5)


@given(st.text(st.characters(), max_size=2_000))
def test_a_reason_is_one_line_that_a_queue_takes(message: str) -> None:
    reason = reason_of(ValueError(message))
    assert reason.startswith("ValueError:")
    assert len(reason) <= MAX_REASON
    assert reason == " ".join(reason.split())
    assert reason.isprintable()


@given(anything.map(json.dumps) | st.text(max_size=8))
def test_a_letter_of_the_relay_that_is_no_batch_stays_dead(body: str) -> None:
    again = publish_again(Publisher(FakeEvents(), "shop"))
    with suppress(StillDead, UnreadableBatch, ValueError):
        again(DeadLetter("relay", body, "why", "when"))


@given(damaged(stream_record(received())))
def test_a_letter_is_forgotten_only_if_every_record_of_it_was_published(record: Any) -> None:
    bus = FakeEvents()
    try:
        publish_again(Publisher(bus, "shop"))(
            DeadLetter("relay", json.dumps({"Records": [record]}), "why", "when")
        )
    except (StillDead, UnreadableBatch):
        assert bus.details == []
