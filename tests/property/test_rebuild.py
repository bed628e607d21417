"""A rebuild may die anywhere: what is shown is right all the time, and somebody finishes it."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.rebuild.rebuild import Rebuild, RebuildRefused
from projections.views import View
from tests.support.engines import Engines
from tests.support.histories import Move, moves
from tests.support.rebuilding import (
    ORDERS,
    STOCK,
    Site,
    Story,
    catch_up,
    completed,
    rows,
    site,
)
from tests.support.view_stores import Crash, Crashing

SMALL = [
    Move("place", 0, 1, 2),
    Move("receive", 1, 0, 1),
    Move("place", 1, 0, 3),
    Move("advance", 0, 0, 0),
    Move("ship", 0, 0, 1),
]


def check(shop: Site, view: View[Any]) -> None:
    """What is live is the fold of all events, and nothing is left of what is not."""
    shop.check(view)
    known = shop.views.generations(view)
    for gone in set(range(1, known.newest + 1)) - set(known.live):
        assert rows(shop.views, view.at(gone)) == {}


@pytest.mark.parametrize("view", [STOCK, ORDERS], ids=lambda view: view.base)
@pytest.mark.parametrize("kind", ["sqlite", "moto"])
def test_a_rebuild_that_dies_at_any_write_is_finished(
    tmp_path: Path, engines: Engines, kind: str, view: View[Any]
) -> None:
    """At every single one of its writes; then another process goes on with it, or drops it."""
    with site(kind, tmp_path, engines) as shop:
        Story(shop).play(SMALL)
        catch_up(shop)
        shop.page = 3
        for at in range(1_000):
            crashing = Crashing(shop.views, at)
            before = shop.views.generations(view)
            try:
                completed(shop.rebuild(view, crashing), 1)
            except Crash:
                assert shop.shown(view) == shop.expected(view)
            else:
                break
            if at % 3 == 2 and shop.views.rebuilding(view) is not None:
                drop(shop, view)
            else:
                completed(shop.rebuild(view), 1)
            assert shop.views.rebuilding(view) is None
            assert shop.views.generations(view).newest <= before.newest + 2
            check(shop, view)
        assert at > 15, "it has died at every write"


def drop(shop: Site, view: View[Any]) -> None:
    """Abandon what is unfinished, dying once more on the way."""
    with suppress(Crash, RebuildRefused):
        shop.rebuild(view, Crashing(shop.views, 2)).abandon()
    with suppress(RebuildRefused):
        shop.rebuild(view).abandon()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody begins or goes on, drops, goes back or lets go; and may die before a write."""

    deed: str
    crash_at: int | None
    history: list[Move]
    """What happens then, seen by runners or not yet."""
    seen: bool


attempts = st.lists(
    st.builds(
        Attempt,
        st.sampled_from(("rebuild", "rebuild", "rebuild", "abandon", "rollback", "release")),
        st.none() | st.integers(0, 30),
        moves.map(lambda found: found[:5]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=settings().max_examples // 2)
@given(moves, attempts, st.sampled_from((STOCK, ORDERS)))
def test_whatever_is_attempted_the_views_are_right(
    engines: Engines, history: list[Move], plan: list[Attempt], view: View[Any]
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        site("sqlite", Path(folder), engines) as shop,
    ):
        story = Story(shop)
        story.play(history)
        catch_up(shop)
        for attempt in plan:
            store = Crashing(shop.views, -1 if attempt.crash_at is None else attempt.crash_at)
            with suppress(Crash, RebuildRefused):
                do(attempt.deed, shop.rebuild(view, store))
            known = shop.views.generations(view)
            unfinished = shop.views.rebuilding(view)
            for number in known.live:
                if unfinished is None or number == known.active:
                    catch_up(shop)
                    assert rows(shop.views, view.at(number)) == shop.expected(view)
            story.play(attempt.history)
            if attempt.seen:
                catch_up(shop)
        drop(shop, view)
        completed(shop.rebuild(view), 1)
        catch_up(shop)
        check(shop, view)


def do(deed: str, rebuild: Rebuild) -> None:
    """One of the things that can be done."""
    if deed == "rebuild":
        completed(rebuild, 1)
    else:
        getattr(rebuild, deed)()
