"""What a fault is called: a client is told what to write, not which regular expression said no."""

from __future__ import annotations

from typing import Any, Final

from api.idempotency import KEY_PATTERN
from api.instants import PATTERN as INSTANT_PATTERN
from api.parameters import STREAM_PATTERN
from api.preconditions import TAGS_PATTERN
from ledger.domain.values import CURRENCY_PATTERN, ID_PATTERN, TEXT_PATTERN

PATTERNS: Final = {
    ID_PATTERN: "Input should be letters, digits and . _ + - only, beginning with a letter or "
    "digit",
    TEXT_PATTERN: "Input should be on one line, without control characters",
    CURRENCY_PATTERN: "Input should be three capital letters, such as GBP",
    STREAM_PATTERN: "Input should be stock:SKU@LOCATION or order:ORDER_ID",
    INSTANT_PATTERN: "Input should be an instant with its offset from UTC, such as "
    "2026-11-02T08:00:00Z",
    KEY_PATTERN: "Input should be visible ASCII characters, without spaces",
    TAGS_PATTERN: 'Input should be a version as ETag gave it, in its quotes ("7"), several of '
    "them, or *",
}
"""What to write, for every pattern of the API."""

TYPES: Final = {
    "model_type": "Input should be an object",
    "model_attributes_type": "Input should be an object",
    "extra_forbidden": "There is no such field here",
}


def wording(error: Any) -> str:
    """What is wrong, in words of the API."""
    if error["type"] == "missing" and tuple(error["loc"]) == ("body",):
        return "A body is required: a JSON object"
    if error["type"] == "string_pattern_mismatch":
        return PATTERNS.get(error["ctx"]["pattern"], str(error["msg"]))
    return TYPES.get(error["type"], str(error["msg"]))
