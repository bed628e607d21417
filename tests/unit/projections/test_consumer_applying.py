"""Applying delivered events: what is counted, and how fresh the views say they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from ledger.codec import Recorded, decode
from ledger.store.sqlite import open_recorder
from projections.delivery.applying import Applying, position_of
from projections.delivery.meters import Totals
from projections.runner import Runner
from projections.store import Checkpoint
from projections.store.sqlite import SQLiteViewStore
from projections.views import OrdersView, StockLevelsView
from tests.support.delivery import Seconds, placed, received

FIRST = "2026-11-22T09:39:56.123456Z"
SECOND = "2026-11-22T09:39:57.000000Z"


class Store(SQLiteViewStore):
    """Can refuse checkpoints."""

    refuses = False

    @override
    def save(self, view: Any, rows: Sequence[Any], checkpoint: Checkpoint | None = None) -> None:
        if checkpoint is not None and self.refuses:
            raise OSError("down")
        super().save(view, rows, checkpoint)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "ledger.db")
    yield store
    store.close()


@pytest.fixture
def runner(store: Store, tmp_path: Path) -> Iterator[Runner]:
    recorder = open_recorder(tmp_path / "ledger.db")
    yield Runner(recorder, store, (StockLevelsView(), OrdersView()))
    recorder.close()


def stock(version: int, at: str = FIRST) -> Recorded:
    return decode(received("MUG", version, at=at))


def test_what_happens_is_counted(runner: Runner) -> None:
    totals = Totals()
    apply = Applying(runner, totals)
    assert apply([stock(1), stock(3), decode(placed("A-1"))]) == {}
    assert apply([decode(placed("A-1"))]) == {}
    failed = apply([decode(placed("A-2", 2))])
    assert list(failed) == ["order:A-2"]
    counted = {name: totals.count(name) for name in ("Applied", "Skipped", "Refilled")}
    assert counted == {"Applied": 2, "Skipped": 2, "Refilled": 0}


def test_the_newest_event_applied_is_told_at_most_once_a_second(
    runner: Runner, store: Store
) -> None:
    clock = Seconds()
    apply = Applying(runner, Totals(), clock=clock)
    apply([stock(1)])
    assert store.checkpoint(StockLevelsView()) == Checkpoint(position_of(FIRST), FIRST)
    assert store.checkpoint(OrdersView()).at == FIRST
    clock.now = 0.9
    apply([stock(2, SECOND)])
    assert store.checkpoint(StockLevelsView()).at == FIRST
    clock.now = 1.0
    apply([stock(1)])
    assert store.checkpoint(StockLevelsView()).at == FIRST, "it never moves back"
    apply([stock(2, SECOND)])
    assert store.checkpoint(StockLevelsView()).at == SECOND


def test_what_failed_is_not_told_to_be_applied(runner: Runner, store: Store) -> None:
    assert Applying(runner, Totals())([decode(placed("A-1", 2))])
    assert store.checkpoint(OrdersView()) == Checkpoint()


def test_nothing_depends_on_telling_it(runner: Runner, store: Store) -> None:
    store.refuses = True
    assert Applying(runner, Totals())([stock(1)]) == {}
    assert [row.version for row in store.each(StockLevelsView())] == [1]


def test_positions_are_microseconds() -> None:
    assert position_of("1970-01-01T00:00:01.000002Z") == 1_000_002
