"""Rebuilding views, on a file with a log and on event tables without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.codec import CorruptEvent
from projections.generations import Generations, Registry
from projections.rebuild.rebuild import RebuildRefused, TakenOver
from projections.rebuild.state import Phase
from projections.store import Query, ViewStoreBusy
from projections.views import View
from tests.support.engines import Engines
from tests.support.rebuilding import (
    OPEN,
    ORDERS,
    STOCK,
    VIEWS,
    Site,
    catch_up,
    completed,
    rows,
    site,
)
from tests.support.view_stores import Around


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.base)
def test_a_rebuilt_view_is_the_fold_of_all_events(shop: Site, view: View[Any]) -> None:
    assert shop.rebuilt(view, 3) == Generations(2, (1, 2), 2)

    shop.check(view)
    assert shop.views.rebuilding(view) is None
    for other in VIEWS:
        assert shop.views.generations(other).newest == (2 if other == view else 1)
    if shop.has_log:
        assert shop.views.checkpoint(view.at(2)) == shop.views.checkpoint(view)


def test_the_generations_go_on_together(shop: Site) -> None:
    shop.rebuilt(STOCK)
    shop.receive(3, "S1", "S7")
    shop.place("O9", 1, "S7")
    catch_up(shop)

    assert shop.views.generations(STOCK).live == (1, 2)
    shop.check(STOCK)


def test_the_oldest_generation_makes_room_for_the_newest(shop: Site) -> None:
    for newest in (2, 3, 4):
        shop.rebuilt(ORDERS)
        shop.receive(1, "S0")
        shop.place(f"N{newest}", 1, "S0")
        catch_up(shop)

        assert shop.views.generations(ORDERS) == Generations(newest, (newest - 1, newest), newest)
        shop.check(ORDERS)
        for gone in range(1, newest - 1):
            assert rows(shop.views, ORDERS.at(gone)) == {}


def test_one_can_go_back_and_forth(shop: Site) -> None:
    with pytest.raises(RebuildRefused, match="orders has no former generation to go back to"):
        shop.rebuild(ORDERS).rollback()
    shop.rebuilt(ORDERS)
    assert shop.rebuild(ORDERS).rollback() == Generations(1, (1, 2), 2)
    shop.place("O9", 1, "S0")
    catch_up(shop)
    shop.check(ORDERS)
    assert shop.rebuild(ORDERS).rollback() == Generations(2, (1, 2), 2)
    shop.check(ORDERS)

    shop.rebuild(ORDERS).rollback()
    assert shop.rebuilt(ORDERS) == Generations(3, (1, 3), 3)
    assert rows(shop.views, ORDERS.at(2)) == {}


def test_what_is_being_filled_is_nothing_to_go_back_to(shop: Site) -> None:
    shop.rebuild(ORDERS).begin()

    for step in ("rollback", "release"):
        with pytest.raises(RebuildRefused, match=r"generation 2 is not finished\. `ledger rebuild"):
            getattr(shop.rebuild(ORDERS), step)()
    assert shop.views.generations(ORDERS).active == 1


def test_an_unfinished_rebuild_is_abandoned(shop: Site) -> None:
    rebuild = shop.rebuild(ORDERS)
    rebuild.begin()
    rebuild.settle()
    rebuild.fill()

    assert shop.rebuild(ORDERS).abandon() == 2

    assert shop.views.generations(ORDERS) == Generations(1, (1,), 2)
    assert rows(shop.views, ORDERS.at(2)) == {}
    assert shop.views.rebuilding(ORDERS) is None
    with pytest.raises(RebuildRefused, match="there is no unfinished rebuild of orders"):
        shop.rebuild(ORDERS).abandon()
    with pytest.raises(TakenOver):
        rebuild.switch()
    shop.check(ORDERS)
    assert shop.rebuilt(ORDERS) == Generations(3, (1, 3), 3), "numbers are never given twice"


def test_the_former_generation_is_released(shop: Site) -> None:
    with pytest.raises(RebuildRefused, match="orders keeps no former generation"):
        shop.rebuild(ORDERS).release()
    shop.rebuilt(ORDERS)

    assert shop.rebuild(ORDERS).release() == 1

    assert shop.views.generations(ORDERS) == Generations(2, (2,), 2)
    assert rows(shop.views, ORDERS) == {}
    catch_up(shop)
    shop.check(ORDERS)


def test_an_order_that_can_not_be_folded_stops_the_rebuild(
    tmp_path: Path, engines: Engines
) -> None:
    with site("sqlite", tmp_path, engines) as shop:
        shop.receive(9, "S0")
        shop.place("O1", 1, "S0")
        with shop.recorder.datastore.transaction(commit=True) as cursor:  # type: ignore[attr-defined]
            change = "UPDATE stored_events SET state=? WHERE originator_id='order:O1'"
            cursor.execute(change, (b"{}",))
        with pytest.raises(CorruptEvent, match="order:O1 version 1: not an envelope"):
            shop.rebuilt(ORDERS)
        assert shop.views.generations(ORDERS).active == 1
        assert shop.rebuilt(STOCK).active == 2


@pytest.mark.parametrize("failures", [3, 99])
def test_a_busy_store_is_waited_for(tables: Site, failures: int) -> None:
    shop = tables
    shop.receive(9, *(f"S{n}" for n in range(20)))

    class Busy(Around):
        left = failures

        def save(self, view: View[Any], *rest: Any) -> None:
            if self.left:
                self.left -= 1
                raise ViewStoreBusy("not now")
            super().save(view, *rest)

    rebuild = shop.rebuild(STOCK, Busy(shop.views))
    if failures < 10:
        completed(rebuild, 1)
        assert shop.shown(STOCK) == shop.expected(STOCK)
    else:
        with pytest.raises(ViewStoreBusy):
            completed(rebuild, 1)
        assert rebuild.state.phase is Phase.SETTLED


def test_readers_go_on_across_a_switch(shop: Site) -> None:
    """A cursor of one generation goes on in the next one."""
    first = shop.views.select(OPEN, Query(limit=2))
    shop.rebuilt(OPEN)
    active = Registry(shop.views, trusted=0).active(OPEN)
    assert active == OPEN.at(2)

    after = (first[-1].due_at or "", first[-1].order_id)
    rest = shop.views.select(active, Query(after=after))
    assert [row.order_id for row in (*first, *rest)] == ["O0", "O2", "O3"]
