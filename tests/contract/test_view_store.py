"""What every view store must do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from projections.store import Checkpoint, Query, ViewStore
from projections.views import OrderRow, OrdersView, StockLevelsView, StockRow
from tests.support.event_stores import ATOMIC
from tests.support.view_stores import Open, level

STOCK = StockLevelsView()
ORDERS = OrdersView()


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
    rows = [level(f"S{n:05}", on_hand=n) for n in range(1_100)]

    views.save(STOCK, rows[::-1], Checkpoint(1, "then"))

    assert list(views.each(STOCK)) == rows
    assert len(views.load(STOCK, [(row.sku, row.location) for row in rows])) == 1_100
    assert views.checkpoint(STOCK).position == 1


@pytest.mark.parametrize("open_store", ATOMIC, indirect=True)
def test_whoever_writes_last_the_higher_version_stays(open_store: Open) -> None:
    stores = [open_store() for _ in range(4)]

    def write(version: int) -> None:
        row = level("S0", version=version, on_hand=version)
        stores[version % 4].save(STOCK, [row], Checkpoint(version, f"{version}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [*range(40, 0, -1), *range(1, 41)]))

    assert stores[0].load(STOCK, [("S0", "main")])["S0", "main"].on_hand == 40
    assert stores[0].checkpoint(STOCK).at == "40"
