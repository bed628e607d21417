"""The ledger's stock equals a recomputation that knows nothing of the ledger.

Written from the rows alone, with the csv module and dictionaries: selling `q` of `s` units with
receipts on demand leaves `max(0, s - q)`.
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.values import OrderPolicy
from ledger.importing import OnlineRetailImporter, StockImporter
from ledger.service import Ledger
from ledger.verify import verify
from tests.integration.importing_support import (
    RETAIL_SAMPLE,
    STOCK_SAMPLE,
    RetailRow,
    event_count,
    ledger_in,
    on_hand,
    retail_file,
)

SHORT = [OrderPolicy.PARTIAL, OrderPolicy.ALL_OR_NOTHING]
NO_STOCK = {"POST", "DOT", "C2", "M", "D", "S", "B", "CRUK", "AMAZONFEE", "BANK CHARGES"}


def recomputed(
    path: Path, stock: Counter[str], short: OrderPolicy | None
) -> tuple[Counter[str], int]:
    """Stock at the end, and how many units came in on demand."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    invoices: dict[str, list[tuple[str, int]]] = {row["InvoiceNo"]: [] for row in rows}
    for row in rows:
        if row["StockCode"].upper() not in NO_STOCK:
            invoices[row["InvoiceNo"]].append((row["StockCode"], int(row["Quantity"])))
    received = 0
    for invoice, pairs in invoices.items():
        sold: Counter[str] = Counter()
        for code, quantity in pairs:
            sold[code] += max(0, quantity)
        runs_short = any(stock[code] < quantity for code, quantity in sold.items())
        if not (short is OrderPolicy.ALL_OR_NOTHING and runs_short):
            for code, quantity in sold.items():
                received += max(0, quantity - stock[code])
                stock[code] = max(0, stock[code] - quantity)
        for code, quantity in pairs:
            if quantity < 0 and invoice.startswith("C"):
                stock[code] -= quantity
            elif quantity < 0 and (short is None or stock[code] + quantity >= 0):
                received += max(0, -quantity - stock[code])
                stock[code] = max(0, stock[code] + quantity)
    return stock, received


def assert_equal_to(ledger: Ledger, expected: Counter[str]) -> None:
    assert all(location == "main" for _, location in on_hand(ledger))
    found = {sku: units for (sku, _), units in on_hand(ledger).items() if units}
    assert found == {code: units for code, units in expected.items() if units}


def test_the_sample_with_receipts_on_demand(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    importer = OnlineRetailImporter(ledger, location="main")
    importer.import_file(RETAIL_SAMPLE)

    expected, received = recomputed(RETAIL_SAMPLE, Counter(), None)

    assert_equal_to(ledger, expected)
    assert importer.summary.received == received


@pytest.mark.parametrize("short", SHORT)
def test_the_sample_with_opening_stock(tmp_path: Path, short: OrderPolicy) -> None:
    ledger = ledger_in(tmp_path)
    StockImporter(ledger).import_file(STOCK_SAMPLE)
    OnlineRetailImporter(ledger, location="main", short=short).import_file(RETAIL_SAMPLE)
    opening: Counter[str] = Counter()
    with STOCK_SAMPLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            opening[row["sku"]] += int(row["quantity"])

    assert_equal_to(ledger, recomputed(RETAIL_SAMPLE, opening, short)[0])


SALES = st.tuples(st.sampled_from(["1", "2", "3", "4"]), st.integers(0, 20))
RETURNS = st.tuples(st.sampled_from(["C5", "C6"]), st.integers(-20, 0))
CORRECTIONS = st.tuples(st.sampled_from(["1", "2", "7", "8"]), st.integers(-20, -1))
ROWS = st.lists(
    st.tuples(
        st.one_of(SALES, SALES, RETURNS, CORRECTIONS),
        st.sampled_from(["A", "a", "E", "F", "D", "POST", "m"]),
    ).map(lambda drawn: (drawn[0][0], drawn[1], drawn[0][1])),
    max_size=40,
)


@settings(deadline=None, max_examples=40)
@given(rows=ROWS, short=st.sampled_from([None, *SHORT]))
def test_any_file(rows: list[RetailRow], short: OrderPolicy | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = retail_file(Path(folder) / "rows.csv", rows)
        ledger = ledger_in(Path(folder))
        counts = []
        for _ in range(2):
            importer = OnlineRetailImporter(ledger, location="main", short=short)
            importer.import_file(path)
            counts.append(event_count(ledger))

        expected, _ = recomputed(path, Counter(), short)
        assert_equal_to(ledger, expected)
        assert counts[0] == counts[1]
        assert verify(ledger.recorder).ok
        ledger.close()
