"""What every view store must find."""

from __future__ import annotations

from dataclasses import replace

import pytest

from projections.store import Query, ViewStore
from projections.views import OpenReservationsView, OrdersView, StockLevelsView
from tests.support.view_stores import level, order

STOCK = StockLevelsView()
ORDERS = OrdersView()
OPEN = OpenReservationsView()


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


def test_only_what_has_a_place_in_the_order_is_listed(views: ViewStore) -> None:
    rows = [
        order("O9", "2026-01", due_at="2026-02"),
        order("O1", "2026-02", due_at="2026-03"),
        order("O2", "2026-01", due_at="2026-03"),
        order("O3", "2026-01", due_at="2026-03-01"),
    ]
    unlisted = order("O4", "2026-01")
    views.save(OPEN, [unlisted, *reversed(rows)])

    assert list(views.each(OPEN)) == list(views.each(OPEN, Query(limit=1))) == rows
    assert views.select(OPEN, Query({"order_id": "O4"})) == []
    assert views.select(OPEN, Query(after=("2026-03", "O1"), limit=1)) == rows[2:3]
    assert views.load(OPEN, [("O4",)]) == {("O4",): unlisted}
    views.save(OPEN, [order("O9", "2026-01", version=2)])
    assert list(views.each(OPEN)) == rows[1:]


def test_an_upper_bound_of_the_order_ends_the_list(views: ViewStore) -> None:
    days = ("2026-01", "2026-02", "2026-02-01", "2026-03")
    rows = [order(f"O{n}+{day}", day, due_at=day) for day in days for n in range(3)]
    views.save(OPEN, rows)
    views.save(ORDERS, rows)

    for view, field in ((OPEN, "due_at"), (ORDERS, "placed_at")):
        listed = rows if view is OPEN else rows[::-1]
        for day in (*days, "2025", "2027", "2026-02-"):
            within = [row for row in listed if row.placed_at <= day]
            bounded = Query(at_most={field: day})
            for limit in (1, 4, 500):
                assert list(views.each(view, replace(bounded, limit=limit))) == within
            for row in listed:
                after = (row.placed_at, row.order_id)
                rest = [r for r in within if listed.index(r) > listed.index(row)]
                assert views.select(view, replace(bounded, after=after)) == rest


def test_a_page_is_full_though_few_rows_answer(views: ViewStore) -> None:
    """What doesn't answer a query doesn't count: neither for the limit, nor for the end."""
    levels = [level(f"S{n:03}", "AB"[n % 2], available=n % 30) for n in range(60)]
    orders = [
        order(f"O{n:03}", f"2026-{n // 2:03}", customer="CD"[n % 2], task="expiry", ordered=n % 30)
        for n in range(60)
    ]
    views.save(STOCK, levels)
    views.save(ORDERS, orders)

    for equal in ({}, {"location": "A"}, {"location": "B"}):
        few = Query(equal=equal, at_most={"available": 1})
        fit = [r for r in levels if r.available <= 1 and r.location in equal.get("location", "AB")]
        for limit in (1, 3, 500):
            assert views.select(STOCK, replace(few, limit=limit)) == fit[:limit]
            assert list(views.each(STOCK, replace(few, limit=limit))) == fit
    fit_orders = [row for row in reversed(orders) if row.ordered <= 1 and row.customer == "D"]
    for query in (
        Query({"customer": "D"}, {"ordered": 1}, limit=2),
        Query({"status": "allocating", "customer": "D"}, {"ordered": 1}, limit=2),
        Query({"customer": "D"}, {"ordered": 1}, ("task",), limit=3),
    ):
        assert list(views.each(ORDERS, query)) == fit_orders


def test_conditions_on_keys_of_every_kind(views: ViewStore) -> None:
    rows = [level(sku, place) for sku in ("A", "B", "C") for place in ("X", "Y", "Z")]
    orders = [order("O3", "2026-02"), order("O2", "2026-01"), order("O1", "2026-01")]
    views.save(STOCK, rows)
    views.save(ORDERS, orders)

    def found(query: Query) -> list[str]:
        return [row.sku + row.location for row in views.select(STOCK, query)]

    assert found(Query({"sku": "B", "location": "Y"})) == ["BY"]
    assert found(Query({"sku": "B", "location": "Y"}, after=("B", "X"))) == ["BY"]
    assert found(Query({"sku": "B", "location": "Y"}, after=("B", "Y"))) == []
    assert found(Query({"sku": "B", "location": "Y"}, {"on_hand": -1})) == []
    assert found(Query({"sku": "B"}, after=("A", "Z"))) == ["BX", "BY", "BZ"]
    assert found(Query({"sku": "B"}, after=("B", "X"), limit=1)) == ["BY"]
    assert found(Query({"sku": "B"}, after=("C", "X"))) == []
    assert found(Query({"sku": "B"}, {"location": "Y"}, ("location",))) == ["BX", "BY"]
    assert found(Query(at_most={"sku": "A"}, limit=2)) == ["AX", "AY"]
    assert found(Query({"location": "Z"}, {"sku": "B"})) == ["AZ", "BZ"]
    assert found(Query({"location": "Z"}, {"location": "Y"})) == []
    assert views.select(ORDERS, Query({"order_id": "O2"})) == orders[1:2]
    assert views.select(ORDERS, Query({"order_id": "O2"}, after=("2026-02", "O3"))) == orders[1:2]
    assert views.select(ORDERS, Query({"order_id": "O2"}, after=("2026-01", "O2"))) == []
    assert views.select(ORDERS, Query({"placed_at": "2026-01"}, limit=1)) == orders[1:2]


def test_a_condition_on_an_unknown_field_is_an_error(views: ViewStore) -> None:
    with pytest.raises(ValueError, match=r"stock_levels has no fields \['colour'\]"):
        views.select(STOCK, Query(equal={"colour": "red"}))
