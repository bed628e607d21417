"""The Online Retail format: rows of invoices, read and sorted into what they mean. No I/O but
reading the file, and no ledger.

An invoice's positive rows are sales. The rows of an invoice whose number starts with `C` are a
cancellation: goods that came back. Negative rows elsewhere correct the stock ("damages", "thrown
away"). Some stock codes are fees and services, not stock. All of an invoice's rows belong
together wherever they stand in the file.

A `StockCode` is the SKU as it stands, surrounding spaces apart; `85123A` and `85123a` stay two.
One that can't be an id of the ledger makes its row unreadable. Unit prices are what customers
paid, not what the stock cost, so they don't enter the ledger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from ledger.domain.values import ID_PATTERN, MAX_ID_LENGTH, MAX_QUANTITY
from ledger.importing.table import Fields, read_table

COLUMNS: Final = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
REQUIRED: Final = ("InvoiceNo", "StockCode", "Quantity")
OPTIONAL: Final = ("Description", "InvoiceDate", "CustomerID")

FEES: Final = {
    "AMAZONFEE": "marketplace fee",
    "B": "bad debt",
    "BANK CHARGES": "bank charges",
    "C2": "carriage",
    "CRUK": "commission",
    "D": "discount",
    "DOT": "postage of the web shop",
    "M": "manual entry",
    "POST": "postage",
    "S": "samples",
}
"""Stock codes that are no stock, in upper case."""

_ID: Final = re.compile(ID_PATTERN)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,12}")


class Kind(Enum):
    """What one row means."""

    SALE = auto()
    RETURN = auto()
    ADJUSTMENT = auto()
    FEE = auto()
    ZERO = auto()
    UNREADABLE = auto()


class Row(NamedTuple):
    """One row. `quantity` is as it stands in the file (0 if it is no integer).

    `note` says which fee it is, or why the row can't be read.
    """

    line: int
    invoice: str
    sku: str
    quantity: int
    kind: Kind
    note: str = ""
    description: str = ""
    date: str = ""
    customer: str = ""


@dataclass(slots=True)
class Invoice:
    """All rows of one invoice number, in the order of the file."""

    number: str
    rows: list[Row] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Row]:
        """The rows that mean this."""
        return [row for row in self.rows if row.kind is kind]

    @property
    def date(self) -> str:
        """The date of the first row: a few invoices were typed over a minute's end."""
        return self.rows[0].date

    @property
    def customer(self) -> str | None:
        """The customer's number, if the invoice names one."""
        return next((row.customer for row in self.rows if row.customer), None)


def read_invoices(path: Path) -> list[Invoice]:
    """The invoices of a file, in order of their first row.

    Raises
    ------
    InputError
        The file is not of this format.
    """
    invoices: dict[str, Invoice] = {}
    for fields in read_table(path, REQUIRED, OPTIONAL):
        row = read_row(fields)
        invoices.setdefault(row.invoice, Invoice(row.invoice)).rows.append(row)
    return list(invoices.values())


def read_row(fields: Fields) -> Row:
    """Sort one row into what it means."""
    values = fields.values
    invoice, sku = values["InvoiceNo"], values["StockCode"]
    quantity = int(values["Quantity"]) if _INTEGER.fullmatch(values["Quantity"]) else None
    kind, note = _meaning(invoice, sku, quantity, values["Quantity"])
    if fields.ragged:
        kind, note = Kind.UNREADABLE, fields.ragged
    return Row(
        fields.line,
        invoice,
        sku,
        quantity or 0,
        kind,
        note,
        values.get("Description", ""),
        values.get("InvoiceDate", ""),
        values.get("CustomerID", "").removesuffix(".0"),
    )


def _meaning(invoice: str, sku: str, quantity: int | None, text: str) -> tuple[Kind, str]:
    """The row's kind and note. `quantity` is None if its `text` is no integer."""
    if not _is_id(invoice):
        why = f"InvoiceNo {invoice!r} is no id (letters, digits and . _ + -, at most 64)"
    elif quantity is None:
        why = f"Quantity {text!r} is no integer from -{MAX_QUANTITY} to {MAX_QUANTITY}"
    elif abs(quantity) > MAX_QUANTITY:
        why = f"Quantity {text} is larger than {MAX_QUANTITY}"
    elif (code := sku.upper()) in FEES:
        return Kind.FEE, f"{code} ({FEES[code]})"
    elif not _is_id(sku):
        why = f"StockCode {sku!r} is no id (letters, digits and . _ + -, at most 64)"
    elif not invoice.startswith("C"):
        return (Kind.SALE if quantity > 0 else Kind.ADJUSTMENT if quantity else Kind.ZERO), ""
    elif quantity > 0:
        why = f"Quantity {text} is positive, and a cancellation brings goods back"
    else:
        return (Kind.RETURN if quantity else Kind.ZERO), ""
    return Kind.UNREADABLE, why


@lru_cache(maxsize=10_000)  # the same SKUs and invoices come again and again
def _is_id(text: str) -> bool:
    return len(text) <= MAX_ID_LENGTH and _ID.fullmatch(text) is not None
