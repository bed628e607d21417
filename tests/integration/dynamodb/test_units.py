"""What operations consume: nothing above what their items cost, and no read by a warm process."""

from __future__ import annotations

from uuid import uuid4

import pytest

from bench.units import Units, measured
from ledger.store.dynamodb_client import make_client
from ledger.store.tables import create_tables
from tests.support.engines import Engines


@pytest.fixture(scope="module")
def units(engines: Engines) -> dict[str, Units]:
    """Every operation, as an engine counts it that rounds every item as the service does."""
    endpoint, prefix = engines.endpoint("ministack"), f"units-{uuid4().hex[:8]}"
    create_tables(make_client(endpoint), prefix)
    return {one.operation: one for one in measured(endpoint, prefix)}


def test_a_commit_writes_its_items_and_reads_nothing_when_warm(units: dict[str, Units]) -> None:
    commits = [one for one in units.values() if one.stored]
    assert len(commits) == 7
    assert [one.write for one in commits] == [one.floor for one in commits]
    assert [one.warm for one in commits] == [0] * 7


def test_a_cold_commit_reads_half_a_unit_a_position_and_an_order_once(
    units: dict[str, Units],
) -> None:
    commits = [one for one in units.values() if one.stored]
    assert [one.cold for one in commits] == [one.cold_floor for one in commits]


def test_a_refusal_rests_on_strong_reads_and_a_replay_writes_nothing(
    units: dict[str, Units],
) -> None:
    refused, replayed = units["order of 3 lines, rejected"], units["order of 3 lines, replayed"]
    assert refused.write == refused.floor
    assert refused.warm == 3
    assert replayed.write == 0
