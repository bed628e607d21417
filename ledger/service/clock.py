"""Time as the ledger writes it: UTC in microseconds, 27 characters, text order is time order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Answers the present instant, timezone-aware."""

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def instant(moment: datetime) -> str:
    """The canonical text of an aware datetime."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def parse_instant(text: str) -> datetime:
    """The datetime of a canonical text."""
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def later(text: str, microseconds: int = 1) -> str:
    """The instant some microseconds after another."""
    return instant(parse_instant(text) + timedelta(microseconds=microseconds))
