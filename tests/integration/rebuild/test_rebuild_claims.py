"""Several processes rebuild one view, or go back, at the same time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from projections.generations import Generations
from projections.rebuild.rebuild import RebuildRefused, TakenOver
from projections.rebuild.state import Rebuilding
from projections.views import OrdersView, View
from tests.support.rebuilding import (
    ORDERS,
    STOCK,
    Site,
    completed,
    rows,
)
from tests.support.view_stores import Around


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_whoever_comes_later_takes_over(shop: Site, steps: int) -> None:
    first, second = shop.rebuild(ORDERS), shop.rebuild(ORDERS)
    first.begin()
    for step in (first.settle, first.fill)[: steps - 1]:
        step()
    assert not second.begin()

    if steps < 3:
        with pytest.raises(TakenOver, match="somebody else has taken over the rebuild of orders"):
            (first.settle, first.fill)[steps - 1]()
    else:
        assert first.switch().active == 2, "all is done, whoever does it"
    assert completed(second) == Generations(2, (1, 2), 2)
    assert shop.views.rebuilding(ORDERS) is None
    shop.check(ORDERS)


def test_of_two_who_begin_one_is_refused(shop: Site) -> None:
    class Overtaken(Around):
        def record(
            self, view: View[Any], before: Rebuilding | None, after: Rebuilding | None
        ) -> bool:
            if before is None and self.inner.rebuilding(view) is None:
                shop.rebuild(ORDERS).begin()
            return super().record(view, before, after)

    with pytest.raises(TakenOver):
        shop.rebuild(ORDERS, Overtaken(shop.views)).begin()
    assert completed(shop.rebuild(ORDERS)) == Generations(2, (1, 2), 2)


def test_a_registration_that_was_taken_back_is_not_made_again(shop: Site) -> None:
    """Somebody sleeps just before registering, and wakes when the rebuild was abandoned."""

    class Sleepy(Around):
        slept = False

        def register(self, view: View[Any], before: Generations, after: Generations) -> bool:
            if not self.slept:
                self.slept = True
                shop.rebuild(ORDERS).abandon()
            return super().register(view, before, after)

    with pytest.raises(TakenOver):
        shop.rebuild(ORDERS, Sleepy(shop.views)).begin()
    assert shop.views.generations(ORDERS) == Generations(1, (1,), 2)
    assert shop.rebuilt(ORDERS) == Generations(3, (1, 3), 3)


def test_a_rollback_meanwhile_keeps_what_is_shown(shop: Site) -> None:
    """Somebody goes back between claiming the rebuild and registering its generation."""
    shop.rebuilt(ORDERS)
    raced = shop.rebuild(ORDERS)
    before = shop.views.generations(ORDERS)
    raced._begin(())
    raced._save(generation=3, leaving=before.live, segments=raced._history.begin(1))
    assert shop.views.register(ORDERS, before, replace(before, active=1))
    raced._save(fields=tuple(f for f in ORDERS.row.__dataclass_fields__))

    assert shop.rebuilt(ORDERS) == Generations(3, (1, 3), 3)
    assert rows(shop.views, ORDERS.at(2)) == {}
    shop.check(ORDERS)


def test_a_rebuild_that_died_after_the_switch_is_finished(shop: Site) -> None:
    rebuild = shop.rebuild(ORDERS)
    rebuild.begin()
    rebuild.settle()
    rebuild.fill()
    left = rebuild.state
    rebuild.switch()
    assert shop.views.record(ORDERS, None, left)

    with pytest.raises(RebuildRefused, match="generation 2 of orders is the one that is shown"):
        shop.rebuild(ORDERS).abandon()
    assert shop.views.record(ORDERS, None, left)
    assert shop.rebuilt(ORDERS) == Generations(2, (1, 2), 2)
    assert shop.views.record(ORDERS, None, left)
    assert shop.rebuild(ORDERS).rollback().active == 1
    assert shop.views.rebuilding(ORDERS) is None
    shop.check(ORDERS)


def test_other_code_does_not_go_on_with_a_rebuild(shop: Site) -> None:
    shop.rebuild(ORDERS).begin()

    class Later(OrdersView):
        row = STOCK.row  # type: ignore[assignment]

    with pytest.raises(RebuildRefused, match="begun by code whose rows have other fields"):
        shop.rebuild(Later()).begin()
    assert completed(shop.rebuild(ORDERS)).active == 2
