"""`ledger verify`: what was changed is found."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from tests.integration.cli.support import run


@pytest.mark.usefixtures("imported")
def test_a_sound_store_is_well() -> None:
    assert "136 events in 31 streams, 2 views: all is well." in run("verify").stdout


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
    assert re.search(r"streams, 2 views: \d+ findings?\.", result.stdout)


@pytest.mark.usefixtures("imported")
def test_a_changed_view_is_found(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%stock_levels'"
        ((table,),) = connection.execute(query).fetchall()
    _change(tmp_path / "ledger.db", f"UPDATE {table} SET on_hand = 9 WHERE sku = '83005'")

    assert "83005@main differs: on_hand is 9" in run("verify", code=1).stdout


def _change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()
