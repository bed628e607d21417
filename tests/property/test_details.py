"""Whatever an event holds, it comes off the bus as it went on."""

from __future__ import annotations

from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from ledger.codec import Recorded, Stamp, check_seal, decode, encode
from ledger.domain.events import CATALOGUE, PositionEvent
from projections.delivery.details import detail_of, recorded_of
from tests.property.test_codec import extras, models_of, of_each, sprinkled, stamps


def stored_of(recorded: Recorded) -> StoredEvent:
    """The event sealed as it was, from what it holds."""
    sealed = {
        "type": recorded.type,
        "schema": recorded.schema,
        "id": recorded.id,
        "at": recorded.at,
        "command": recorded.command,
        "actor": recorded.actor,
        "region": recorded.region,
        "size": recorded.size,
        "data": recorded.data,
        "prev": recorded.prev,
        "hash": recorded.hash,
    }
    return StoredEvent(recorded.stream, recorded.version, recorded.type, to_json(sealed))


identities = st.dictionaries(
    st.sampled_from(("sku", "location", "order_id", "data")),
    st.text("ab", min_size=1, max_size=2),
    max_size=2,
)
"""Fields of the future that are named as what the bus adds."""


@pytest.mark.parametrize("name", sorted(CATALOGUE))
@of_each
@given(data=st.data(), stamp=stamps, future=extras, taken=identities, prev=st.booleans())
def test_an_event_comes_off_the_bus_as_it_went_on(
    name: str,
    data: st.DataObject,
    stamp: Stamp,
    future: dict[str, Any],
    taken: dict[str, str],
    prev: bool,
) -> None:
    drawn = data.draw(models_of(CATALOGUE[name]))
    known: dict[str, Any] = drawn.model_dump(mode="json", exclude_none=True)
    new = {n: v for n, v in taken.items() if n not in CATALOGUE[name].model_fields}
    event = CATALOGUE[name].model_validate({**sprinkled(known, future), **new})
    stream = "stock:A@main" if issubclass(CATALOGUE[name], PositionEvent) else "order:o-1"
    before = "ab" * 32 if prev else ""
    _, stored = encode(stream, 7, event, event_id="id", stamp=stamp, prev=before)
    recorded = decode(stored)

    travelled = from_json(to_json(detail_of(recorded, "ledger")))
    again = recorded_of(travelled)

    assert again == recorded
    assert again.data == recorded.data
    assert again.event == recorded.event
    assert stored_of(again) == stored, "byte by byte"
    check_seal(stored_of(again))
