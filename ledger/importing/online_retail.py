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
    sku = values["StockCode"]
    quantity = int(values["Quantity"]) if _INTEGER.fullmatch(values["Quantity"]) else 0
    row = Row(
        line=fields.line,
        invoice=values["InvoiceNo"],
        sku=sku,
        quantity=quantity,
        kind=Kind.SALE,
        description=values.get("Description", ""),
        date=values.get("InvoiceDate", ""),
        customer=values.get("CustomerID", "").removesuffix(".0"),
    )
    why = fields.ragged or _unreadable(row, values["Quantity"])
    if why:
        return row._replace(kind=Kind.UNREADABLE, note=why)
    if sku.upper() in FEES:
        return row._replace(kind=Kind.FEE, note=f"{sku.upper()} ({FEES[sku.upper()]})")
    if quantity == 0:
        return row._replace(kind=Kind.ZERO)
    if row.invoice.startswith("C"):
        return row._replace(kind=Kind.RETURN)
    return row if quantity > 0 else row._replace(kind=Kind.ADJUSTMENT)


def _unreadable(row: Row, quantity: str) -> str:
    """Why the row can't be read; empty if it can."""
    if not _is_id(row.invoice):
        return f"InvoiceNo {row.invoice!r} is no id (letters, digits and . _ + -, at most 64)"
    if not _INTEGER.fullmatch(quantity):
        return f"Quantity {quantity!r} is no integer"
    if abs(row.quantity) > MAX_QUANTITY:
        return f"Quantity {quantity} is larger than {MAX_QUANTITY}"
    if row.sku.upper() in FEES:
        return ""
    if not _is_id(row.sku):
        return f"StockCode {row.sku!r} is no id (letters, digits and . _ + -, at most 64)"
    if row.invoice.startswith("C") and row.quantity > 0:
        return f"Quantity {quantity} is positive, and a cancellation brings goods back"
    return ""


def _is_id(text: str) -> bool:
    return len(text) <= MAX_ID_LENGTH and _ID.fullmatch(text) is not None
