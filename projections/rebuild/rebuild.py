"""Rebuilding a view: a new generation is filled from all events, compared, and switched to.

::

    begin ── settle ── fill ── (diff) ── switch ── (rollback, release)
                └─────────┴──────┴── abandon

Every step may be done again, by anybody, from any point: what there is to know is stored (see
`projections.rebuild.claim`). Why the order is this one: `projections.generations` and ADR 0015.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import fields
from typing import Any, Final

from projections.generations import Generations
from projections.rebuild.claim import RebuildRefused, TakenOver, Told
from projections.rebuild.differences import Comparison
from projections.rebuild.state import Phase, Rebuilding, Segment
from projections.rebuild.undo import Undo, untold
from projections.views.base import View

__all__ = ["SEGMENTS", "Rebuild", "RebuildRefused", "TakenOver"]

SEGMENTS: Final = 4

RECENT: Final = 4
"""Generations that may have got rows after they were discarded, where nobody waits for that."""


class Rebuild(Undo):
    """The rebuild of one view by one process: its steps forward, and those back (`Undo`)."""

    def begin(self, segments: int = SEGMENTS) -> bool:
        """Register a new generation, or go on with an unfinished rebuild; answers whether it is
        a new one. `segments` are read at a time, where history can be divided.

        A generation that is neither shown nor new is no longer written from here on.

        Raises
        ------
        RebuildRefused
            The unfinished one can't be gone on with.
        """
        names = tuple(field.name for field in fields(self.view.row))
        known = self.unfinished()
        if known is None:
            self._begin(names)
        else:
            self._check(known, names)
            self._take_over(known)
        if not self.state.generation:
            # Numbers are given by whoever holds the claim, and by nobody else.
            before = self.generations
            number = before.newest + 1
            leaving = {*before.live}
            if not self._history.settles:
                # Nobody waited for those who were in the middle of writing what was discarded.
                leaving |= set(range(max(1, number - RECENT), number))
            parts = self._history.begin(segments)
            self._save(generation=number, leaving=tuple(sorted(leaving)), segments=parts)
        if self.state.phase is Phase.BEGUN:
            self._store.prepare([self._new])
            self._change(self._registered)
            self._save(phase=Phase.REGISTERED, since=self._clock())
        return known is None

    def total(self) -> int:
        """About how many events there are to be read."""
        return max(self.state.events, self._history.total())

    def settle(self, told: Told = untold) -> None:
        """Wait until everybody who writes knows of the new generation; `told` how many seconds
        are left. Whoever goes on with a rebuild waits for the rest only.
        """
        if self.state.phase is Phase.REGISTERED:
            self._wait(told)
            self._save(phase=Phase.SETTLED)

    def fill(self, told: Told = untold) -> None:
        """Read history into the new generation, all segments at once; `told` how many events
        were read. What was read before is not read again.

        Raises
        ------
        CorruptEvent, EventsMissing
            A stream can't be folded.
        OperationalError
            A store was too busy for too long. Filling again goes on.
        """
        if self.state.phase is not Phase.SETTLED:
            return
        left = [n for n, segment in enumerate(self.state.segments) if not segment.done]
        stop = threading.Event()

        def fill(number: int) -> None:
            with closing(self.fill_segment(number)) as steps:
                for _ in steps:
                    told(self.state.events)
                    if stop.is_set():
                        return

        if left:
            with ThreadPoolExecutor(len(left), "rebuild") as pool:
                try:
                    for future in as_completed([pool.submit(fill, number) for number in left]):
                        future.result()
                finally:
                    stop.set()
        self.filled()

    def fill_segment(self, number: int) -> Generator[Segment, None, None]:
        """Fill from one segment; with every step, a page is written and remembered."""
        for segment in self._history.fill(self._store, self._new, number, self.state.segments):
            with self._guard:
                segments = list(self.state.segments)
                segments[number] = segment
                self._save(segments=tuple(segments))
            yield segment

    def filled(self) -> None:
        """All segments are read: discard what is no longer written, and be ready to switch."""
        assert all(segment.done for segment in self.state.segments), "history is read"
        generations = self.generations
        self._history.finish(self._store, self.view.at(generations.active), self._new)
        for number in self.state.leaving:
            if number not in generations.live:
                self._store.discard(self.view.at(number))
        self._save(phase=Phase.FILLED)

    def diff(self) -> Comparison:
        """What switching would change, row by row as it is iterated over."""
        shown = self.view.at(self.generations.active)
        return Comparison(self._store, shown, self._new, clock=self._clock, sleep=self._sleep)

    def switch(self) -> Generations:
        """Show the new generation. The one that was shown is kept up to date beside it.

        Readers follow within `TRUSTED_SECONDS`.
        """
        assert self.state.phase is Phase.FILLED, "only what is complete is shown"
        after = self._change(self._switched)
        self._end()
        return after

    @property
    def _new(self) -> View[Any]:
        return self.view.at(self.state.generation)

    def _check(self, known: Rebuilding, names: tuple[str, ...]) -> None:
        """Refuse what can't be gone on with."""
        if known.phase is Phase.DROPPED:
            raise self._refused(f"generation {known.generation} is being dropped")
        if known.fields != names:
            raise self._refused("the rebuild was begun by code whose rows have other fields")

    def _registered(self, before: Generations) -> Generations:
        number = self.state.generation
        if before.newest >= number and number not in before.live:
            raise TakenOver(self.view)  # and dropped since
        return before.adding(number)

    def _switched(self, before: Generations) -> Generations:
        if self.state.generation not in before.live:
            raise TakenOver(self.view)  # and dropped since
        return before.showing(self.state.generation)
