"""The event stores every contract test runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.store.base import LedgerRecorder
from ledger.store.sqlite import SQLiteLedgerRecorder, open_recorder


@dataclass(frozen=True)
class Store:
    """One empty event store; `open` answers a recorder that shares nothing but the data."""

    name: str
    open: Callable[[], LedgerRecorder]


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    opened: list[SQLiteLedgerRecorder] = []

    def open_sqlite() -> LedgerRecorder:
        opened.append(open_recorder(tmp_path / "ledger.db"))
        return opened[-1]

    yield Store(request.param, open_sqlite)
    for recorder in opened:
        recorder.close()


@pytest.fixture
def recorder(store: Store) -> LedgerRecorder:
    """One recorder on an empty store."""
    return store.open()
