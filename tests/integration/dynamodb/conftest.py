"""Tables on the DynamoDB engines. Nothing here runs on SQLite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.store.dynamodb import DynamoDBLedgerRecorder
from tests.support.engines import Engines
from tests.support.event_stores import ENGINES, EventTables, event_tables


@pytest.fixture(params=ENGINES)
def tables(request: pytest.FixtureRequest, engines: Engines) -> Iterator[EventTables]:
    """Empty tables on each engine with atomic transactions; a test may name others.

    Modules that read the stream say `STREAMED = True`.
    """
    streamed = getattr(request.module, "STREAMED", None)
    with event_tables(request.param, engines, streamed=streamed) as tables:
        yield tables


@pytest.fixture
def recorder(tables: EventTables) -> DynamoDBLedgerRecorder:
    """A recorder of these tables."""
    return tables.open()
