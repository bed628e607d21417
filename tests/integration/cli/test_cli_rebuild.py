"""`ledger rebuild`: what it tells, asks and refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from ledger.cli.app import app
from ledger.service import Context, Ledger
from ledger.service import commands as c
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.tables import create_tables
from projections.bootstrap import open_projections
from projections.rebuild import claim
from projections.rebuild.rebuild import Rebuild
from tests.integration.cli.support import error_of, run
from tests.support.engines import Engines


@pytest.fixture
def damaged(imported: None, tmp_path: Path) -> None:  # noqa: ARG001 - the store to be damaged
    """Views of the sample with one row that is wrong, one that is lost and one too many."""
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        for change in (
            "UPDATE view_stock_levels SET on_hand = 9 WHERE sku = '83005'",
            "DELETE FROM view_stock_levels WHERE sku = '10101A'",
            "INSERT INTO view_stock_levels (sku, location, version) VALUES ('S9', 'main', 7)",
        ):
            assert connection.execute(change).rowcount == 1
    connection.close()


def begun(tmp_path: Path, view: str = "orders", steps: int = 1) -> None:
    """A rebuild that somebody left unfinished."""
    ledger = tmp_path / "ledger.db"
    from ledger.bootstrap import open_ledger
    from ledger.settings import Settings

    opened = open_ledger(Settings())
    projections = open_projections(opened.recorder, path=ledger)
    rebuild: Rebuild = projections.rebuild(getattr(projections, f"{view}_view"))
    for step in (rebuild.begin, rebuild.settle, rebuild.fill)[:steps]:
        step()
    projections.close()
    opened.close()


@pytest.mark.usefixtures("imported")
def test_a_view_is_rebuilt_and_one_can_go_back() -> None:
    printed = run("rebuild", "orders")
    assert "Rebuilding orders into generation 2." in printed.stderr
    assert "136 events were read." in printed.stderr
    assert printed.stdout == (
        "orders shows generation 2 (everywhere within 5 seconds). Generation 1 is kept: "
        "`ledger rebuild orders --rollback` goes back to it.\n"
    )
    status = "orders: generation 2 is shown, 1 is kept beside it.\n"
    assert run("rebuild", "orders", "--status").stdout == status
    assert "136 events in 31 streams, 4 views: all is well." in run("verify").stdout

    assert run("rebuild", "orders", "--rollback").stdout == "orders shows generation 1 again.\n"
    assert "orders: generation 1 is shown, 2" in run("rebuild", "orders", "--status").stdout
    released = "Generation 2 of orders is gone; generation 1 is shown.\n"
    assert run("rebuild", "orders", "--release").stdout == released


@pytest.mark.usefixtures("damaged")
def test_what_would_change_is_printed_and_not_done_unasked() -> None:
    run("verify", code=1)
    printed = run("rebuild", "stock_levels", "--diff", code=1)

    lines = [line.split() for line in printed.stdout.splitlines()]
    assert lines[0] == ["Row", "Field", "Shown", "Rebuilt"]
    assert sorted(lines[1:4]) == [
        ["10101A@main", "no", "row", "a", "row"],
        ["83005@main", "on_hand", "9", "1"],
        ["S9@main", "a", "row", "no", "row"],
    ]
    assert printed.stdout.splitlines()[4:] == [
        "20 rows compared: 1 differ, 1 would be new, 1 would be gone.",
        "Nothing was switched: generation 1 of stock_levels is shown. "
        "`ledger rebuild stock_levels --yes` shows generation 2, "
        "`ledger rebuild stock_levels --abandon` drops it.",
    ]
    status = run("rebuild", "stock_levels", "--status").stdout
    assert status.splitlines() == [
        "stock_levels: generation 1 is shown.",
        "A rebuild into generation 2 is not finished: it is complete and may be shown; "
        "136 events were read, 1 of 1 segments to the end.",
    ]
    run("verify", code=1)

    printed = run("rebuild", "stock_levels", "--yes")
    assert "Going on with the rebuild of stock_levels into generation 2." in printed.stderr
    assert "stock_levels shows generation 2" in printed.stdout
    run("verify", code=1)
    run("rebuild", "stock_levels", "--release")
    assert "all is well" in run("verify").stdout


@pytest.mark.usefixtures("imported")
def test_without_differences_nothing_is_wrong() -> None:
    printed = run("rebuild", "open_reservations", "--diff")

    assert "rows compared: nothing would change." in printed.stdout
    assert "Nothing was switched" in printed.stdout


@pytest.mark.usefixtures("damaged")
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_at_a_terminal_one_is_asked(
    monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("ledger.cli.rebuild._at_a_terminal", lambda: True)

    result = CliRunner().invoke(app, ["rebuild", "stock_levels", "--diff"], input=f"{answer}\n")

    assert result.exit_code == code
    assert "Show generation 2 of stock_levels? [y/N]" in result.stdout
    assert ("stock_levels shows generation 2" in result.stdout) == (answer == "y")


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_unfinished_rebuild_is_gone_on_with(tmp_path: Path, steps: int) -> None:
    begun(tmp_path, steps=steps)

    printed = run("rebuild", "orders")

    assert "Going on with the rebuild of orders into generation 2." in printed.stderr
    assert "orders shows generation 2" in printed.stdout


@pytest.mark.usefixtures("imported")
def test_an_unfinished_rebuild_is_abandoned(tmp_path: Path) -> None:
    begun(tmp_path)

    assert "generation 2 is not finished" in error_of("rebuild", "orders", "--rollback")
    gone = "Generation 2 of orders is gone; generation 1 is shown.\n"
    assert run("rebuild", "orders", "--abandon").stdout == gone
    assert run("rebuild", "orders", "--status").stdout == "orders: generation 1 is shown.\n"


@pytest.mark.usefixtures("imported")
def test_what_can_not_be_done_is_said_in_one_line() -> None:
    assert error_of("rebuild", "order") == (
        "Error: there is no view 'order'. Did you mean orders? "
        "The views: stock_levels, orders, open_reservations."
    )
    assert "Did you mean stock_levels?" in error_of("rebuild", "stock-level")
    assert "Did you mean" not in error_of("rebuild", "xyz")
    assert "orders has no former generation" in error_of("rebuild", "orders", "--rollback")
    assert "no unfinished rebuild of orders" in error_of("rebuild", "orders", "--abandon")
    assert "orders keeps no former generation" in error_of("rebuild", "orders", "--release")
    assert "each go alone" in error_of("rebuild", "orders", "--status", "--abandon")
    assert "each go alone" in error_of("rebuild", "orders", "--rollback", "--yes")


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert "there is no store at" in error_of("rebuild", "orders")
    assert not (tmp_path / "ledger.db").exists()


@pytest.fixture
def tables(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: ARG001
    """A ledger on DynamoDB whose views show nothing; settling is short."""
    monkeypatch.setattr(claim, "SETTLE_SECONDS", 0.3)
    with mock_aws():
        client = make_client()
        create_tables(client, "shop")
        recorder = DynamoDBLedgerRecorder(DynamoDBTables(client, "shop"), uuids=False)
        ledger = Ledger(recorder, locations=("main",))
        for number in range(5):
            line = c.ReceiptLine(f"S{number}", "main", 3)
            ledger.handle(c.ReceiveStock((line,)), Context())
        yield "dynamodb:shop"
        ledger.close()


def test_a_view_on_dynamodb_is_rebuilt(tables: str) -> None:
    arguments = ("rebuild", "stock_levels", "--store", tables)

    printed = run(*arguments, "--segments", 3, "--diff", code=1)

    assert "5 events were read." in printed.stderr
    assert "5 rows compared: 5 would be new." in printed.stdout
    assert "3 of 3 segments to the end" in run(*arguments, "--status").stdout
    assert "stock_levels shows generation 2" in run(*arguments, "--yes").stdout
    assert "Generation 1 of stock_levels is gone" in run(*arguments, "--release").stdout
