"""The event stores and view stores every contract test runs on.

A test that races names the stores it races on: `parametrize("store", ATOMIC, indirect=True)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.store.base import LedgerRecorder
from projections.store import ViewStore
from tests.support.engines import Engines
from tests.support.event_stores import EVERYWHERE, Store, event_store
from tests.support.view_stores import Open, view_stores


@pytest.fixture(params=EVERYWHERE)
def store(request: pytest.FixtureRequest, tmp_path: Path, engines: Engines) -> Iterator[Store]:
    """An empty store of each kind."""
    with event_store(request.param, tmp_path, engines) as store:
        yield store


@pytest.fixture
def recorder(store: Store) -> LedgerRecorder:
    """One recorder on an empty store."""
    return store.open()


@pytest.fixture(params=EVERYWHERE)
def open_store(request: pytest.FixtureRequest, tmp_path: Path, engines: Engines) -> Iterator[Open]:
    """Opens view stores that share nothing but their data."""
    with view_stores(request.param, tmp_path, engines) as opener:
        yield opener


@pytest.fixture
def views(open_store: Open) -> ViewStore:
    """One view store, empty."""
    return open_store()
