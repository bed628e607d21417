"""However events are delivered, the views end up as the fold of the log: exactly."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.audit import ViewAudit
from projections.runner import Runner
from projections.store import ViewStore
from projections.store.base import values
from projections.store.sqlite import SQLiteViewStore
from projections.views import OrdersView, StockLevelsView
from tests.support.engines import Engines
from tests.support.expected_views import expected_orders, expected_stock, streams_of
from tests.support.histories import Move, World, moves
from tests.support.view_stores import Crash, Crashing, Interrupted, view_stores

STOCK, ORDERS = StockLevelsView(), OrdersView()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch of events: some of the log, in any order, with repeats; the process may die."""

    seed: int
    share: float
    crash_at: int | None
    pulled: bool
    """Whether the runner catches up with some of the log instead of being given a batch."""

    def of(self, log: Sequence[StoredEvent]) -> list[StoredEvent]:
        """The batch."""
        chance = random.Random(self.seed)
        batch = [event for event in log if chance.random() < self.share]
        batch += [event for event in batch if chance.random() < 0.3]
        chance.shuffle(batch)
        return batch


deliveries = st.lists(
    st.builds(
        Delivery,
        st.integers(0, 2**16),
        st.sampled_from((0.05, 0.3, 0.6, 1.0)),
        st.none() | st.integers(0, 12),
        st.booleans(),
    ),
    max_size=6,
)


@contextmanager
def made(history: list[Move]) -> Iterator[tuple[World, SQLiteViewStore]]:
    """A world with this history, and an empty view store in its file."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        world.play(history)
        store = SQLiteViewStore(world.path)
        try:
            yield world, store
        finally:
            store.close()
            world.recorder.close()


def deliver(recorder: ApplicationRecorder, store: ViewStore, delivery: Delivery) -> None:
    """One delivery to a runner that was just started, and that may die on the way."""
    crashing = store if delivery.crash_at is None else Crashing(store, delivery.crash_at)
    runner = Runner(recorder, crashing, [STOCK, ORDERS])
    with suppress(Crash):
        if delivery.pulled:
            runner.catch_up(1 + delivery.seed % 20)
        else:
            log = recorder.select_notifications(0, 10_000, inclusive_of_start=False)
            runner.apply(delivery.of(log)).check()


def assert_views_are_the_fold_of_the_log(world: World, store: ViewStore) -> None:
    log = world.log()
    assert {values(row, STOCK.key_fields): row for row in store.each(STOCK)} == expected_stock(log)
    shown = {values(row, ORDERS.key_fields): row for row in store.each(ORDERS)}
    wanted = expected_orders(log)
    for found in streams_of(log).values():
        row = None
        if ORDERS.feeds(found[0].stream):
            for recorded in found:
                row = ORDERS.fold(row, recorded)
            assert shown[ORDERS.key(found[0].stream)] == row
    assert shown.keys() == wanted.keys()
    for key, row in shown.items():
        assert (row.totals, row.status) == (wanted[key].totals, wanted[key].status)
        assert (row.version, row.due_at) == (wanted[key].version, wanted[key].due_at)


@given(moves, deliveries)
def test_pulled_after_any_delivery(history: list[Move], plan: list[Delivery]) -> None:
    """The log is caught up with after arbitrary deliveries and crashes."""
    with made(history) as (world, store):
        for delivery in plan:
            deliver(world.recorder, store, delivery)
        runner = Runner(world.recorder, store, [STOCK, ORDERS])
        while runner.catch_up(7):
            pass
        assert_views_are_the_fold_of_the_log(world, store)
        log = world.log()
        assert store.checkpoint(STOCK).position == store.checkpoint(ORDERS).position == log[-1].id


@settings(max_examples=settings().max_examples // 4)
@given(moves, deliveries)
def test_pulled_into_dynamodb_after_any_delivery(
    engines: Engines, history: list[Move], plan: list[Delivery]
) -> None:
    """The same on the other kind of store, which writes rows one by one and in parallel."""
    with made(history) as (world, _), view_stores("moto", world.path, engines) as opener:
        for delivery in plan:
            deliver(world.recorder, opener(), delivery)
        runner = Runner(world.recorder, opener(), [STOCK, ORDERS])
        while runner.catch_up(7):
            pass
        assert_views_are_the_fold_of_the_log(world, opener())


@given(moves, deliveries, st.randoms(use_true_random=False))
def test_pushed_after_any_delivery(
    history: list[Move], plan: list[Delivery], chance: random.Random
) -> None:
    """Nobody pulls: once every stream's newest event was delivered, gaps have been filled."""
    with made(history) as (world, store):
        for delivery in plan:
            deliver(world.recorder, store, delivery)
        log = world.log()
        newest = list({event.originator_id: event for event in log}.values())
        chance.shuffle(newest)
        runner = Runner(world.recorder, store, [STOCK, ORDERS])
        for event in newest:
            runner.apply([event]).check()
        assert_views_are_the_fold_of_the_log(world, store)


@given(moves, deliveries, deliveries)
def test_two_runners_that_interleave(
    history: list[Move], plan: list[Delivery], other: list[Delivery]
) -> None:
    """A second runner works between what the first one read and what it writes."""
    with made(history) as (world, store):
        for delivery, meanwhile in zip(plan, other, strict=False):
            between = Interrupted(store, partial(deliver, world.recorder, store, meanwhile))
            deliver(world.recorder, between, delivery)
        runner = Runner(world.recorder, store, [STOCK, ORDERS])
        late = Interrupted(store, runner.catch_up)
        while Runner(world.recorder, late, [STOCK, ORDERS]).catch_up(11):
            pass
        assert_views_are_the_fold_of_the_log(world, store)


@given(moves, deliveries)
def test_the_audit_finds_nothing_at_any_moment(history: list[Move], plan: list[Delivery]) -> None:
    """Rows that lag behind are no findings, whatever was delivered and whoever died."""
    with made(history) as (world, store):
        log = world.log()
        for delivery in plan:
            deliver(world.recorder, store, delivery)
            audit = ViewAudit(store, [STOCK, ORDERS])
            for found in streams_of(log).values():
                for recorded in found:
                    audit.see(recorded)
            assert list(audit.findings()) == []
            versions = {values(r, STOCK.key_fields): r.version for r in store.each(STOCK)}
            behind = [
                key
                for key, row in expected_stock(log).items()
                if versions.get(key, 0) < row.version
            ]
            assert audit.lag()["stock_levels"] == len(behind)
