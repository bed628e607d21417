"""Orders and corrections that run short, when nothing is received on demand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.domain.values import OrderPolicy
from ledger.importing import Fate, OnlineRetailImporter, StockImporter, Summary
from ledger.service import (
    Context,
    Ledger,
    ReceiptLine,
    ReceiveStock,
)
from ledger.verify import verify
from tests.integration.importing_support import (
    RETAIL_SAMPLE,
    STOCK_SAMPLE,
    RetailRow,
    event_count,
    history,
    ledger_in,
    on_hand,
    retail_file,
)

TODAY = Context(actor="clerk")


def run(ledger: Ledger, path: Path, short: OrderPolicy | None = None) -> Summary:
    importer = OnlineRetailImporter(ledger, location="main", short=short)
    importer.import_file(path)
    return importer.summary


def run_rows(ledger: Ledger, folder: Path, *rows: RetailRow) -> Summary:
    return run(ledger, retail_file(folder / "rows.csv", rows))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return ledger_in(tmp_path)


@pytest.mark.parametrize(
    ("short", "fates", "unfilled", "left"),
    [
        (OrderPolicy.PARTIAL, {Fate.SHIPPED: 1, Fate.PART_SHIPPED: 1, Fate.NOT_SHIPPED: 1}, 3, 0),
        (OrderPolicy.ALL_OR_NOTHING, {Fate.NOT_SHIPPED: 2, Fate.SHIPPED: 1}, 10, 7),
    ],
)
def test_without_receipts_on_demand_orders_run_short(
    ledger: Ledger,
    tmp_path: Path,
    short: OrderPolicy,
    fates: dict[Fate, int],
    unfilled: int,
    left: int,
) -> None:
    lines = (ReceiptLine("A", "main", 7), ReceiptLine("K", "main", 2))
    ledger.handle(ReceiveStock(lines), TODAY)
    rows: list[RetailRow] = [("1", "A", 9), ("1", "C", 1), ("2", "K", 2)]

    summary = run(ledger, retail_file(tmp_path / "rows.csv", rows), short)

    assert summary.by_fate() == fates
    assert summary.received == 0
    assert summary.unfilled == unfilled
    assert on_hand(ledger) == {("A", "main"): left, ("K", "main"): 0}


def test_a_refused_correction_stays_refused_when_stock_comes_in_later(
    ledger: Ledger, tmp_path: Path
) -> None:
    path = retail_file(tmp_path / "rows.csv", [("1", "A", -10, "lost"), ("C2", "A", -50)])
    first = run(ledger, path, OrderPolicy.PARTIAL)
    told = history(ledger)

    second = run(ledger, path, OrderPolicy.PARTIAL)

    assert first.by_fate() == second.by_fate() == {Fate.REFUSED: 1, Fate.RETURNED: 1}
    assert "10 requested, 0 available" in first.findings[0]
    assert "refused when it was first imported" in second.findings[0]
    assert history(ledger) == told
    assert on_hand(ledger) == {("A", "main"): 50}
    changed = retail_file(path, [("1", "A", -9, "lost")])
    assert run(ledger, changed, OrderPolicy.PARTIAL).by_fate() == {Fate.CHANGED: 1}


def test_both_samples_together_are_idempotent(ledger: Ledger) -> None:
    counts = []
    for _ in range(2):
        StockImporter(ledger).import_file(STOCK_SAMPLE)
        summary = run(ledger, RETAIL_SAMPLE, OrderPolicy.PARTIAL)
        counts.append((event_count(ledger), summary.by_fate(), summary.unfilled))

    assert counts[0] == counts[1]
    assert summary.by_fate()[Fate.REFUSED] == 1
    assert verify(ledger.recorder).ok
