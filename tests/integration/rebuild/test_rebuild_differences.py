"""What a rebuild would change is found, while rows move."""

from __future__ import annotations

import itertools

from projections.generations import Single
from projections.runner import Runner
from tests.support.event_stores import all_events
from tests.support.rebuilding import (
    STOCK,
    VIEWS,
    Site,
    catch_up,
)
from tests.support.view_stores import level


def test_rows_that_were_lost_or_wrong_are_repaired(tables: Site) -> None:
    shop = tables
    shop.receive(9, "S0", "S1", "S2")
    wrong, stray = level("S1", "A", 1, on_hand=99), level("S9", "A", 4)
    shop.views.save(STOCK, [wrong, stray])
    catch_up(shop)
    (lost,) = [row for row in shop.expected(STOCK).values() if row.sku == "S2"]
    shop.views.discard(STOCK)
    kept = [row for row in shop.expected(STOCK).values() if row.sku == "S0"]
    shop.views.save(STOCK, [*kept, wrong, stray])

    rebuild = shop.rebuild(STOCK)
    rebuild.begin()
    rebuild.settle()
    rebuild.fill()
    comparison = rebuild.diff()
    found = {difference.key: difference for difference in comparison}

    assert found.keys() == {("S1", "A"), ("S2", "A"), ("S9", "A")}
    assert found["S1", "A"].fields() == [
        ("on_hand", 99, 9),
        ("available", 0, 9),
        ("at", wrong.at, lost.at),
    ]
    assert (found["S2", "A"].shown, found["S2", "A"].rebuilt) == (None, lost)
    assert found["S2", "A"].fields() == [("", "no row", "a row")]
    assert (found["S9", "A"].shown, found["S9", "A"].rebuilt) == (stray, None)
    assert not any(difference.lags for difference in found.values())
    assert comparison.rows == 4
    assert shop.shown(STOCK)["S1", "A"] == wrong, "nothing changes before the switch"
    rebuild.switch()
    assert shop.shown(STOCK) == shop.expected(STOCK)


def test_equal_generations_have_no_differences(shop: Site) -> None:
    for view in VIEWS:
        rebuild = shop.rebuild(view)
        rebuild.begin()
        rebuild.settle()
        rebuild.fill()
        comparison = rebuild.diff()
        slept = shop.time.slept
        assert list(comparison) == []
        assert comparison.rows == len(shop.expected(view))
        assert shop.time.slept == slept


def test_rows_that_move_are_read_again_until_they_are_at_one_version(tables: Site) -> None:
    shop = tables
    shop.receive(9, *(f"S{n}" for n in range(30)))
    catch_up(shop)
    rebuild = shop.rebuild(STOCK)
    rebuild.begin()
    rebuild.settle()
    rebuild.fill()
    shop.receive(1, *(f"S{n}" for n in range(20, 40)))
    only_new = Runner(shop.recorder, shop.views, [STOCK], Single(shop.views, 2))
    only_new.apply(all_events(shop.recorder)).check()
    waits = itertools.count(1)

    def catch_up_late() -> None:
        if next(waits) == 3:
            catch_up(shop)

    shop.time.meanwhile = catch_up_late

    assert list(rebuild.diff()) == []
    assert next(waits) > 3


def test_rows_that_stay_apart_lag(tables: Site) -> None:
    shop = tables
    shop.receive(9, "S0", "S1")
    catch_up(shop)
    rebuild = shop.rebuild(STOCK)
    rebuild.begin()
    shop.receive(1, "S0")
    rebuild.settle()
    rebuild.fill()

    (found,) = rebuild.diff()

    assert found.lags
    assert (found.key, found.fields()) == (("S0", "A"), [("version", 1, 2)])
