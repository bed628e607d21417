"""The real application on the real stores, in a file of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.access import OPEN, Access
from api.app import create_app
from api.instants import SETTLED_AFTER
from ledger.bootstrap import open_ledger
from ledger.service.clock import utc_now
from ledger.settings import Settings
from projections.bootstrap import Projections, open_from_settings
from tests.support.shop import Shop

CURSOR_SECRET = b"a secret of the tests"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose views move only when it settles (or somebody waits for them)."""
    with opened_shop(tmp_path) as shop:
        yield shop


@contextmanager
def opened_shop(directory: Path, access: Access = OPEN) -> Iterator[Shop]:
    """A shop that keeps its books in a directory."""
    settings = Settings(store=f"sqlite:{directory}/ledger.db", locations=("main", "annex"))
    ledger = open_ledger(settings)
    projections = open_from_settings(ledger.recorder, settings)
    processor = projections.order_processor(ledger)

    def settle() -> None:
        while _caught_up(projections) or processor.sweep().promoted:
            pass

    app = create_app(
        ledger,
        projections.stock_levels,
        projections.orders,
        cursor_secret=CURSOR_SECRET,
        clock=lambda: utc_now() + SETTLED_AFTER,
        wait=lambda _stream, _version, _timeout: _caught_up(projections),
        access=access,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Shop(client, ledger, settle)
    projections.close()
    ledger.close()


def _caught_up(projections: Projections) -> bool:
    """Bring the views up to the events; answers whether there were any."""
    found = False
    while projections.runner.catch_up():
        found = True
    return found
