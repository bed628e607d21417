"""Instants as clients write them (RFC 3339), normalised to how the ledger writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from api import problems
from api.problems import Problem
from ledger.service.clock import Clock, instant

PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+\- ][0-9]{2}:[0-9]{2})$"
)
"""RFC 3339 with its offset. A `+` that was not percent-encoded arrives as a space."""

_RFC3339: Final = re.compile(PATTERN)


SETTLED_AFTER: Final = timedelta(seconds=10)
"""How long after an instant its as-of answer can't change any more. A commit is stamped before it
is stored, which takes at most the 5 s a writer waits for the store; the rest is for clocks."""


def past_instant(text: str, clock: Clock) -> str:
    """The canonical UTC text of an instant that has settled.

    Digits beyond the microsecond are cut off.

    Raises
    ------
    Problem
        Not an instant, or one whose answer could still change.
    """
    try:
        moment = _parse(text)
        canonical = instant(moment)
    except (ValueError, OverflowError):
        raise _refused(
            "not an instant with its offset from UTC, such as 2026-11-02T08:00:00Z"
        ) from None
    if moment > clock() - SETTLED_AFTER:
        seconds = SETTLED_AFTER.seconds
        raise _refused(
            f"must lie {seconds} seconds or more in the past: later ones can still change"
        )
    return canonical


def _parse(text: str) -> datetime:
    if not _RFC3339.fullmatch(text):
        raise ValueError(text)
    if text[-6] == " ":
        text = f"{text[:-6]}+{text[-5:]}"
    return datetime.fromisoformat(text.upper())


def _refused(why: str) -> Problem:
    fault = {"detail": why, "parameter": "as_of"}
    return Problem(problems.INVALID_PARAMETER, f"as_of: {why}", errors=[fault])
