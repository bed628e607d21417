"""The command line as a whole: help that teaches, errors of one line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.support import error_of, run

COMMANDS = ("serve", "import", "verify", "events", "stock", "schemas")


def test_the_help_teaches() -> None:
    text = run("--help").stdout

    assert all(re.search(rf"│ {name} ", text) for name in COMMANDS)
    assert "samples/online-retail-sample.csv" in text
    assert "Exit codes" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_and_its_exit_codes(command: str) -> None:
    text = run(command, "--help").stdout

    assert f"ledger {command}" in text
    assert "Exit codes" in text
    assert command == "schemas" or "--store" in text


@pytest.mark.parametrize("command", ["verify", "events", "stock"])
def test_reading_makes_no_store(command: str, tmp_path: Path) -> None:
    said = error_of(command, "--store", f"sqlite:{tmp_path / 'none.db'}")

    assert f"there is no store at {tmp_path / 'none.db'}. Name another with --store" in said
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("not a database, but a text that is long enough to look at" * 20)

    assert "file is not a database" in error_of("verify", "--store", f"sqlite:{path}")


def test_a_setting_that_can_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_REGION", "A B")

    assert "LEDGER_REGION can't be 'A B'" in error_of("stock")


def test_a_misspelt_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_STROE", "sqlite:mine.db")

    assert "There is no setting LEDGER_STROE. Did you mean LEDGER_STORE?" in error_of("stock")


def test_what_the_command_needs_is_named_where_it_is_not_installed() -> None:
    absent = "import sys; sys.modules['typer'] = None; from ledger.cli import main; main()"
    ran = subprocess.run([sys.executable, "-c", absent], capture_output=True, text=True)

    assert ran.returncode == 2
    assert ran.stderr == (
        "Error: typer is not installed. "
        "pip install 'inventory-ledger[cli]' installs what the command needs.\n"
    )
