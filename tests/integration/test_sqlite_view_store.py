"""The SQLite view store in a file that others use as well."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import ProgrammingError

from ledger.codec import Recorded
from projections.generations import Generations
from projections.store import Checkpoint, Query, ViewStoreBusy
from projections.store.sqlite import SQLiteViewStore
from projections.store.statements import Statements
from projections.views import (
    Key,
    OpenReservationsView,
    OrderRow,
    OrdersView,
    StockLevelsView,
    StockRow,
    View,
)

STOCK, ORDERS, OPEN = StockLevelsView(), OrdersView(), OpenReservationsView()
ROW = StockRow("S0", "main", 1, 0, 0, 0, 1, None, None, False, 1, "2026-01-01")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteViewStore]:
    store = SQLiteViewStore(path, patience=0.3)
    store.prepare([STOCK, ORDERS, OPEN, ORDERS.at(2)])
    yield store
    store.close()


@pytest.fixture
def other(path: Path, store: SQLiteViewStore) -> Iterator[sqlite3.Connection]:  # noqa: ARG001
    """Another writer of the same file."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    yield connection
    connection.close()


def test_a_file_that_stays_locked_is_busy(
    store: SQLiteViewStore, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(ViewStoreBusy, match=r"ledger\.db was locked by others for 0\.3 s"):
        store.save(STOCK, [ROW], Checkpoint(1))

    assert store.load(STOCK, [("S0", "main")]) == {}
    other.execute("ROLLBACK")
    store.save(STOCK, [ROW], Checkpoint(1))
    assert store.checkpoint(STOCK).position == 1


def test_a_write_waits_for_its_turn(path: Path, other: sqlite3.Connection) -> None:
    store = SQLiteViewStore(path)
    other.execute("BEGIN IMMEDIATE")
    writing = threading.Thread(target=store.save, args=(STOCK, [ROW], Checkpoint(1)))
    writing.start()
    time.sleep(0.25)
    assert store.checkpoint(STOCK).position == 0, "readers don't wait for writers"
    other.execute("COMMIT")
    writing.join(10)

    assert store.checkpoint(STOCK).position == 1
    store.close()


def test_many_threads_share_a_store(store: SQLiteViewStore) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for version in range(1, 30):
                row = StockRow(
                    f"S{number % 2}", "main", version, 0, 0, 0, 0, None, None, False, version, ""
                )
                store.save(STOCK, [row], Checkpoint(version))
                store.select(STOCK, Query())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [(row.sku, row.version) for row in store.each(STOCK)] == [("S0", 29), ("S1", 29)]
    assert store.checkpoint(STOCK).position == 29


QUERIES = [
    (STOCK, Query(equal={"location": "A"}), "view_stock_levels_by_location_sku"),
    (STOCK, Query(present=("promotable",)), "view_stock_levels_by_promotable"),
    (STOCK, Query(equal={"sku": "S0"}, after=("S0", "A")), "PRIMARY KEY"),
    (ORDERS, Query(), "view_orders_by_placed_at_order_id"),
    (ORDERS, Query(after=("2026", "O1")), "view_orders_by_placed_at_order_id"),
    (ORDERS, Query(equal={"status": "shipped"}), "view_orders_by_status_placed_at_order_id"),
    (ORDERS, Query(equal={"customer": "C"}), "view_orders_by_customer_placed_at_order_id"),
    (ORDERS, Query(present=("task",)), "view_orders_by_task"),
    (ORDERS.at(2), Query(present=("task",)), "view_orders_g2_by_task"),
    (OPEN, Query(), "view_open_reservations_by_due_at_order_id"),
    (OPEN, Query(at_most={"due_at": "2026"}), "view_open_reservations_by_due_at_order_id"),
    (OPEN, Query(after=("2026", "O1")), "view_open_reservations_by_due_at_order_id"),
]


@pytest.mark.parametrize(("view", "query", "index"), QUERIES)
def test_every_query_has_its_index(
    store: SQLiteViewStore,  # noqa: ARG001 - makes the tables
    other: sqlite3.Connection,
    view: View[Any],
    query: Query,
    index: str,
) -> None:
    statement, params = Statements(view).query(query)
    plan = " ".join(
        row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {statement}", params).fetchall()
    )

    assert index in plan
    if view is OPEN or (not query.at_most and not query.present):
        assert "TEMP B-TREE" not in plan, "the index gives the order as well"


def test_views_are_not_worth_a_sync_but_survive_one(store: SQLiteViewStore) -> None:
    with store._connection() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)


@dataclass(frozen=True, slots=True)
class OlderRow:
    """What `OrderRow` was in some earlier version of the code."""

    order_id: str
    placed_at: str
    updated_at: str
    version: int = 0
    colour: str = "red"
    """A field that was given up since."""


class OlderView(View[OlderRow]):
    """The orders as older code knows them."""

    row = OlderRow
    key_fields = ("order_id",)
    order = ("placed_at", "order_id")
    indexes = (("placed_at", "order_id"),)

    def feeds(self, stream: str) -> bool:
        return ORDERS.feeds(stream)

    def key(self, stream: str) -> Key:
        return ORDERS.key(stream)

    def fold(self, row: OlderRow | None, recorded: Recorded) -> OlderRow:
        return row or OlderRow(ORDERS.key(recorded.stream)[0], recorded.at, recorded.at)


@pytest.mark.parametrize("generation", [1, 4])
def test_a_table_of_older_code_is_read_and_written_by_both(path: Path, generation: int) -> None:
    """Fields and indexes are added to what is live, with their defaults."""
    view, older = ORDERS.at(generation), OlderView("orders").at(generation)
    before = SQLiteViewStore(path)
    before.prepare([older])
    before.save(older, [OlderRow("O1", "2026", "2026", 1, "blue")])
    if generation > 1:
        live = Generations(generation, (generation,), generation)
        assert before.register(older, Generations(), live)

    now = SQLiteViewStore(path)
    now.prepare([ORDERS])

    assert list(now.each(view)) == [OrderRow("O1", "2026", "2026", 1)]
    assert now.select(view, Query(present=("task",))) == []
    now.save(view, [OrderRow("O2", "2026-02", "2026", 1, customer="C", ordered=3)])
    before.save(older, [OlderRow("O3", "2026-03", "2026", 1)])
    assert [row.order_id for row in now.each(view)] == ["O3", "O2", "O1"]
    assert list(before.each(older))[-1] == OlderRow("O3", "2026-03", "2026", 1)
    before.close()
    now.close()


def test_a_new_field_needs_a_default(path: Path) -> None:
    store = SQLiteViewStore(path)
    store.prepare([ORDERS])
    store._write(lambda c: c.execute("ALTER TABLE view_orders DROP COLUMN updated_at"))

    with pytest.raises(ProgrammingError, match="without the field updated_at: give it a default"):
        store.prepare([ORDERS])
    store.close()
