from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.cli.support import run
from tests.integration.importing_support import RETAIL_SAMPLE

TERMINAL = ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""What makes rich think of another terminal than the one it prints on."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and no settings but a store in it."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("LEDGER_") or name in TERMINAL:
            monkeypatch.delenv(name)
    monkeypatch.setenv("LEDGER_STORE", f"sqlite:{tmp_path / 'ledger.db'}")


@pytest.fixture
def imported() -> None:
    """The sample, imported into the store."""
    run("import", "--format", "online-retail", RETAIL_SAMPLE)
