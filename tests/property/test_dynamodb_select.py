"""Reading a stream from DynamoDB answers what a list would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.store.dynamodb import DynamoDBLedgerRecorder
from tests.support.engines import Engines
from tests.support.event_stores import event_tables

SIZES = (300_000, 2, 390_000, 2, 2, 350_000, 280_000, 2, 310_000, 2, 2, 2)
"""Pages of 1 MB end in the middle of it."""

STREAM = [StoredEvent("s", n, "T", b"x" * size) for n, size in enumerate(SIZES, 1)]
versions = st.none() | st.integers(-2, len(SIZES) + 2)


@pytest.fixture
def recorder(engines: Engines) -> Iterator[DynamoDBLedgerRecorder]:
    """A recorder of one stream, and of others that begin like it."""
    with event_tables("moto", engines) as tables:
        recorder = tables.open()
        for stored in (*STREAM, StoredEvent("r", 1, "T", b""), StoredEvent("s#", 1, "T", b"")):
            recorder.insert_events([stored])
        yield recorder


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(gt=versions, lte=versions, desc=st.booleans(), limit=st.none() | st.integers(0, 14))
def test_select_is_a_slice_of_the_stream(
    recorder: DynamoDBLedgerRecorder,
    gt: int | None,
    lte: int | None,
    desc: bool,
    limit: int | None,
) -> None:
    expected = [
        stored
        for stored in (STREAM[::-1] if desc else STREAM)
        if (gt is None or stored.originator_version > gt)
        and (lte is None or stored.originator_version <= lte)
    ][:limit]
    assert recorder.select_events("s", gt=gt, lte=lte, desc=desc, limit=limit) == expected
