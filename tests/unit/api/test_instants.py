"""Instants: RFC 3339 in, the ledger's own form out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.instants import SETTLED_AFTER, past_instant
from api.problems import Problem
from ledger.service.clock import instant

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))


@given(
    moment=st.datetimes(datetime(1900, 1, 1), datetime(2026, 5, 31)),
    offset=OFFSETS,
    separator=st.sampled_from("Tt "),
)
def test_any_offset_is_brought_to_utc(moment: datetime, offset: timezone, separator: str) -> None:
    aware = moment.replace(tzinfo=offset)
    text = aware.isoformat(separator)
    if offset == UTC:
        text = text.replace("+00:00", "Z")
    assert past_instant(text, lambda: NOW + SETTLED_AFTER) == instant(aware)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31t12:00:00.5z", "2026-01-31T12:00:00.500000Z"),
        ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z"),
        ("2026-01-31T12:00:00 01:00", "2026-01-31T11:00:00.000000Z"),
        ("2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00.000000Z"),
        ("2026-06-01T12:00:00Z", "2026-06-01T12:00:00.000000Z"),
    ],
)
def test_what_is_taken(text: str, expected: str) -> None:
    assert past_instant(text, lambda: NOW + SETTLED_AFTER) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01T12:00:00.000001Z",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "20260131T120000Z",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00,5Z",
        "2026-13-01T12:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-01-31T12:00:00Z\n",
        "",
    ],
)
def test_what_is_not(text: str) -> None:
    with pytest.raises(Problem, match="as_of"):
        past_instant(text, lambda: NOW + SETTLED_AFTER)
