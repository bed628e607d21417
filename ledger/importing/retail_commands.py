"""What an invoice's rows ask of the ledger. Pure: the same rows always give the same commands.

Every command but the receipt on demand is a function of the rows alone, so its idempotency key is
the invoice's number and the step, and the ledger's own fingerprint finds an invoice whose rows
have changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ledger.domain.balance import EMPTY, Balance
from ledger.domain.streams import parse_stock, stock_stream
from ledger.domain.values import MAX_QUANTITY, MAX_TEXT_LENGTH, OrderPolicy
from ledger.importing.online_retail import Invoice, Kind, Row
from ledger.service.commands import (
    MAX_STOCK_LINES,
    AdjustmentLine,
    AdjustStock,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ReturnLine,
    ReturnStock,
    ShipOrder,
)

NO_REASON: Final = "no reason given"


def place_order(invoice: Invoice, location: str, policy: OrderPolicy) -> PlaceOrder:
    """The order of the invoice's sales: one line per row, its id the invoice's number."""
    lines = (
        OrderRequestLine(sku=row.sku, quantity=row.quantity, location=location)
        for row in invoice.of(Kind.SALE)
    )
    customer = clean(invoice.customer or "") or None
    return PlaceOrder(lines=tuple(lines), order_id=invoice.number, customer=customer, policy=policy)


def ship_order(invoice: Invoice) -> ShipOrder:
    """Everything the order has reserved leaves; the reference keeps the invoice's date."""
    return ShipOrder(
        order_id=invoice.number, reference=reference(invoice), shipment_id=invoice.number
    )


def returns(invoice: Invoice, location: str) -> list[tuple[ReturnStock, list[Row]]]:
    """The goods a cancellation brings back, with the rows of each commit (mostly one)."""
    rows = invoice.of(Kind.RETURN)
    parts = [rows[at : at + MAX_STOCK_LINES] for at in range(0, len(rows), MAX_STOCK_LINES)]
    commands = []
    for number, part in enumerate(parts, 1):
        why = reference(invoice) + _of_whole(number, len(parts), rows)
        lines = (
            ReturnLine(sku=row.sku, location=location, quantity=-row.quantity, reference=why)
            for row in part
        )
        commands.append((ReturnStock(tuple(lines)), part))
    return commands


def adjustments(invoice: Invoice, location: str) -> list[tuple[AdjustStock, Row]]:
    """The corrections: every row is its own commit, so that it stands or is refused alone."""
    rows = invoice.of(Kind.ADJUSTMENT)
    commands = []
    for number, row in enumerate(rows, 1):
        line = AdjustmentLine(
            sku=row.sku,
            location=location,
            delta=row.quantity,
            reason=clean(row.description) or NO_REASON,
            reference=reference(invoice) + _of_whole(number, len(rows), rows),
        )
        commands.append((AdjustStock((line,)), row))
    return commands


def refusal(command: AdjustStock) -> AdjustStock:
    """The record that a correction was refused: it moves nothing, and makes the refusal stick."""
    (line,) = command.lines
    reason = clean(f"refused, not enough stock: {line.delta} {line.reason}")
    return AdjustStock((replace(line, delta=0, reason=reason),))


def wanted(rows: Iterable[Row], location: str) -> dict[str, int]:
    """Units the rows take from each position."""
    units: dict[str, int] = {}
    for row in rows:
        stream = stock_stream(row.sku, location)
        units[stream] = units.get(stream, 0) + abs(row.quantity)
    return units


def lacking(units: Mapping[str, int], balances: Mapping[str, Balance]) -> dict[str, int]:
    """What must come in before `units` can be taken: exactly what is not there.

    Units that backorders wait for are not there either: what comes in serves them first.
    """
    lack = {}
    for stream, quantity in units.items():
        balance = balances.get(stream, EMPTY)
        short = quantity - (balance.free - balance.backordered)
        if short > 0:
            lack[stream] = short
    return lack


def receipts(invoice: Invoice, lack: Mapping[str, int]) -> list[ReceiveStock]:
    """The receipts on demand: all of `lack`, as many commits as it needs (mostly one)."""
    why = clean(f"received on demand for {reference(invoice)}")
    lines = [
        ReceiptLine(*parse_stock(stream), quantity=part, reference=why)
        for stream, quantity in lack.items()
        for part in _movements(quantity)
    ]
    return [
        ReceiveStock(tuple(lines[at : at + MAX_STOCK_LINES]))
        for at in range(0, len(lines), MAX_STOCK_LINES)
    ]


def reference(invoice: Invoice) -> str:
    """The invoice and its date, as every movement of it carries them."""
    date = clean(invoice.date)
    return clean(f"invoice {invoice.number} of {date}" if date else f"invoice {invoice.number}")


def receipt_key(newest: Mapping[str, int], command: ReceiveStock) -> str:
    """What makes a receipt on demand itself: its lines, and the versions it was decided on.

    The same need at another moment is another receipt; a repetition of this one is not.
    """
    return digest(
        (line.sku, line.location, line.quantity, newest.get(stock_stream(line.sku, line.location)))
        for line in command.lines
    )


def digest(parts: Iterable[object]) -> str:
    """A short digest of things whose `repr` is their meaning."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:16]


def clean(text: str, length: int = MAX_TEXT_LENGTH - 64) -> str:
    """Text as the ledger takes it: no control characters, not too long."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return text.strip()[:length]


def _of_whole(number: int, count: int, rows: Sequence[Row]) -> str:
    """Which part of how many, and a digest of all rows: a change of one shows in every part."""
    if count == 1:
        return ""
    whole = digest((row.sku, row.quantity, row.description) for row in rows)
    return f", {number} of {count}, rows {whole}"


def _movements(quantity: int) -> Sequence[int]:
    """A quantity in pieces one movement can carry."""
    whole, rest = divmod(quantity, MAX_QUANTITY)
    return [MAX_QUANTITY] * whole + [rest] * (rest > 0)
