"""The stock-csv format: opening balances, one row per position (or per lot of one)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from ledger.domain.streams import stock_stream
from ledger.domain.values import MAX_QUANTITY, Id, Money, Text
from ledger.importing.table import Fields, read_table

REQUIRED: Final = ("sku", "location", "quantity")
OPTIONAL: Final = ("unit_cost", "currency", "reference")
DEFAULT_REFERENCE: Final = "opening balance"

_DIGITS: Final = re.compile(r"[0-9]{1,15}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)
_TEXT: Final[TypeAdapter[str]] = TypeAdapter(Text)


class Problem(NamedTuple):
    """A row that can't be read, and why. `position` is empty if the row doesn't name one."""

    line: int
    position: str
    why: str


@dataclass(frozen=True, slots=True)
class OpeningBalance:
    """One opening balance. `cost` is that of one base unit."""

    line: int
    sku: str
    location: str
    quantity: int
    cost: Money | None = None
    reference: str = DEFAULT_REFERENCE

    @property
    def position(self) -> str:
        """The position's stream id."""
        return stock_stream(self.sku, self.location)


def read_balances(path: Path) -> list[OpeningBalance | Problem]:
    """Every row of the file, in its order.

    Raises
    ------
    InputError
        The file is not of this format.
    """
    return [read_balance(fields) for fields in read_table(path, REQUIRED, OPTIONAL)]


def read_balance(fields: Fields) -> OpeningBalance | Problem:
    """One row."""
    values = fields.values
    sku, location = values["sku"], values["location"]
    if not (_fits(_ID, sku) and _fits(_ID, location)):
        name = "location" if _fits(_ID, sku) else "sku"
        why = f"{name} {values[name]!r} is no id (letters, digits and . _ + -, at most 64)"
        return Problem(fields.line, "", fields.ragged or why)
    why = fields.ragged or _unreadable(values)
    if why:
        return Problem(fields.line, stock_stream(sku, location), why)
    cost = None
    if values.get("unit_cost"):
        cost = Money(amount=int(values["unit_cost"]), currency=values["currency"])
    reference = values.get("reference") or DEFAULT_REFERENCE
    return OpeningBalance(fields.line, sku, location, int(values["quantity"]), cost, reference)


def _unreadable(values: Mapping[str, str]) -> str:
    """Why the row can't be read; empty if it can."""
    quantity, cost = values["quantity"], values.get("unit_cost", "")
    if not _DIGITS.fullmatch(quantity) or int(quantity) > MAX_QUANTITY:
        return f"quantity {quantity!r} is no integer from 0 to {MAX_QUANTITY}"
    if cost and not _DIGITS.fullmatch(cost):
        return (
            f"unit_cost {cost!r} is no integer of at most 15 digits: write it in minor units, "
            "as 255 for GBP 2.55"
        )
    if cost and not _CURRENCY.fullmatch(values.get("currency", "")):
        return "unit_cost needs a currency, three capital letters as in GBP"
    if values.get("reference") and not _fits(_TEXT, values["reference"]):
        return "reference is longer than 256 characters or holds control characters"
    return ""


def _fits(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True
