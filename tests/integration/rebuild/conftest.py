from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.service import Context
from ledger.service import commands as c
from tests.support.engines import Engines
from tests.support.rebuilding import Site, catch_up, site


@pytest.fixture(params=["sqlite", "moto"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, engines: Engines) -> Iterator[Site]:
    """Some orders and stock, in views that are up to date."""
    with site(request.param, tmp_path, engines) as shop:
        shop.receive(9, "S0", "S1", "S2")
        for number in range(4):
            shop.place(f"O{number}", 2, "S0", "S1")
        shop.ledger.handle(c.ShipOrder("O1"), Context())
        catch_up(shop)
        yield shop


@pytest.fixture
def tables(tmp_path: Path, engines: Engines) -> Iterator[Site]:
    """Events without a log, and views."""
    with site("moto", tmp_path, engines) as shop:
        yield shop
