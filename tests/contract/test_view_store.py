"""What every view store must do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from projections.store import Checkpoint, Query, ViewStore
from projections.store.sqlite import SQLiteViewStore
from projections.views import OrderRow, OrdersView, StockLevelsView, StockRow

STOCK = StockLevelsView()
ORDERS = OrdersView()
Open = Callable[[], ViewStore]


@pytest.fixture(params=["sqlite"])
def open_store(tmp_path: Path) -> Iterator[Open]:
    """Opens view stores that share nothing but their data."""
    opened: list[ViewStore] = []

    def open_sqlite() -> ViewStore:
        store = SQLiteViewStore(tmp_path / "ledger.db")
        store.prepare([STOCK, ORDERS])
        opened.append(store)
        return store

    yield open_sqlite
    for store in opened:
        store.close()


@pytest.fixture
def views(open_store: Open) -> ViewStore:
    return open_store()


def level(sku: str, location: str = "main", version: int = 1, **fields: int | None) -> StockRow:
    row = StockRow(sku, location, 0, 0, 0, 0, 0, None, None, False, version, "2026-01-01")
    return replace(row, **fields)  # type: ignore[arg-type]


def order(order_id: str, placed_at: str, version: int = 1, **fields: str | int | None) -> OrderRow:
    row = OrderRow(order_id, placed_at, placed_at, version)
    return replace(row, **fields)  # type: ignore[arg-type]


def test_an_empty_store_has_nothing(views: ViewStore) -> None:
    assert views.load(STOCK, [("S0", "main")]) == {}
    assert views.select(STOCK, Query()) == []
    assert views.checkpoint(STOCK) == Checkpoint(0)
    assert views.checkpoint(STOCK).at is None


def test_rows_come_back_as_they_were(views: ViewStore) -> None:
    full = StockRow("S0", "main", 9, 4, 3, 1, 1, 5, 7, True, 12, "2026-01-01T00:00:00.000000Z")
    bare = level("S1")

    views.save(STOCK, [full, bare])

    found = views.load(STOCK, [("S0", "main"), ("S1", "main"), ("S2", "main")])
    assert found == {("S0", "main"): full, ("S1", "main"): bare}
    assert repr(found["S0", "main"]) == repr(full)
    assert repr(found["S1", "main"]) == repr(bare)


def test_an_order_comes_back_as_it_was(views: ViewStore) -> None:
    row = OrderRow(
        "O1",
        "2026-01-01",
        "2026-01-02",
        version=3,
        customer="Zoë “Q”",
        expires_at="2027",
        due_at="2027",
        line_count=2,
        ordered=5,
        reserved=5,
        task="shipment",
        task_units=2,
    )
    views.save(ORDERS, [row])

    assert views.load(ORDERS, [("O1",)]) == {("O1",): row}


def test_the_higher_version_wins_in_any_order(views: ViewStore) -> None:
    older, same, newer = (level("S0", version=v, on_hand=n) for v, n in ((1, 1), (2, 2), (3, 3)))

    views.save(STOCK, [same])
    views.save(STOCK, [older])
    views.save(STOCK, [replace(same, on_hand=99)])
    assert views.load(STOCK, [("S0", "main")]) == {("S0", "main"): same}

    views.save(STOCK, [newer])
    views.save(STOCK, [same])
    assert views.load(STOCK, [("S0", "main")]) == {("S0", "main"): newer}


def test_rows_that_lose_do_not_stop_the_others(views: ViewStore) -> None:
    views.save(STOCK, [level("S1", version=5)])

    views.save(STOCK, [level("S0"), level("S1"), level("S2")], Checkpoint(3, "now"))

    assert [(row.sku, row.version) for row in views.each(STOCK)] == [
        ("S0", 1),
        ("S1", 5),
        ("S2", 1),
    ]
    assert views.checkpoint(STOCK) == Checkpoint(3)


def test_a_checkpoint_only_moves_forward(views: ViewStore) -> None:
    views.save(STOCK, [], Checkpoint(5, "five"))
    views.save(STOCK, [], Checkpoint(4, "four"))
    views.save(STOCK, [], Checkpoint(5, "other"))

    assert (views.checkpoint(STOCK).position, views.checkpoint(STOCK).at) == (5, "five")
    assert views.checkpoint(ORDERS).position == 0

    views.save(STOCK, [], Checkpoint(6, "six"))
    assert views.checkpoint(STOCK).at == "six"


def test_saving_nothing_changes_nothing(views: ViewStore) -> None:
    views.save(STOCK, [])

    assert views.select(STOCK, Query()) == []
    assert views.checkpoint(STOCK).position == 0


def test_generations_of_a_view_are_apart(views: ViewStore) -> None:
    second = StockLevelsView("stock_levels_2")
    views.prepare([second])
    views.save(second, [level("S0", version=2)], Checkpoint(7, "then"))
    views.save(STOCK, [level("S0", version=1)])

    assert [row.version for row in views.each(STOCK)] == [1]
    assert [row.version for row in views.each(second)] == [2]
    assert views.checkpoint(STOCK).position == 0


def test_data_outlives_the_store(open_store: Open) -> None:
    first = open_store()
    first.save(STOCK, [level("S0", on_hand=7)], Checkpoint(1, "then"))
    first.close()

    second = open_store()
    assert [row.on_hand for row in second.each(STOCK)] == [7]
    assert second.checkpoint(STOCK).at == "then"


def test_stores_see_each_others_writes(open_store: Open) -> None:
    one, other = open_store(), open_store()

    one.save(STOCK, [level("S0", version=2)])
    other.save(STOCK, [level("S0", version=1), level("S1")])

    assert list(one.each(STOCK)) == list(other.each(STOCK))
    assert one.load(STOCK, [("S0", "main")])["S0", "main"].version == 2


def test_many_rows_are_all_written(views: ViewStore) -> None:
    rows = [level(f"S{n:05}", on_hand=n) for n in range(2_500)]

    views.save(STOCK, rows[::-1], Checkpoint(1, "then"))

    assert list(views.each(STOCK)) == rows
    assert len(views.load(STOCK, [(row.sku, row.location) for row in rows])) == 2_500
    assert views.checkpoint(STOCK).position == 1


def test_positions_are_listed_by_sku_then_location(views: ViewStore) -> None:
    # "A-1@X" sorts before "A@X" as a stream id, but not as a SKU and a location.
    keys = [("A", "X"), ("A", "Y"), ("A-1", "X"), ("B", "A")]
    views.save(STOCK, [level(*key) for key in reversed(keys)])

    assert [(row.sku, row.location) for row in views.each(STOCK)] == keys
    for limit in (1, 2, 3, 4, 5):
        found = views.each(STOCK, Query(limit=limit))
        assert [(row.sku, row.location) for row in found] == keys
    rest = views.select(STOCK, Query(after=("A", "Y"), limit=9))
    assert [(row.sku, row.location) for row in rest] == keys[2:]


def test_orders_are_listed_newest_first(views: ViewStore) -> None:
    rows = [order("O3", "2026-02"), order("O2", "2026-01"), order("O1", "2026-01")]
    views.save(ORDERS, rows)

    assert list(views.each(ORDERS, Query(limit=1))) == rows
    assert views.select(ORDERS, Query(after=("2026-01", "O2"))) == rows[2:]


def test_all_conditions_must_be_met(views: ViewStore) -> None:
    rows = [
        level("S0", "A", available=1),
        level("S0", "B", available=5),
        level("S1", "A", available=1),
        level("S1", "B", available=9),
    ]
    views.save(STOCK, rows)

    def found(query: Query) -> list[int]:
        return [rows.index(row) for row in views.select(STOCK, query)]

    assert found(Query(equal={"sku": "S0"})) == [0, 1]
    assert found(Query(equal={"location": "A"})) == [0, 2]
    assert found(Query(at_most={"available": 5})) == [0, 1, 2]
    assert found(Query(equal={"location": "B"}, at_most={"available": 5})) == [1]
    assert found(Query(equal={"location": "A"}, after=("S0", "A"))) == [2]
    assert found(Query(equal={"sku": "S9"})) == []


def test_none_is_never_at_most_and_false_is_not_present(views: ViewStore) -> None:
    views.save(STOCK, [level("S0"), level("S1", promotable=1, backordered=2, queue_from=3)])
    due = order("O1", "2026-01", due_at="2026-03", task="expiry")
    views.save(ORDERS, [due, order("O2", "2026-01")])

    assert [row.sku for row in views.select(STOCK, Query(present=("promotable",)))] == ["S1"]
    assert views.select(ORDERS, Query(at_most={"due_at": "2026-03"})) == [due]
    assert views.select(ORDERS, Query(at_most={"due_at": "2026-02"})) == []
    assert views.select(ORDERS, Query(present=("task",))) == [due]


def test_a_row_leaves_the_sparse_index_with_what_put_it_there(views: ViewStore) -> None:
    views.save(ORDERS, [order("O1", "2026-01", task="expiry", due_at="2026-03")])
    views.save(ORDERS, [order("O1", "2026-01", version=2)])

    assert views.select(ORDERS, Query(present=("task",))) == []
    assert views.select(ORDERS, Query(at_most={"due_at": "2027"})) == []


def test_a_condition_on_an_unknown_field_is_an_error(views: ViewStore) -> None:
    with pytest.raises(ValueError, match=r"stock_levels has no fields \['colour'\]"):
        views.select(STOCK, Query(equal={"colour": "red"}))
