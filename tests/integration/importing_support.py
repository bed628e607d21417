"""What the import tests share: files, ledgers, and histories to compare."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ledger.bootstrap import open_ledger
from ledger.domain.events import PositionEvent
from ledger.domain.streams import is_stock, parse_stock
from ledger.service import Ledger
from ledger.settings import Settings

SAMPLES = Path(__file__).parents[2] / "samples"
RETAIL_SAMPLE = SAMPLES / "online-retail-sample.csv"
STOCK_SAMPLE = SAMPLES / "opening-stock.csv"

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

RetailRow = tuple[str, str, int] | tuple[str, str, int, str]


def ledger_in(folder: Path, name: str = "ledger.db") -> Ledger:
    return open_ledger(Settings(store=f"sqlite:{folder / name}"))


def retail_file(path: Path, rows: Iterable[RetailRow]) -> Path:
    """A file of (invoice, stock code, quantity[, description]) rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for invoice, code, quantity, *description in rows:
            what = description[0] if description else "THING"
            date, country = "2026-03-02 08:31:00", "France"
            writer.writerow([invoice, code, what, quantity, date, "1.5", "41001.0", country])
    return path


def on_hand(ledger: Ledger) -> dict[tuple[str, str], int]:
    """Units on hand at every position that history knows, 0 included."""
    stock = {}
    for _, recorded in ledger.history.feed(0, 1_000_000):
        if is_stock(recorded.stream):
            event = recorded.event
            assert isinstance(event, PositionEvent)
            stock[parse_stock(recorded.stream)] = event.balance.on_hand
    return stock


def event_count(ledger: Ledger) -> int:
    return ledger.recorder.max_notification_id() or 0


def history(ledger: Ledger) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """What every stream tells, without ids and times."""
    streams: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for _, recorded in ledger.history.feed(0, 1_000_000):
        streams.setdefault(recorded.stream, []).append((recorded.type, recorded.data))
    return streams


def types_of(ledger: Ledger, stream: str) -> Sequence[str]:
    return [recorded.type for recorded in ledger.history.events(stream)]
