"""Online Retail invoices, brought into the ledger step by step.

Every invoice is a few commits: receipt on demand, order, shipment; or returns; or corrections. A
crash between any two is finished by importing the file again:

- the order, shipment, returns and corrections carry the key `INVOICE/STEP`, kept for ever; the
  same rows get the first answer, other rows raise `IdempotencyKeyReused`, and the rest of the
  invoice is left alone;
- what an order lacks is received only while there is no such order, and computed from the stock
  as it is: what an interrupted run received before is there, and not received again;
- a correction is tried first, and what it lacks received only when the ledger refuses it, so one
  that was recorded before is answered and receives nothing;
- a correction refused for good leaves a correction by 0 under its key, which says so: stock that
  comes in later doesn't change what an import of the same rows does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Final

from ledger.domain.errors import InsufficientStock, Refusal
from ledger.domain.order import Order
from ledger.domain.streams import order_stream
from ledger.domain.values import OrderPolicy
from ledger.errors import BatchLost, IdempotencyKeyReused
from ledger.importing import retail_commands as retail
from ledger.importing.online_retail import Invoice, Kind, Row, read_invoices
from ledger.importing.summary import Fate, Summary
from ledger.service import Command, Context, Idempotency, Ledger, Outcome
from ledger.service.commands import MAX_ORDER_LINES, AdjustStock

ROUTE: Final = "import/online-retail"
ACTOR: Final = "import"
BATCH_ROWS: Final = 1_000
"""Rows that are imported before they are written: about 3,000 events, 3 MB."""

TAKEN: Final = "somebody else took what was received for it before it was ordered"
CHANGED: Final = (
    "was imported before with other rows or options; nothing of it was changed. "
    "Import an invoice's rows from one file, with the options of the first time"
)


class OnlineRetailImporter:
    """Imports files into one location; `summary` accounts for all of them together.

    Parameters
    ----------
    short
        None: what an order or correction lacks is received first, with reference to the invoice.
        A policy: stock must be there, and orders that run short are rejected
        (`ALL_OR_NOTHING`) or shipped as far as it goes (`PARTIAL`).
    """

    def __init__(self, ledger: Ledger, *, location: str, short: OrderPolicy | None = None) -> None:
        self._ledger = ledger
        self._location = location
        self._on_demand = short is None
        self._policy = short or OrderPolicy.ALL_OR_NOTHING
        self._file = ""
        self._batched = False
        """Whether what is done now stands only if nobody else was first."""
        self._open: dict[int, Row] = {}
        """Rows of the present invoice, by line, that are not accounted for yet."""
        self.summary = Summary()

    def import_file(self, path: Path, progress: Callable[[int], object] = lambda _: None) -> None:
        """Import one file; `progress` is told how many more rows are done.

        Raises
        ------
        InputError
            The file is not of this format.
        """
        self._file = str(path)
        for batch in _batches(read_invoices(path)):
            before = deepcopy(self.summary)
            try:
                self._batched = True
                with self._ledger.batch():
                    for invoice in batch:
                        self._import(invoice)
            except BatchLost:
                # Another writer was first: nothing of the batch stands. One by one, nobody's
                # commit undoes another.
                self.summary = before
                self._batched = False
                for invoice in batch:
                    self._import(invoice)
            progress(sum(len(invoice.rows) for invoice in batch))
        self.summary.check()

    def _import(self, invoice: Invoice) -> None:
        self._open = {row.line: row for row in invoice.rows}
        for row in invoice.rows:
            self.summary.read(row.quantity)
            if row.kind is Kind.FEE:
                self._settle(row, Fate.FEE, note=row.note)
            elif row.kind is Kind.ZERO:
                self._settle(row, Fate.ZERO)
            elif row.kind is Kind.UNREADABLE:
                self._found(row, Fate.UNREADABLE, row.note)
        if invoice.of(Kind.UNREADABLE):
            self._rest(Fate.HELD_BACK, "is held back until the invoice's other row is mended")
            return
        try:
            self._sell(invoice)
            self._take_back(invoice)
            self._correct(invoice)
        except IdempotencyKeyReused:
            self._rest(Fate.CHANGED, CHANGED)
        assert not self._open, "every row of an invoice is accounted for"

    def _sell(self, invoice: Invoice) -> None:
        rows = invoice.of(Kind.SALE)
        if len(rows) > MAX_ORDER_LINES:
            for row in rows:
                self._found(row, Fate.REFUSED, f"has more than {MAX_ORDER_LINES} lines")
        elif rows:
            try:
                order, before = self._order_and_ship(invoice)
            except Refusal as refusal:
                for row in rows:
                    self._found(row, Fate.REFUSED, f"was refused: {refusal}")
                return
            for number, row in enumerate(rows, 1):
                line = order.lines[number]
                shipped = line.shipped
                fate = _fate(line.quantity, shipped)
                if self._on_demand and fate is not Fate.SHIPPED:
                    self._found(row, fate, TAKEN, before=before)
                else:
                    self._settle(row, fate, before=before)
                self.summary.unfilled += line.quantity - shipped

    def _order_and_ship(self, invoice: Invoice) -> tuple[Order, bool]:
        """The invoice's order when all is done, and whether it was there before."""
        stream = order_stream(invoice.number)
        if self._on_demand and self._ledger.history.newest(stream) is None:
            self._receive(invoice, invoice.of(Kind.SALE))
        command = retail.place_order(invoice, self._location, self._policy)
        placed = self._handle(f"{invoice.number}/order", command)
        order = self._finished(invoice.number, placed)
        if any(line.reserved for line in order.lines.values()):
            key = f"{invoice.number}/shipment"
            shipment = self._handle(key, retail.ship_order(invoice))
            order = self._finished(invoice.number, shipment)
        return order, placed.replayed

    def _finished(self, order_id: str, outcome: Outcome) -> Order:
        """The order as it is now, with no step of a large order's work left open."""
        order = outcome.order
        if order is None or outcome.replayed:
            order = self._ledger.history.order(order_id)
        if order is None or order.task is not None:
            order = self._ledger.advance(order_id)
        return order

    def _take_back(self, invoice: Invoice) -> None:
        for number, (command, rows) in enumerate(retail.returns(invoice, self._location), 1):
            try:
                outcome = self._handle(f"{invoice.number}/return-{number}", command)
            except Refusal as refusal:
                for row in rows:
                    self._found(row, Fate.REFUSED, f"was refused: {refusal}")
            else:
                for row in rows:
                    self._settle(row, Fate.RETURNED, before=outcome.replayed)

    def _correct(self, invoice: Invoice) -> None:
        for number, (command, row) in enumerate(retail.adjustments(invoice, self._location), 1):
            key = f"{invoice.number}/adjustment-{number}"
            try:
                outcome = self._adjust(invoice, row, key, command)
            except IdempotencyKeyReused:
                # The key stands for this correction's refusal, or else for other rows.
                self._handle(key, retail.refusal(command))
                why = "was refused when it was first imported: not enough stock"
                self._found(row, Fate.REFUSED, why, before=True)
            except InsufficientStock as refusal:
                self._handle(key, retail.refusal(command))
                self._found(row, Fate.REFUSED, f"was refused: {refusal}")
            except Refusal as refusal:
                self._found(row, Fate.REFUSED, f"was refused: {refusal}")
            else:
                self._settle(row, Fate.ADJUSTED, before=outcome.replayed)

    def _adjust(self, invoice: Invoice, row: Row, key: str, command: AdjustStock) -> Outcome:
        try:
            return self._handle(key, command)
        except InsufficientStock:
            if not self._on_demand:
                raise
        self._receive(invoice, [row])
        return self._handle(key, command)

    def _receive(self, invoice: Invoice, rows: list[Row]) -> None:
        """Receive exactly what the rows lack, with reference to the invoice."""
        units = retail.wanted(rows, self._location)
        positions = self._ledger.positions(units, remembered=self._batched)
        balances = {stream: position.balance for stream, position in positions.items()}
        versions = {stream: found.version for stream, found in positions.items() if found.version}
        lack = retail.lacking(units, balances)
        for command in retail.receipts(invoice, lack):
            key = f"{invoice.number}/receipt/{retail.receipt_key(versions, command)}"
            if not self._handle(key, command).replayed:
                self.summary.received += sum(line.quantity for line in command.lines)

    def _handle(self, key: str, command: Command) -> Outcome:
        context = Context(actor=ACTOR, idempotency=Idempotency(ROUTE, key, ttl_seconds=None))
        return self._ledger.handle(command, context)

    def _settle(self, row: Row, fate: Fate, *, note: str = "", before: bool = False) -> None:
        del self._open[row.line]
        self.summary.add(fate, row.quantity, note=note, before=before)

    def _found(self, row: Row, fate: Fate, why: str, *, before: bool = False) -> None:
        del self._open[row.line]
        where = f"{self._file}, line {row.line}"
        what = f"invoice {row.invoice}, {row.sku}, quantity {row.quantity}"
        self.summary.found(fate, row.quantity, where, f"{what}: {why}", before=before)

    def _rest(self, fate: Fate, why: str) -> None:
        """Account for all rows of the invoice that are still open."""
        for row in list(self._open.values()):
            self._found(row, fate, why)


def _batches(invoices: Iterable[Invoice]) -> Iterator[list[Invoice]]:
    """The invoices in groups of about `BATCH_ROWS` rows."""
    batch: list[Invoice] = []
    rows = 0
    for invoice in invoices:
        batch.append(invoice)
        rows += len(invoice.rows)
        if rows >= BATCH_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _fate(quantity: int, shipped: int) -> Fate:
    if shipped == quantity:
        return Fate.SHIPPED
    return Fate.PART_SHIPPED if shipped else Fate.NOT_SHIPPED
