"""All tables of a ledger on each engine, and processes that deliver its events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.pump.support import Site
from tests.support.engines import Engines
from tests.support.event_stores import ENGINES


@pytest.fixture(params=ENGINES)
def site(request: pytest.FixtureRequest, engines: Engines) -> Iterator[Site]:
    site = Site(engines.endpoint(request.param))
    yield site
    site.close()


@pytest.fixture
def ministack(engines: Engines) -> Iterator[Site]:
    """For what doesn't depend on the engine."""
    site = Site(engines.endpoint("ministack"))
    yield site
    site.close()
