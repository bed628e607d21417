"""Instants, settings and fingerprints."""

from __future__ import annotations

import hashlib
import string
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import to_json

from ledger.domain.values import Disposition, Money, OrderPolicy
from ledger.service import (
    CancelOrder,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    SetPositionPolicy,
    ShipOrder,
)
from ledger.service.clock import instant, later, parse_instant
from ledger.service.commands import Command, LineWanted, ReturnLine, ReturnStock
from ledger.service.ledger import fingerprint
from ledger.settings import BadSettings, Settings

ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")


moments = st.datetimes(
    min_value=datetime(1970, 1, 1),
    max_value=datetime(2200, 1, 1),
    timezones=st.just(UTC),
)


@given(moments, moments)
def test_the_text_order_of_instants_is_their_time_order(a: datetime, b: datetime) -> None:
    assert (instant(a) < instant(b)) == (a < b)
    assert parse_instant(instant(a)) == a
    assert len(instant(a)) == 27
    assert later(instant(a), 3) == instant(a + timedelta(microseconds=3))


def test_instants_are_utc_whatever_zone_they_came_in() -> None:
    moment = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert instant(moment) == "2025-12-31T23:00:00.000000Z"


def test_a_fingerprint_tells_commands_apart_by_type_and_content() -> None:
    line = ReceiptLine("A", "main", 1)
    prints = {
        fingerprint(ReceiveStock((line,))),
        fingerprint(ReceiveStock((line, line))),
        fingerprint(ReceiveStock((ReceiptLine("A", "main", 2),))),
        fingerprint(PlaceOrder((OrderRequestLine("A", 1),))),
        fingerprint(PlaceOrder((OrderRequestLine("A", 1, "main"),))),
    }
    assert len(prints) == 5
    assert all(set(p) <= set(string.hexdigits) for p in prints)


texts = st.none() | st.text(max_size=9)
counts = st.integers(-(10**9), 10**9)
commands = st.one_of(
    st.builds(
        PlaceOrder,
        st.lists(st.builds(OrderRequestLine, ids, counts, texts), max_size=4).map(tuple),
        texts,
        texts,
        st.sampled_from(OrderPolicy),
        st.none() | counts,
    ),
    st.builds(
        ReceiveStock,
        st.lists(
            st.builds(
                ReceiptLine,
                ids,
                ids,
                counts,
                st.none() | st.builds(Money, amount=st.just(5), currency=st.just("GBP")),
                texts,
            ),
            max_size=4,
        ).map(tuple),
    ),
    st.builds(
        ReturnStock,
        st.lists(
            st.builds(ReturnLine, ids, ids, counts, st.sampled_from(Disposition), texts), max_size=4
        ).map(tuple),
    ),
    st.builds(
        ShipOrder,
        ids,
        st.none() | st.lists(st.builds(LineWanted, counts, counts), max_size=4).map(tuple),
        texts,
        texts,
    ),
    st.builds(CancelOrder, ids, st.none() | st.lists(counts, max_size=4).map(tuple), texts),
    st.builds(SetPositionPolicy, ids, ids, st.none() | counts),
)


@given(commands)
def test_a_fingerprint_is_what_it_was_when_older_records_were_made(command: Command) -> None:
    meaning = type(command).__name__.encode() + to_json(command)
    assert fingerprint(command) == hashlib.sha256(meaning).hexdigest()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_STORE", "sqlite:/data/x.db")
    monkeypatch.setenv("LEDGER_LOCATIONS", "main, north")
    settings = Settings()
    assert settings.sqlite_path == Path("/data/x.db")
    assert settings.table_prefix is None
    assert settings.locations == ("main", "north")


@pytest.mark.parametrize(("store", "prefix"), [("dynamodb:", "ledger"), ("dynamodb:a-b", "a-b")])
def test_a_store_on_dynamodb_has_a_prefix(store: str, prefix: str) -> None:
    assert Settings(store=store).table_prefix == prefix
    assert Settings(store=store).sqlite_path is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORE", "mysql:x"),
        ("LOCATIONS", "a b"),
        ("LOCATIONS", ""),
        ("AUTO_LANES", "0"),
        ("AUTO_LANES", "17"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"LEDGER_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("name", "meant"),
    [("STROE", "STORE"), ("LOCATION", "LOCATIONS"), ("IDEMPOTENCY_TTL", "IDEMPOTENCY_TTL_SECONDS")],
)
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_a_misspelt_setting_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, meant: str, where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if where == ".env":
        Path(".env").write_text(f"LEDGER_{name}=x\n")
    else:
        monkeypatch.setenv(f"LEDGER_{name}", "x")
    with pytest.raises(BadSettings, match=f"no setting LEDGER_{name}. .* LEDGER_{meant}\\?"):
        Settings()


def test_a_variable_that_only_begins_like_a_setting_is_let_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PORT", "SERVICE_HOST", "PORT_8000_TCP_ADDR", "SECRETS_VERSION"):
        monkeypatch.setenv(f"LEDGER_{name}", "tcp://10.0.0.1:8000")
    assert Settings() == Settings(_env_file=None)


@pytest.mark.parametrize(
    ("places", "most"),
    [(1, 16), (5, 16), (6, 15), (9, 9), (10, 8), (32, 2), (33, 1), (90, 1), (200, 1)],
)
def test_lanes_of_all_candidate_locations_fit_a_commit(places: int, most: int) -> None:
    locations = tuple(f"L{n}" for n in range(places))
    assert Settings(locations=locations, auto_lanes=most).auto_lanes == most
    with pytest.raises(ValidationError, match=rf"write 1 \(none\) to {most}:"):
        Settings(locations=locations, auto_lanes=most + 1)
