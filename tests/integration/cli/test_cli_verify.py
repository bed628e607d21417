"""`ledger verify`: what was changed is found."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from moto import mock_aws

from api import instants
from ledger.store.dynamodb_client import make_client
from projections.bootstrap import open_projections
from projections.generations import Generations
from tests.integration.cli.support import error_of, run
from tests.integration.importing_support import STOCK_SAMPLE, ledger_in
from tests.support.engines import AWS_ENVIRONMENT


@pytest.mark.usefixtures("imported")
def test_a_sound_store_is_well() -> None:
    assert "136 events in 31 streams, 3 views: all is well." in run("verify").stdout


@pytest.mark.usefixtures("imported")
def test_a_changed_event_is_found(tmp_path: Path) -> None:
    _change(
        tmp_path / "ledger.db",
        "UPDATE stored_events "
        "SET state = CAST(replace(state, '\"on_hand\":12', '\"on_hand\":13') AS BLOB) "
        "WHERE originator_id = 'stock:10101A@main' AND originator_version = 1",
    )

    result = run("verify", code=1)

    assert "stock:10101A@main version 1: the bytes are not those that were sealed" in result.stdout
    assert re.search(r"streams, 3 views: \d+ findings?\.", result.stdout)


@pytest.mark.usefixtures("imported")
def test_a_changed_view_is_found(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%stock_levels'"
        ((table,),) = connection.execute(query).fetchall()
    _change(tmp_path / "ledger.db", f"UPDATE {table} SET on_hand = 9 WHERE sku = '83005'")

    assert "83005@main differs: on_hand is 9" in run("verify", code=1).stdout


@pytest.mark.usefixtures("imported")
def test_a_row_of_any_live_generation_is_checked(tmp_path: Path) -> None:
    recorder = ledger_in(tmp_path).recorder
    projections = open_projections(recorder, path=tmp_path / "ledger.db")
    view = projections.stock_levels_view
    before = projections.store.generations(view)
    assert projections.store.register(view, before, Generations(1, (1, 2), 2))
    newer = view.at(2)
    projections.store.prepare([newer])
    row = next(projections.store.each(view))
    projections.store.save(newer, [replace(row, on_hand=row.on_hand + 1)])
    projections.close()
    recorder.close()

    told = run("verify", code=1).stdout

    assert f"stock_levels_g2 row {row.sku}@main differs: on_hand is {row.on_hand + 1}" in told
    assert "View stock_levels_g2 has yet to apply the newest events of 18 streams." in told


@pytest.mark.usefixtures("imported")
def test_what_commands_wrote_is_checked(tmp_path: Path) -> None:
    assert "all is well" in run("verify", "--commands").stdout
    _change(
        tmp_path / "ledger.db",
        "DELETE FROM stored_events WHERE originator_id = 'order:700002' AND originator_version = 2",
    )
    _change(
        tmp_path / "ledger.db",
        "INSERT INTO commands VALUES ('one', 'f', '[[\"order:700002\",2]]', NULL), "
        "('two', 'f', '[7]', NULL)",
        rows=2,
    )

    told = run("verify", "--commands", code=1).stdout

    assert "order:700002 version 2 is not there, but command record 'one' names it" in told
    assert "command record 'two' can't be read" in told


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store on DynamoDB with a short history, and hardly any wait; its tables' prefix."""
    monkeypatch.setattr(instants, "SETTLED_AFTER", timedelta(seconds=0.3))
    for name, value in AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        prefix = "test"
        monkeypatch.setenv("LEDGER_STORE", f"dynamodb:{prefix}")
        run("tables", "create")
        run("import", "--format", "stock-csv", STOCK_SAMPLE)
        yield prefix


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("options", [(), ("--segments", 7, "--commands")])
def test_a_sound_store_on_dynamodb_is_well(options: tuple[object, ...]) -> None:
    told = run("verify", *options)

    assert re.search(r"\d+ events in \d+ streams, 3 views: all is well\.", told.stdout)
    assert "waiting 0.3 s until every commit" not in told.stdout


def test_damage_on_dynamodb_is_found(tables: str) -> None:
    client = make_client()
    key = {"stream": {"S": "stock:20415@main"}, "version": {"N": "1"}}
    table = f"{tables}-events"
    item = client.get_item(TableName=table, Key=key)["Item"]
    state = item["state"]["B"].replace(b'"on_hand":', b'"on_hand":1')
    client.put_item(TableName=table, Item={**item, "state": {"B": state}})

    told = run("verify", code=1).stdout

    assert "stock:20415@main version 1: the bytes are not those that were sealed" in told
    assert "3 findings." in told, "nor is its commit whole, nor can its row be compared"


def test_verify_needs_the_tables(tables: str) -> None:
    assert "ledger tables create" in error_of("verify", "--store", f"dynamodb:{tables}-no")


def _change(path: Path, statement: str, rows: int = 1) -> None:
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(statement).rowcount == rows
    connection.close()
