"""Events as bytes: pinned for every type and schema version, old ones brought up to date."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.codec import CorruptEvent, check_seal, decode
from ledger.domain import events as e
from ledger.domain.values import Money
from tests.support.golden import EXAMPLES, FOLDER, path_of, stored

FILES = sorted(FOLDER.glob("*.json"))


def read(path: Path) -> StoredEvent:
    """A golden file as the event it was, in the place it was sealed for."""
    state = path.read_bytes().rstrip(b"\n")
    name = path.name.split(".")[0]
    position = issubclass(e.CATALOGUE[name], e.PositionEvent)
    return StoredEvent("stock:85123A@main" if position else "order:536365", 9, name, state)


def test_every_type_has_an_example_and_a_golden_file_for_every_schema_version() -> None:
    assert {type(event).name for event in EXAMPLES} == set(e.CATALOGUE)
    for name, kind in e.CATALOGUE.items():
        for schema in range(1, kind.schema_version + 1):
            assert (FOLDER / f"{name}.{schema}.json").exists(), f"{name} schema {schema}"


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.name)
def test_todays_bytes_are_the_golden_ones(event: e.Event) -> None:
    assert stored(event).state + b"\n" == path_of(event).read_bytes()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_golden_bytes_are_sealed_and_readable(path: Path) -> None:
    check_seal(read(path))
    recorded = decode(read(path))
    assert recorded.event in EXAMPLES, "also what an old version wrote means today's example"


def test_the_seal_is_what_the_documentation_says() -> None:
    state = (FOLDER / "StockReserved.1.json").read_bytes().rstrip(b"\n")
    claimed = json.loads(state)["hash"]
    body = state.replace(f',"hash":"{claimed}"'.encode(), b"")
    assert hashlib.sha256(b"stock:85123A@main\n9\n" + body).hexdigest() == claimed


def test_schema_1_of_a_receipt_had_its_cost_in_two_fields() -> None:
    recorded = decode(read(FOLDER / "StockReceived.1.json"))
    assert recorded.schema == 1
    assert recorded.data["unit_cost"] == 255
    assert isinstance(recorded.event, e.StockReceived)
    assert recorded.event.cost == Money(amount=255, currency="GBP")


def test_fields_of_a_newer_version_survive_a_round_trip() -> None:
    data = json.loads((FOLDER / "StockReserved.1.json").read_bytes())["data"]
    newer = {**data, "priority": "high", "balance": {**data["balance"], "in_transit": 7}}
    event = e.StockReserved.model_validate(newer)
    assert json.loads(stored(event).state)["data"] == newer


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (b"", "not an envelope"),
        (b"[]", "not an envelope"),
        (b'{"type":"StockReserved"}', "not an envelope"),
        (b"\xff\xfe", "not an envelope"),
    ],
)
def test_bytes_that_are_no_envelope_are_reported_with_their_place(state: bytes, why: str) -> None:
    with pytest.raises(CorruptEvent, match=rf"stock:A@main version 3: {why}"):
        decode(StoredEvent("stock:A@main", 3, "StockReserved", state))


def test_an_unknown_type_and_a_newer_schema_are_reported_when_they_are_needed() -> None:
    state = (FOLDER / "StockReserved.1.json").read_bytes().rstrip(b"\n")
    unknown = decode(StoredEvent("s", 1, "X", state.replace(b"StockReserved", b"StockLent")))
    with pytest.raises(CorruptEvent, match="unknown event type 'StockLent'"):
        _ = unknown.event
    newer = decode(StoredEvent("s", 1, "X", state.replace(b'"schema":1', b'"schema":2')))
    with pytest.raises(CorruptEvent, match="schema 2, newer than 1"):
        _ = newer.event
