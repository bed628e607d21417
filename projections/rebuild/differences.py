"""What a new generation of a view would change: both are compared row by row, while they move."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from projections.store.base import ViewStore, values
from projections.views.base import Key, Row, View

PAUSE_SECONDS: Final = 1.0
"""How long until rows that are not at one version are read again."""

TRIES: Final = 4
"""How often they are read again before they are said to lag."""

MAX_APART: Final = 10_000
"""Rows that are put off at a time."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not the same in both generations; None: there is no such row.

    Rows of different versions have not been compared: one of them lags behind.
    """

    key: Key
    shown: Row | None
    rebuilt: Row | None

    @property
    def lags(self) -> bool:
        """Whether the two only aren't at the same version."""
        both = self.shown is not None and self.rebuilt is not None
        return both and self.shown.version != self.rebuilt.version  # type: ignore[union-attr]

    def fields(self) -> list[tuple[str, object, object]]:
        """Field, shown value and rebuilt value where they differ; a lagging row's version only."""
        if self.shown is None or self.rebuilt is None:
            there = "a row", "no row"
            return [("", *(there if self.rebuilt is None else there[::-1]))]
        if self.lags:
            return [("version", self.shown.version, self.rebuilt.version)]
        names = [field.name for field in fields(self.shown)]  # type: ignore[arg-type]
        pairs = zip(names, values(self.shown, names), values(self.rebuilt, names), strict=True)
        return [(name, shown, rebuilt) for name, shown, rebuilt in pairs if shown != rebuilt]


class Comparison:
    """Compares two generations of a view, in bounded memory.

    Rows that are not at one version are read again a while later, on both sides, and so on until
    they are, or have been apart too often: others are compared meanwhile. `rows` counts all rows.
    """

    def __init__(
        self,
        store: ViewStore,
        shown: View[Any],
        rebuilt: View[Any],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._shown = shown
        self._rebuilt = rebuilt
        self._clock = clock
        self._sleep = sleep
        self._apart: deque[_Apart] = deque()
        self.rows = 0

    def __iter__(self) -> Iterator[Difference]:
        """The differences, in no order."""
        for page in self._store.scan(self._shown):
            self.rows += len(page)
            keys = [values(row, self._shown.key_fields) for row in page]
            there = self._store.load(self._rebuilt, keys)
            pairs = zip(keys, page, strict=True)
            yield from self._compared([key for key, row in pairs if there.get(key) != row])
            yield from self._again(MAX_APART)
        for page in self._store.scan(self._rebuilt):
            keys = [values(row, self._shown.key_fields) for row in page]
            there = self._store.load(self._shown, keys)
            new = [key for key in keys if key not in there]
            self.rows += len(new)
            yield from self._compared(new)
            yield from self._again(MAX_APART)
        yield from self._again(0)

    def _compared(self, keys: Sequence[Key], tries: int = 0) -> Iterator[Difference]:
        """The differences of these rows; those that are apart are put off."""
        if not keys:
            return
        rebuilt = self._store.load(self._rebuilt, keys)
        shown = self._store.load(self._shown, keys)
        apart = []
        for key in keys:
            found = Difference(key, shown.get(key), rebuilt.get(key))
            if tries < TRIES and _version(found.shown) != _version(found.rebuilt):
                apart.append(key)
            elif found.shown != found.rebuilt:
                yield found
        if apart:
            self._apart.append(_Apart(self._clock() + PAUSE_SECONDS, apart, tries + 1))

    def _again(self, most: int) -> Iterator[Difference]:
        """Look again at what is due, and at so much that no more than `most` rows are put off."""
        while self._apart:
            first = self._apart[0]
            left = first.due - self._clock()
            if left > 0:
                if sum(len(put_off.keys) for put_off in self._apart) <= most:
                    return
                self._sleep(left)
            self._apart.popleft()
            yield from self._compared(first.keys, first.tries)


@dataclass(frozen=True, slots=True)
class _Apart:
    """Rows that were not at one version, to be read again when it is time."""

    due: float
    keys: Sequence[Key]
    tries: int


def _version(row: Row | None) -> int:
    return 0 if row is None else row.version
