"""A client takes the stock between the receipt on demand and the order it was for."""

from __future__ import annotations

from pathlib import Path

from ledger.importing import OnlineRetailImporter
from ledger.importing.summary import Fate
from ledger.service import (
    Context,
    Ledger,
    OrderRequestLine,
    Outcome,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    SetLanes,
)
from ledger.service.commands import Command
from ledger.store.sqlite import open_recorder

FILE = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536366,71053,HOLDER,2,2010-12-01 08:28:00,3.39,17850.0,United Kingdom
"""


class Thief(Ledger):
    """Orders one unit of everything as soon as it was received."""

    def handle(self, command: Command, context: Context) -> Outcome:
        outcome = super().handle(command, context)
        if isinstance(command, ReceiveStock) and command.lines[0].sku == "85123A":
            super().handle(PlaceOrder((OrderRequestLine("85123A", 1),)), Context("thief"))
        return outcome


def test_an_invoice_whose_stock_was_taken_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "invoices.csv"
    file.write_text(FILE, encoding="utf-8")
    ledger = Thief(open_recorder(tmp_path / "ledger.db"))
    importer = OnlineRetailImporter(ledger, location="main")
    importer.import_file(file)
    ledger.close()

    assert importer.summary.by_fate() == {Fate.NOT_SHIPPED: 1, Fate.SHIPPED: 1}
    assert not importer.summary.ok
    assert "somebody else took" in importer.summary.findings[0]


def test_what_other_lanes_have_is_not_received(tmp_path: Path) -> None:
    file = tmp_path / "invoices.csv"
    file.write_text(FILE, encoding="utf-8")
    ledger = Ledger(open_recorder(tmp_path / "ledger.db"))
    ledger.handle(ReceiveStock((ReceiptLine("85123A", "main", 8),)), Context())
    ledger.handle(SetLanes("85123A", "main", 2), Context())
    importer = OnlineRetailImporter(ledger, location="main")
    importer.import_file(file)
    level = ledger.history.position("stock:85123A@main")
    ledger.close()

    assert importer.summary.received == 2, "of the other SKU"
    assert level is not None
    assert level.balance.on_hand == 2
