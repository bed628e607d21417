"""Keyset paging: a cursor says after which key the next page starts.

Cursors are opaque to clients and signed (HMAC-SHA-256), so that a key can't be made up; the
signature covers the list and its filters, so a cursor works only where it was given out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from api import problems
from api.problems import Problem

MAX_LIMIT: Final = 1_000
DEFAULT_LIMIT: Final = 100
MIN_SECRET_BYTES: Final = 16
_SIGNATURE_BYTES: Final = 16


def decimal(value: object) -> object:
    """Only plain decimal digits are an integer here: no `1_000`, no `+1`, no `1.0`, no space."""
    if isinstance(value, str):
        if not value.isascii() or not value.removeprefix("-").isdigit() or len(value) > 20:
            raise PydanticCustomError(
                "int_parsing", "Input should be an integer in plain digits, at most 20"
            )
        return int(value)
    return value


def truth(value: object) -> object:
    """Only `true` and `false` are booleans here."""
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise PydanticCustomError("bool_parsing", "Input should be true or false")
        return value == "true"
    return value


Decimal = BeforeValidator(decimal)
Truth = BeforeValidator(truth)

Limit = Annotated[
    int,
    Decimal,
    Query(ge=1, le=MAX_LIMIT, description="Entries of a page, at most.", examples=[50]),
]

After = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=1_000,
        description="Cursor of the page before, from `next` or the `Next-Cursor` header.",
    ),
]


class Cursors:
    """Seals keys into cursors and opens them again."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            msg = f"the cursor secret must have at least {MIN_SECRET_BYTES} bytes"
            raise ValueError(msg)
        self._secret = secret

    def seal(self, listing: str, filters: Mapping[str, Any], key: Sequence[str | int]) -> str:
        """The cursor that starts after `key` in a listing with these filters."""
        payload = json.dumps(list(key), separators=(",", ":")).encode()
        signed = self._sign(listing, filters, payload) + payload
        return urlsafe_b64encode(signed).rstrip(b"=").decode()

    def open(
        self, listing: str, filters: Mapping[str, Any], cursor: str | None
    ) -> list[Any] | None:
        """The key in a cursor that `seal` made; None without a cursor.

        Raises
        ------
        Problem
            The cursor was altered, or belongs to another listing or other filters.
        """
        if cursor is None:
            return None
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            signed = urlsafe_b64decode(padded)
        except ValueError:
            signed = b""
        signature, payload = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(listing, filters, payload)):
            fault = {"detail": "not a cursor of this list with these filters", "parameter": "after"}
            detail = "after: this is not a cursor of this list with these filters"
            raise Problem(problems.INVALID_PARAMETER, detail, errors=[fault])
        key: list[Any] = json.loads(payload)
        return key

    def _sign(self, listing: str, filters: Mapping[str, Any], payload: bytes) -> bytes:
        place = json.dumps([listing, filters], sort_keys=True, separators=(",", ":")).encode()
        digest = hmac.new(self._secret, place + b"\n" + payload, hashlib.sha256)
        return digest.digest()[:_SIGNATURE_BYTES]
