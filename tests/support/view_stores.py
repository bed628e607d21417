"""View stores of every kind, and some that go wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from moto import mock_aws
from typing_extensions import override

from ledger.store.dynamodb_client import make_client
from projections.generations import Generations
from projections.rebuild.state import Rebuilding
from projections.store import Checkpoint, Query, ViewStore
from projections.store.dynamodb import DynamoDBViewStore
from projections.store.sqlite import SQLiteViewStore
from projections.views import (
    Key,
    OpenReservationsView,
    OrderRow,
    OrdersView,
    Row,
    StockLevelsView,
    StockRow,
    View,
)
from tests.support.engines import Engines

R = TypeVar("R", bound=Row)
Open = Callable[[], ViewStore]


@contextmanager
def view_stores(kind: str, folder: Path, engines: Engines) -> Iterator[Open]:
    """Opens view stores of a kind in `EVERYWHERE` that share nothing but their data, which is
    none at first. They are closed in the end.
    """
    with ExitStack() as stack:
        if kind == "moto":
            stack.enter_context(mock_aws())
        prefix = f"test-{uuid4().hex}"

        def opener() -> ViewStore:
            if kind == "sqlite":
                store: ViewStore = SQLiteViewStore(folder / "ledger.db")
            else:
                client = make_client(None if kind == "moto" else engines.endpoint(kind))  # type: ignore[arg-type]
                stack.callback(client.close)
                store = DynamoDBViewStore(client, prefix, create_tables=True)
            stack.callback(store.close)
            store.prepare([StockLevelsView(), OrdersView(), OpenReservationsView()])
            return store

        yield opener


def level(sku: str, location: str = "main", version: int = 1, **fields: int | None) -> StockRow:
    """A row of the stock levels."""
    row = StockRow(sku, location, 0, 0, 0, 0, 0, None, None, False, version, "2026-01-01")
    return replace(row, **fields)  # type: ignore[arg-type]


def order(order_id: str, placed_at: str, version: int = 1, **fields: str | int | None) -> OrderRow:
    """A row of the orders."""
    row = OrderRow(order_id, placed_at, placed_at, version)
    return replace(row, **fields)  # type: ignore[arg-type]


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
    def generations(self, view: View[Any]) -> Generations:
        return self.inner.generations(view)

    @override
    def register(self, view: View[Any], before: Generations, after: Generations) -> bool:
        return self.inner.register(view, before, after)

    @override
    def discard(self, view: View[Any]) -> None:
        self.inner.discard(view)

    @override
    def rebuilding(self, view: View[Any]) -> Rebuilding | None:
        return self.inner.rebuilding(view)

    @override
    def record(self, view: View[Any], before: Rebuilding | None, after: Rebuilding | None) -> bool:
        return self.inner.record(view, before, after)

    @override
    def select(self, view: View[R], query: Query) -> list[R]:
        return self.inner.select(view, query)

    @override
    def scan(self, view: View[R]) -> Iterator[list[R]]:
        return self.inner.scan(view)

    @override
    def close(self) -> None:
        self.inner.close()


class Crashing(Around):
    """Writes one thing at a time and dies before write number `at`, counted from 0.

    `done` is how many writes there were.
    """

    def __init__(self, inner: ViewStore, at: int) -> None:
        super().__init__(inner)
        self._at = at
        self.done = 0

    @override
    def save(self, view: View[R], rows: Sequence[R], checkpoint: Checkpoint | None = None) -> None:
        for row in rows:
            self._tick()
            self.inner.save(view, [row])
        if checkpoint is not None:
            self._tick()
            self.inner.save(view, [], checkpoint)

    @override
    def register(self, view: View[Any], before: Generations, after: Generations) -> bool:
        self._tick()
        return super().register(view, before, after)

    @override
    def discard(self, view: View[Any]) -> None:
        self._tick()
        super().discard(view)

    @override
    def record(self, view: View[Any], before: Rebuilding | None, after: Rebuilding | None) -> bool:
        self._tick()
        return super().record(view, before, after)

    def _tick(self) -> None:
        if self.done == self._at:
            raise Crash
        self.done += 1


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
