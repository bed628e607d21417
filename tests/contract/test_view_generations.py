"""Generations of a view, and what is remembered of a rebuild, in every view store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from projections.generations import Generations
from projections.rebuild.state import Phase, Rebuilding, Segment
from projections.store import Checkpoint, Query, ViewStore
from projections.views import OpenReservationsView, OrdersView, StockLevelsView
from tests.support.event_stores import ATOMIC
from tests.support.view_stores import Open, level, order

STOCK, ORDERS, OPEN = StockLevelsView(), OrdersView(), OpenReservationsView()
FIRST = Generations()
SECOND = Generations(active=1, live=(1, 2), newest=2)


def test_generations_of_a_view_are_apart(views: ViewStore) -> None:
    second = STOCK.at(2)
    views.prepare([second])
    views.save(second, [level("S0", version=2)], Checkpoint(7, "then"))
    views.save(STOCK, [level("S0", version=1), level("S1")])

    for view, versions in ((STOCK, [1, 1]), (second, [2])):
        assert [row.version for row in views.each(view)] == versions
        assert [r.version for r in views.select(view, Query({"location": "main"}))] == versions
        assert sorted(r.version for page in views.scan(view) for r in page) == versions
    assert views.select(second, Query({"sku": "S1"})) == []
    assert views.load(second, [("S0", "main"), ("S1", "main")]).keys() == {("S0", "main")}
    assert views.checkpoint(STOCK).position == 0
    assert views.checkpoint(second).position == 7


def test_a_view_has_one_generation_at_first(views: ViewStore) -> None:
    assert views.generations(STOCK) == FIRST == Generations(1, (1,), 1)


def test_generations_change_if_they_are_what_one_thinks(views: ViewStore) -> None:
    assert views.register(STOCK, FIRST, SECOND)
    assert views.generations(STOCK) == views.generations(STOCK.at(2)) == SECOND
    assert views.generations(ORDERS) == FIRST

    assert not views.register(STOCK, FIRST, Generations(1, (1, 3), 3))
    assert not views.register(STOCK, replace(SECOND, active=2), FIRST)
    assert not views.register(STOCK, replace(SECOND, live=(1,)), FIRST)
    assert not views.register(STOCK, replace(SECOND, newest=3), FIRST)
    assert views.generations(STOCK) == SECOND

    assert views.register(STOCK, SECOND, Generations(2, (2, 3), 3))
    assert views.generations(STOCK) == Generations(2, (2, 3), 3)


@pytest.mark.parametrize("open_store", ATOMIC, indirect=True)
def test_one_of_many_registers(open_store: Open) -> None:
    stores = [open_store() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for turn in range(2, 8):
            before = stores[0].generations(STOCK)
            afters = [Generations(1, (1, turn * 10 + n), turn * 10 + n) for n in range(4)]
            won = list(pool.map(lambda s, a, b=before: s.register(STOCK, b, a), stores, afters))
            assert won.count(True) == 1
            assert stores[0].generations(STOCK) == afters[won.index(True)]


def test_a_discarded_generation_is_gone_and_the_others_are_not(views: ViewStore) -> None:
    second, third = STOCK.at(2), STOCK.at(12)
    views.prepare([second, third])
    rows = [level(f"S{n}", promotable=n % 2) for n in range(130)]
    for view in (STOCK, second, third):
        views.save(view, rows, Checkpoint(7, "then"))

    views.discard(second)
    views.discard(second)

    assert not any(views.scan(second))
    assert views.select(second, Query()) == views.select(second, Query({"sku": "S3"})) == []
    assert views.checkpoint(second) == Checkpoint()
    for view in (STOCK, third):
        assert sum(map(len, views.scan(view))) == 130
        assert list(views.each(view)) == sorted(rows, key=lambda row: row.sku)
        assert views.checkpoint(view).position == 7


def test_discarding_what_never_was_is_harmless(views: ViewStore) -> None:
    views.discard(STOCK.at(9))


def test_a_scan_finds_every_row_listed_or_not(views: ViewStore) -> None:
    rows = [order(f"O{n:04}", "2026", due_at="2027" if n % 3 else None) for n in range(1_200)]
    views.save(OPEN, rows)

    found = [row for page in views.scan(OPEN) for row in page]

    assert sorted(found, key=lambda row: row.order_id) == rows
    assert [row for page in views.scan(STOCK) for row in page] == []


def test_a_rebuild_is_remembered_until_it_is_over(views: ViewStore) -> None:
    assert views.rebuilding(STOCK) is None
    begun = Rebuilding("me", ("sku", "on_hand"))
    further = replace(
        begun,
        revision=2,
        generation=3,
        phase=Phase.SETTLED,
        since=1_700_000_000.25,
        leaving=(1, 2),
        segments=(
            Segment(7, {"stream": {"S": "stock:Zoë@A"}, "version": {"N": "3"}}),
            Segment(done=True),
        ),
    )

    assert views.record(STOCK, None, begun)
    assert views.rebuilding(STOCK.at(3)) == begun
    assert views.rebuilding(ORDERS) is None
    assert views.record(STOCK, begun, further)
    assert views.rebuilding(STOCK) == further
    assert views.record(STOCK, further, None)
    assert views.rebuilding(STOCK) is None


def test_a_rebuild_moves_on_for_its_owner_only(views: ViewStore) -> None:
    mine = Rebuilding("me", ("sku",))
    theirs = Rebuilding("they", ("sku",), revision=2)
    assert views.record(STOCK, None, mine)

    assert not views.record(STOCK, None, theirs)
    assert not views.record(STOCK, replace(mine, revision=2), theirs)
    assert not views.record(STOCK, theirs, None)
    assert views.rebuilding(STOCK) == mine

    assert views.record(STOCK, mine, theirs)
    assert not views.record(STOCK, mine, replace(mine, revision=2))
    assert not views.record(STOCK, mine, None)
    assert views.rebuilding(STOCK) == theirs


def test_what_was_recorded_already_is_recorded(views: ViewStore) -> None:
    """An answer that was lost: the change is asked for again, and stands."""
    mine, further = Rebuilding("me", ()), Rebuilding("me", (), revision=2)

    assert views.record(STOCK, None, mine)
    assert views.record(STOCK, None, mine)
    assert views.record(STOCK, mine, further)
    assert views.record(STOCK, mine, further)
    assert views.record(STOCK, further, None)
    assert views.record(STOCK, further, None)
