"""`ledger import`: an account that adds up, and how it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.importing import OnlineRetailImporter
from tests.integration.cli.support import Printed, error_of, run
from tests.integration.importing_support import (
    RETAIL_SAMPLE,
    STOCK_SAMPLE,
    event_count,
    ledger_in,
    retail_file,
)


def account_of(result: Printed) -> list[list[str]]:
    """The cells of the summary's rows."""
    lines = [line for line in result.stdout.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_an_import_accounts_for_every_row() -> None:
    *rows, total = account_of(run("import", "--format", "online-retail", RETAIL_SAMPLE))

    assert ["sold: ordered and shipped", "34", "727", ""] in rows
    assert ["skipped: fee BANK CHARGES (bank charges)", "1", "1", ""] in rows
    assert total == ["read", "60", "136", "0"]
    assert sum(int(row[1]) for row in rows) == 60
    assert sum(int(row[2]) for row in rows) == 136


@pytest.mark.usefixtures("imported")
def test_a_second_import_changes_nothing(tmp_path: Path) -> None:
    events = event_count(ledger_in(tmp_path))

    result = run("import", "--format", "online-retail", RETAIL_SAMPLE)

    assert account_of(result)[-1] == ["read", "60", "136", "47"]
    assert "received on demand" not in result.stdout
    assert event_count(ledger_in(tmp_path)) == events


def test_opening_stock_first_then_orders_that_may_run_short() -> None:
    command = ("import", "--format", "online-retail", "--opening-stock", STOCK_SAMPLE)

    result = run(*command, "--when-short", "reject", RETAIL_SAMPLE, code=1)

    accounts = account_of(result)
    assert ["received", "18", "963", ""] in accounts
    assert any(row[0] == "sold, short: nothing shipped" for row in accounts)
    assert "line 61: invoice 700025, 62011, quantity -500: was refused" in result.stderr
    assert run(*command, "--when-short", "reject", RETAIL_SAMPLE, code=1).stdout != ""
    run("verify")


def test_opening_balances_alone() -> None:
    result = run("import", "--format", "stock-csv", STOCK_SAMPLE)

    assert account_of(result)[-1] == ["read", "19", "963", "0"]


def test_rows_that_need_looking_at_are_named(tmp_path: Path) -> None:
    path = retail_file(tmp_path / "odd.csv", [("1", "A:1", n) for n in range(25)])

    result = run("import", "--format", "online-retail", path, code=1)

    assert f"{path}, line 2: invoice 1, A:1, quantity 0: StockCode 'A:1' is no id" in result.stderr
    assert "… and 5 more." in result.stderr


def test_nothing_is_imported_when_one_file_can_not_be(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")

    said = error_of("import", "--format", "online-retail", RETAIL_SAMPLE, path)

    assert f"{path} lacks the columns InvoiceNo, StockCode, Quantity" in said
    assert not (tmp_path / "ledger.db").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "online-retail", "missing.csv"], "missing.csv can't be read"),
        (["--format", "online-retail", "--when-short", "reject"], "needs --opening-stock"),
        (["--format", "stock-csv", "--location", "x"], "go with --format online-retail only"),
        (["--format", "online-retail", "--location", "a@b"], "--location 'a@b'"),
        (["--format", "stock-csv", "--store", "dynamo"], "--store can't be 'dynamo': write sqlite"),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments: list[str], said: str) -> None:
    files = [] if arguments[-1].endswith(".csv") else [RETAIL_SAMPLE]

    assert said in error_of("import", *arguments, *files)


def test_an_unknown_format_names_the_known_ones() -> None:
    assert "'online-retail'" in run("import", "--format", "excel", "x.csv", code=2).stderr


def test_an_interrupted_import_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(OnlineRetailImporter, "import_file", interrupt)

    result = run("import", "--format", "online-retail", RETAIL_SAMPLE, code=130)

    assert "the same command goes on from there" in result.stderr


def test_a_location_of_its_own() -> None:
    run("import", "--format", "online-retail", "--location", "shed", RETAIL_SAMPLE)

    assert "10101A,shed,0" in run("stock", "10101A", "--csv").stdout
