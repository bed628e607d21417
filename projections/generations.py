"""Generations of a view: a view is rebuilt into a new one while the others stay in use.

Every generation that is *live* is written by everybody who applies events; the *active* one is
read. Order matters. A rebuild makes its generation live first, waits until everybody must know,
and only then reads history: so every event is in what it reads, or comes to somebody who writes
the new generation. The one that was active before stays live, so that one can go back to it.

Whoever applies events may remember which generations are live for `TRUSTED_SECONDS`, and may take
`WRITE_SECONDS` from looking to the end of what was begun on it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

if TYPE_CHECKING:
    from projections.store.base import ViewStore
    from projections.views.base import View

V = TypeVar("V", bound="View[Any]")

TRUSTED_SECONDS: Final = 5.0
"""How long a remembered registration may be acted on."""

WRITE_SECONDS: Final = 20.0
"""How long a write that was begun on a remembered registration may take: the store's client gives
up within that time."""

SETTLE_SECONDS: Final = TRUSTED_SECONDS + WRITE_SECONDS
"""After this long, everybody who writes knows of a registered generation."""


@dataclass(frozen=True, slots=True)
class Generations:
    """Which generations of one view there are. `newest` is the highest number ever given."""

    active: int = 1
    live: tuple[int, ...] = (1,)
    newest: int = 1

    def __post_init__(self) -> None:
        """The active generation is live, and numbers are never given twice."""
        assert self.active in self.live, "what is read is written"
        assert max(self.live) <= self.newest, "numbers are given in order"

    @property
    def kept(self) -> tuple[int, ...]:
        """Live, but not read: the one to go back to, or one that is being filled."""
        return tuple(number for number in self.live if number != self.active)

    def adding(self, number: int) -> Generations:
        """With a new one; of the others only the active one stays live."""
        if number in self.live:
            return self
        assert number > self.newest, "numbers are never given twice"
        return Generations(self.active, (self.active, number), number)

    def showing(self, number: int) -> Generations:
        """With another of the live ones active."""
        return replace(self, active=number)

    def without(self, number: int) -> Generations:
        """Without one that is not active. Its number is used up, even if it was never there."""
        live = tuple(other for other in self.live if other != number)
        return Generations(self.active, live, max(self.newest, number))


class Registry:
    """The generations of every view, as the store has them, remembered for a moment.

    Parameters
    ----------
    trusted
        Seconds for which a remembered registration is acted on; 0 looks every time.
    clock
        In seconds. It must go on while the process is suspended, as functions on AWS are between
        two calls; a monotonic clock need not.
    """

    def __init__(
        self,
        store: ViewStore,
        *,
        trusted: float = TRUSTED_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._trusted = trusted
        self._clock = clock
        self._known: dict[str, tuple[float, Generations]] = {}
        self._guard = threading.Lock()

    def of(self, view: View[Any]) -> Generations:
        """The generations of a view."""
        now = self._clock()
        known = self._known.get(view.base)
        if known is not None and 0 <= now - known[0] < self._trusted:
            return known[1]
        found = self._store.generations(view)
        with self._guard:
            self._known[view.base] = (now, found)
        return found

    def live(self, view: V) -> list[V]:
        """The view in every generation that is to be written."""
        return [view.at(number) for number in self.of(view).live]

    def active(self, view: V) -> V:
        """The view in the generation that is to be read."""
        return view.at(self.of(view).active)

    def forget(self) -> None:
        """Look again at the next question."""
        with self._guard:
            self._known.clear()


class Single(Registry):
    """Knows one generation only, for whoever fills it."""

    def __init__(self, store: ViewStore, generation: int) -> None:
        super().__init__(store)
        self._only = Generations(generation, (generation,), generation)

    @override
    def of(self, view: View[Any]) -> Generations:
        return self._only
