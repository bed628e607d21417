"""View stores that go wrong on purpose, around a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from typing_extensions import override

from projections.store import Checkpoint, Query, ViewStore
from projections.views import Key, Row, View

R = TypeVar("R", bound=Row)


class Crash(Exception):
    """The process died here."""


class Around(ViewStore):
    """Passes everything on."""

    def __init__(self, inner: ViewStore) -> None:
        self.inner = inner

    @override
    def prepare(self, views: Iterable[View[Any]]) -> None:
        self.inner.prepare(views)

    @override
    def load(self, view: View[R], keys: Iterable[Key]) -> dict[Key, R]:
        return self.inner.load(view, keys)

    @override
    def save(self, view: View[R], rows: Sequence[R], checkpoint: Checkpoint | None = None) -> None:
        self.inner.save(view, rows, checkpoint)

    @override
    def checkpoint(self, view: View[Any]) -> Checkpoint:
        return self.inner.checkpoint(view)

    @override
    def select(self, view: View[R], query: Query) -> list[R]:
        return self.inner.select(view, query)

    @override
    def close(self) -> None:
        self.inner.close()


class Crashing(Around):
    """Writes one thing at a time and dies before write number `at`, counted from 0."""

    def __init__(self, inner: ViewStore, at: int) -> None:
        super().__init__(inner)
        self._left = at

    @override
    def save(self, view: View[R], rows: Sequence[R], checkpoint: Checkpoint | None = None) -> None:
        for row in rows:
            self._tick()
            self.inner.save(view, [row])
        if checkpoint is not None:
            self._tick()
            self.inner.save(view, [], checkpoint)

    def _tick(self) -> None:
        if not self._left:
            raise Crash
        self._left -= 1


class Interrupted(Around):
    """Lets something else happen between what was read and what is written, once."""

    def __init__(self, inner: ViewStore, meanwhile: Callable[[], object]) -> None:
        super().__init__(inner)
        self._meanwhile: Callable[[], object] | None = meanwhile

    @override
    def save(self, view: View[R], rows: Sequence[R], checkpoint: Checkpoint | None = None) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
        self.inner.save(view, rows, checkpoint)
