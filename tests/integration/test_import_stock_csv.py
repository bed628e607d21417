"""Opening balances become the first events of their positions, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.importing import Fate, StockImporter, Summary
from ledger.service import Context, Ledger, ReceiptLine, ReceiveStock
from tests.integration.importing_support import STOCK_SAMPLE, event_count, ledger_in, on_hand


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return ledger_in(tmp_path)


def run(ledger: Ledger, path: Path) -> Summary:
    importer = StockImporter(ledger)
    importer.import_file(path)
    return importer.summary


def run_rows(ledger: Ledger, folder: Path, *rows: str) -> Summary:
    path = folder / "stock.csv"
    header = "sku,location,quantity,unit_cost,currency,reference"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return run(ledger, path)


def test_the_sample_is_imported_whole_and_once(ledger: Ledger) -> None:
    first = run(ledger, STOCK_SAMPLE)
    events = event_count(ledger)
    second = run(ledger, STOCK_SAMPLE)

    assert first.by_fate() == second.by_fate() == {Fate.RECEIVED: 18, Fate.ZERO: 1}
    assert events == event_count(ledger) == 18
    assert second.tallies[Fate.RECEIVED, ""].before == 18
    assert on_hand(ledger)["20415", "main"] == 35
    lot = ledger.history.events("stock:20415@main")[1].data
    assert lot["cost"] == {"amount": 325, "currency": "GBP"}
    assert lot["reference"] == "count of 1 March 2026, second lot"


def test_many_rows_are_few_commits(ledger: Ledger, tmp_path: Path) -> None:
    run_rows(ledger, tmp_path, *(f"S{number},main,1,,," for number in range(200)))

    commits = {recorded.command for _, recorded in ledger.history.feed(0, 1_000)}
    assert event_count(ledger) == 200
    assert len(commits) == 3


def test_rows_added_to_a_file_are_the_only_ones_received(ledger: Ledger, tmp_path: Path) -> None:
    run_rows(ledger, tmp_path, "A,main,5,,,")

    summary = run_rows(ledger, tmp_path, "B,main,7,,,", "A,main,5,,,")

    assert summary.tallies[Fate.RECEIVED, ""].before == 1
    assert on_hand(ledger) == {("A", "main"): 5, ("B", "main"): 7}


@pytest.mark.parametrize("row", ["A,main,6,,,", "A,main,5,10,GBP,", "A,main,5,,,else"])
def test_a_changed_balance_is_reported_and_left_alone(
    ledger: Ledger, tmp_path: Path, row: str
) -> None:
    run_rows(ledger, tmp_path, "A,main,5,,,")

    summary = run_rows(ledger, tmp_path, row, "A,main,1,,,")

    assert summary.by_fate() == {Fate.CHANGED: 2}
    assert "stock.csv, line 2: A at main: the position's history" in summary.findings[0]
    assert on_hand(ledger) == {("A", "main"): 5}


def test_a_position_with_another_history_is_left_alone(ledger: Ledger, tmp_path: Path) -> None:
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 4),)), Context())

    assert run_rows(ledger, tmp_path, "A,main,5,,,").by_fate() == {Fate.CHANGED: 1}
    assert on_hand(ledger) == {("A", "main"): 4}


def test_an_unreadable_row_holds_its_position_back(ledger: Ledger, tmp_path: Path) -> None:
    summary = run_rows(ledger, tmp_path, "A,main,5,,,", "A,main,x,,,", "B,main,1,,,", "?,m,1,,,")

    assert summary.by_fate() == {Fate.UNREADABLE: 2, Fate.HELD_BACK: 1, Fate.RECEIVED: 1}
    assert on_hand(ledger) == {("B", "main"): 1}
