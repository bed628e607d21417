"""Who changes the generations of a view: one at a time, whoever claimed it last.

The claim is a stored `Rebuilding`, and every change of it is made on the condition that nobody
else has changed it. Whoever comes later takes it over at once: no lease has to run out after a
crash. The former owner finds out when it saves its next step. Until then it may write rows, which
are the ones that the new owner writes as well, and no registration that was taken back can be
made again, since a generation's number is never given twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from eventsourcing.persistence import OperationalError

from projections.generations import SETTLE_SECONDS, Generations
from projections.rebuild.history import History
from projections.rebuild.state import Rebuilding
from projections.store.base import ViewStore
from projections.views.base import View

Told = Callable[[float], object]
"""Is told how far something is."""

TRIES: Final = 20


class RebuildRefused(Exception):
    """It can't be done as things are; the message says why, and what can be done."""


class TakenOver(RebuildRefused):
    """Somebody else goes on with the rebuild."""

    def __init__(self, view: View[Any]) -> None:
        super().__init__(f"somebody else has taken over the rebuild of {view.base}.")


class Claim:
    """One process's claim on the generations of a view.

    Parameters
    ----------
    view
        In any generation.
    clock
        Epoch seconds. Whoever goes on with a rebuild judges by its own clock how long ago the
        registration changed: clocks are taken to differ by less than `WRITE_SECONDS`.
    owner
        A name nobody else has.
    """

    def __init__(
        self,
        store: ViewStore,
        history: History,
        view: View[Any],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        owner: str | None = None,
    ) -> None:
        self.view = view
        self._store = store
        self._history = history
        self._clock = clock
        self._sleep = sleep
        self._owner = owner or uuid4().hex
        self._state: Rebuilding | None = None
        self._guard = threading.Lock()
        """Held by threads of this process that save."""

    @property
    def state(self) -> Rebuilding:
        """How far the rebuild is that this process has begun or taken over."""
        assert self._state is not None, "begin first"
        return self._state

    @property
    def generations(self) -> Generations:
        """The view's generations as they are now."""
        return self._store.generations(self.view)

    def unfinished(self) -> Rebuilding | None:
        """The rebuild that is under way or was left, whoever's it is."""
        return self._store.rebuilding(self.view)

    def _claim(self, before: Rebuilding | None, after: Rebuilding) -> None:
        try:
            claimed = self._store.record(self.view, before, after)
        except OperationalError:
            # The write may stand unheard: then it is our own, and not a takeover to be seen later.
            claimed = self.unfinished() == after
            if not claimed:
                raise
        if not claimed:
            raise TakenOver(self.view)
        self._state = after

    def _begin(self, fields: tuple[str, ...], **known: Any) -> None:
        self._claim(None, Rebuilding(self._owner, fields, **known))

    def _take_over(self, known: Rebuilding) -> None:
        self._claim(known, replace(known, owner=self._owner, revision=known.revision + 1))

    def _save(self, **changes: Any) -> None:
        self._claim(self.state, replace(self.state, **changes, revision=self.state.revision + 1))

    def _end(self) -> None:
        """Give the claim up. If somebody has taken it over, they will find that all is done."""
        self._store.record(self.view, self.state, None)

    def _change(self, change: Callable[[Generations], Generations]) -> Generations:
        """Change the generations, whatever else happens to them meanwhile."""
        for _ in range(TRIES):
            before = self.generations
            after = change(before)
            if after == before or self._store.register(self.view, before, after):
                return after
        msg = f"others keep changing the generations of {self.view.base}. Try again."
        raise RebuildRefused(msg)

    def _wait(self, told: Told) -> None:
        """Wait until a change of the registration is known to everybody who writes."""
        if not self._history.settles:
            return
        left = min(SETTLE_SECONDS, self.state.since + SETTLE_SECONDS - self._clock())
        until = self._clock() + left
        while left > 0:
            told(left)
            self._sleep(min(1.0, left))
            left = until - self._clock()

    def _refused(self, why: str) -> RebuildRefused:
        name = self.view.base
        return RebuildRefused(f"{name}: {why}. `ledger rebuild {name} --abandon` drops it.")
