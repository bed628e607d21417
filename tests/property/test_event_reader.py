"""One pass over the bytes tells the same as two, of whatever bytes there are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.codec import CorruptEvent, Recorded, Stamp, decode, encode
from ledger.domain.events import CATALOGUE
from ledger.event_reader import decode_event
from tests.property.test_codec import extras, models_of, of_each, places, sprinkled, stamps
from tests.property.test_untrusted import anything, as_json, damaged
from tests.support.delivery import placed, received

OLD = {"quantity": 3, "unit_cost": 250, "currency": "EUR", "balance": {"on_hand": 3}}
ENVELOPE: dict[str, Any] = json.loads(received().state)


def told(read: Any, stored: StoredEvent) -> tuple[Any, ...]:
    """Everything that can be asked of the bytes, errors and what is said of them included."""
    try:
        recorded: Recorded = read(stored)
    except CorruptEvent as error:
        return (str(error),)
    data = recorded.data
    try:
        event = recorded.event
    except CorruptEvent as error:
        return recorded, data, str(error)
    shown = (type(event), repr(event), event.model_fields_set, event.model_extra)
    return recorded, data, event, shown, recorded.data == data


def same(stored: StoredEvent) -> None:
    # Compared as text too: NaN is not itself, and 1 is 1.0.
    one, two = told(decode_event, stored), told(decode, stored)
    assert repr(one) == repr(two)
    assert type(one[-1]) is type(two[-1])


@pytest.mark.parametrize("name", sorted(CATALOGUE))
@of_each
@given(data=st.data(), stamp=stamps, place=places, future=extras)
def test_an_event_and_the_fields_of_its_future(
    name: str, data: st.DataObject, stamp: Stamp, place: tuple[str, int], future: dict[str, Any]
) -> None:
    event = data.draw(models_of(CATALOGUE[name]))
    known: dict[str, Any] = event.model_dump(mode="json", exclude_none=True)
    newer = CATALOGUE[name].model_validate(sprinkled(known, future))
    _, stored = encode(*place, newer, event_id="id", stamp=stamp, prev="ab" * 32)
    same(stored)
    assert decode_event(stored) == decode(stored)
    assert decode_event(stored).event == newer


@pytest.mark.parametrize("name", sorted(CATALOGUE))
@of_each
@given(data=st.data(), stamp=stamps)
def test_an_event_of_which_parts_are_missing_or_something_else(
    name: str, data: st.DataObject, stamp: Stamp
) -> None:
    event = data.draw(models_of(CATALOGUE[name]))
    _, stored = encode("order:o-1", 7, event, event_id="id", stamp=stamp, prev="")
    envelope = data.draw(damaged(json.loads(stored.state)))
    same(StoredEvent("order:o-1", 7, name, as_json(envelope)))


@given(
    topic=st.sampled_from(("StockReceived", "OrderPlaced", "StockLost", "")),
    schema=st.integers(-1, 4),
    body=damaged(OLD) | st.just(OLD) | st.just(ENVELOPE["data"]),
)
@example(topic="StockReceived", schema=1, body=OLD)
def test_an_event_of_another_schema_or_topic(topic: str, schema: int, body: Any) -> None:
    envelope = {**ENVELOPE, "schema": schema, "data": body}
    same(StoredEvent("stock:MUG@main", 1, topic, as_json(envelope)))


@given(st.binary() | anything.map(as_json), st.sampled_from(("StockReceived", "Unheard")))
def test_any_bytes(state: bytes, topic: str) -> None:
    same(StoredEvent("stock:MUG@main", 1, topic, state))


@pytest.mark.parametrize("state", [None, "", "text", 7, 0.5, received().state.decode()])
def test_a_state_that_is_no_bytes(state: Any) -> None:
    same(StoredEvent("stock:MUG@main", 1, "StockReceived", state))


@pytest.mark.parametrize(
    "twice",
    [
        (b'"size":1,', b'"size":1,"size":2,'),
        (b'"size":1,', b'"size":"x","size":2,'),
        (b'"schema":2,', b'"schema":2,"schema":1,'),
        (b'"schema":2,', b'"schema":true,'),
        (b'"schema":2,', b'"schema":2.0,'),
        (b'"data":{', b'"data":7,"data":{'),
        (b'"data":{', b'"data":{"quantity":0,'),
        (b'"data":{', b'"more":[NaN,1e999,' + b"9" * 5000 + b'],"data":{'),
        (b'"data":{', b'"data":{"more":[NaN,-Infinity,1e999],'),
        (b'"on_hand":', b'"on_hand":"x","on_hand":'),
    ],
)
def test_members_that_come_twice_or_are_no_json_of_ours(twice: tuple[bytes, bytes]) -> None:
    state = received().state
    assert twice[0] in state
    same(StoredEvent("stock:MUG@main", 1, "StockReceived", state.replace(*twice)))


def test_what_is_recorded_is_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else all of this would hold, and nothing be won."""

    def never(stored: StoredEvent) -> Recorded:
        raise AssertionError(stored)

    monkeypatch.setattr("ledger.event_reader.decode", never)
    for stored in (received(), placed()):
        assert decode_event(stored).event.name == stored.topic
