"""Value types shared by events, commands and the wire.

Quantities are integers in base units (pieces, grams: whatever a SKU is counted in). Money is an
integer in the currency's minor unit (pence, cents). There are no floats anywhere.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
"""Ids start with a letter or digit and never hold `@ : # /`, which stream ids are built with."""

TEXT_PATTERN = r"^[^\x00-\x1f\x7f]*$"
CURRENCY_PATTERN = r"^[A-Z]{3}$"

MAX_ID_LENGTH = 64
MAX_TEXT_LENGTH = 256
MAX_QUANTITY = 1_000_000_000
"""Largest quantity of one movement or order line, in base units."""

MAX_BALANCE = 2**53 - 1
"""Largest balance: the largest integer every JSON reader keeps exact (RFC 8259, section 6)."""

MAX_MONEY = 2**53 - 1

Id = Annotated[
    str, StringConstraints(strict=True, pattern=ID_PATTERN, min_length=1, max_length=MAX_ID_LENGTH)
]
Text = Annotated[
    str,
    StringConstraints(strict=True, pattern=TEXT_PATTERN, min_length=1, max_length=MAX_TEXT_LENGTH),
]
"""Free text a person wrote: references, reasons, customer ids. No control characters."""

Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
Units = Annotated[int, Field(strict=True, ge=1, le=MAX_BALANCE)]
"""A sum over the lines of an order."""

Delta = Annotated[int, Field(strict=True, ge=-MAX_QUANTITY, le=MAX_QUANTITY)]
SignedUnits = Annotated[int, Field(strict=True, ge=-MAX_BALANCE, le=MAX_BALANCE)]
"""Units that come or (below 0) go."""

Count = Annotated[int, Field(strict=True, ge=0, le=MAX_BALANCE)]
LineNumber = Annotated[int, Field(strict=True, ge=1)]
"""A line's place in its order, counted from 1."""

Currency = Annotated[str, StringConstraints(strict=True, pattern=CURRENCY_PATTERN)]
"""ISO 4217 alphabetic code."""

Instant = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]
"""UTC in microseconds, always 27 characters, so that text order is time order."""


class Money(BaseModel):
    """An amount in the minor unit of its currency."""

    model_config = ConfigDict(frozen=True, extra="allow")

    amount: Annotated[int, Field(strict=True, ge=0, le=MAX_MONEY)]
    currency: Currency


class Disposition(StrEnum):
    """What happens to returned goods."""

    RESTOCK = "restock"
    DAMAGED = "damaged"


class OrderPolicy(StrEnum):
    """What an order does when stock runs short."""

    ALL_OR_NOTHING = "all_or_nothing"
    """Everything is reserved, or the order is rejected with its shortfalls."""
    PARTIAL = "partial"
    """What is there is reserved; the rest is unfilled for good."""
    BACKORDER = "backorder"
    """What is there is reserved; the rest queues on the position, first come first served."""
