"""A rebuild waits until everybody who writes knows what has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections.generations import SETTLE_SECONDS, Registry
from projections.rebuild import claim
from projections.rebuild.state import Phase
from projections.runner import Runner
from tests.support.engines import Engines
from tests.support.event_stores import all_events
from tests.support.rebuilding import (
    STOCK,
    VIEWS,
    Site,
    catch_up,
    rows,
    site,
)


def test_whoever_goes_on_waits_for_the_rest_only(tables: Site) -> None:
    shop = tables
    first = shop.rebuild(STOCK)
    assert first.begin()
    shop.time.now += SETTLE_SECONDS - 7
    second = shop.rebuild(STOCK)
    left: list[float] = []

    assert not second.begin()
    second.settle(left.append)

    assert left == [7, 6, 5, 4, 3, 2, 1]
    third = shop.rebuild(STOCK)
    third.begin()
    third.settle(left.append)
    assert len(left) == 7
    third.fill()
    assert third.state.phase is Phase.FILLED


def test_a_clock_that_is_behind_waits_no_longer_than_all(tables: Site) -> None:
    tables.rebuild(STOCK).begin()
    tables.time.now -= 3600
    rebuild = tables.rebuild(STOCK)
    rebuild.begin()
    rebuild.settle()
    assert tables.time.slept == SETTLE_SECONDS


def test_a_log_needs_no_waiting(tmp_path: Path, engines: Engines) -> None:
    with site("sqlite", tmp_path, engines) as shop:
        shop.rebuilt(STOCK)
        shop.rebuilt(STOCK)
        assert shop.time.slept == 0


def test_rows_are_deleted_when_nobody_writes_them_any_more(tables: Site) -> None:
    shop = tables
    shop.receive(1, "S0")
    shop.rebuild(STOCK).begin()
    stale = Registry(shop.views, clock=lambda: 0.0)
    catch_up(shop, registry=stale)
    unregistered_at = shop.time.now

    def write_late() -> None:
        if shop.time.now - unregistered_at < SETTLE_SECONDS:
            shop.receive(1, f"S{shop.time.now - unregistered_at:.0f}")
            catch_up(shop, registry=stale)

    shop.time.meanwhile = write_late
    shop.rebuild(STOCK).abandon()

    assert stale.of(STOCK).live == (1, 2)
    assert rows(shop.views, STOCK.at(2)) == {}
    assert shop.shown(STOCK) == shop.expected(STOCK)


def test_whoever_does_not_know_the_new_generation_yet_is_harmless(tables: Site) -> None:
    """A consumer remembers the registration from just before; the rebuild waits it out."""
    shop = tables
    shop.receive(9, "S0", "S1")
    registry = Registry(shop.views, clock=shop.time.clock)
    catch_up(shop, registry=registry)
    number = iter(range(100, 1_000))

    def commit() -> None:
        shop.receive(1, "S1", f"S{next(number)}")
        newest = all_events(shop.recorder)
        Runner(shop.recorder, shop.views, VIEWS, registry).apply(newest).check()

    rebuild = shop.rebuild(STOCK)
    rebuild.begin(2)
    commit()
    assert registry.of(STOCK).live == (1,)
    shop.time.meanwhile = commit
    rebuild.settle()
    assert registry.of(STOCK).live == (1, 2)
    for segment in range(2):
        for _ in rebuild.fill_segment(segment):
            commit()
    rebuild.filled()
    rebuild.switch()

    shop.check(STOCK)


def test_without_settling_an_event_would_be_lost(
    tables: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the wait is for: the same, without it."""
    shop = tables
    shop.receive(9, "S0", "S1")
    registry = Registry(shop.views, clock=shop.time.clock)
    catch_up(shop, registry=registry)
    monkeypatch.setattr(claim, "SETTLE_SECONDS", 0.0)

    shop.rebuilt(STOCK)
    shop.receive(1, "S1")
    newest = [e for e in all_events(shop.recorder) if e.originator_version == 2]
    Runner(shop.recorder, shop.views, VIEWS, registry).apply(newest).check()

    assert registry.of(STOCK).live == (1,)
    assert rows(shop.views, STOCK) == shop.expected(STOCK)
    assert shop.shown(STOCK) != shop.expected(STOCK)
