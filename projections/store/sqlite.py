"""Views in the SQLite file that holds the events: one table a generation of a view."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from typing_extensions import override

from projections.generations import Generations
from projections.rebuild.state import Rebuilding
from projections.store import statements as sql
from projections.store.base import PAGE, Checkpoint, Query, ViewStore, values
from projections.store.sqlite_file import PATIENCE_SECONDS, SQLiteFile
from projections.store.statements import Statements
from projections.views.base import Key, Row, View

R = TypeVar("R", bound=Row)
Params = tuple[Any, ...]

ROWS_PER_TRANSACTION: Final = 1_000
"""About ten milliseconds of writing; between two transactions appends get their turn."""


class SQLiteViewStore(SQLiteFile, ViewStore):
    """Rows and checkpoints in tables of their own: one table a view.

    `path` names a file; views can't be kept in memory beside events in a file or the reverse.
    Safe for many threads, and for many processes on one file.
    """

    def __init__(self, path: str | Path, *, patience: float = PATIENCE_SECONDS) -> None:
        super().__init__(path, patience)
        self._statements: dict[str, Statements[Any]] = {}
        self._write(partial(_execute, [sql.CHECKPOINTS, sql.GENERATIONS, sql.REBUILDS]))

    @override
    def prepare(self, views: Iterable[View[Any]]) -> None:
        """Make the tables of the views and of their live generations, and give them what the
        fields of the rows and the indexes have become since.
        """
        known = list(views)
        live = (view.at(number) for view in known for number in self.generations(view).live)
        wanted = dict.fromkeys([*known, *live])
        self._write(partial(_prepare, [self._sql(view) for view in wanted]))

    @override
    def load(self, view: View[R], keys: Iterable[Key]) -> dict[Key, R]:
        statements, wanted = self._sql(view), list(dict.fromkeys(keys))

        def read(connection: sqlite3.Connection) -> dict[Key, R]:
            stored = ((k, connection.execute(statements.select_key, k).fetchone()) for k in wanted)
            return {key: statements.row(found) for key, found in stored if found is not None}

        return self._patiently(read)

    @override
    def save(self, view: View[R], rows: Sequence[R], checkpoint: Checkpoint | None = None) -> None:
        statements = self._sql(view)
        statement = statements.insert
        # Sorted, because neighbours share pages: random keys cost three times as much.
        params = sorted(map(statements.params, rows), key=statements.key_of)
        cut = max(0, len(params) - 1) // ROWS_PER_TRANSACTION * ROWS_PER_TRANSACTION
        for start in range(0, cut, ROWS_PER_TRANSACTION):
            part = params[start : start + ROWS_PER_TRANSACTION]
            self._write(partial(_insert, [(statement, part)]))
        last = [(statement, params[cut:])]
        if checkpoint is not None:
            moved = (view.name, checkpoint.position, checkpoint.at)
            last.append((sql.MOVE_CHECKPOINT, [moved]))
        self._write(partial(_insert, last))

    @override
    def checkpoint(self, view: View[Any]) -> Checkpoint:
        stored = self._patiently(partial(_fetch, sql.SELECT_CHECKPOINT, (view.name,)))
        return Checkpoint(*stored[0]) if stored else Checkpoint()

    @override
    def generations(self, view: View[Any]) -> Generations:
        stored = self._patiently(partial(_fetch, sql.SELECT_GENERATIONS, (view.base,)))
        if not stored:
            return Generations()
        active, live, newest = stored[0]
        return Generations(active, tuple(map(int, live.split(","))), newest)

    @override
    def register(self, view: View[Any], before: Generations, after: Generations) -> bool:
        first = (view.base, *_stored(Generations()))
        change_to = (*_stored(after), view.base, *_stored(before))

        def change(connection: sqlite3.Connection) -> None:
            connection.execute(sql.FIRST_GENERATIONS, first)
            changed.append(connection.execute(sql.CHANGE_GENERATIONS, change_to).rowcount)

        changed: list[int] = []
        self._write(change)
        return changed[-1] > 0

    @override
    def discard(self, view: View[Any]) -> None:
        statements = self._sql(view)
        self._write(partial(_execute, [statements.create()]))
        while self._changed(statements.discard, (ROWS_PER_TRANSACTION,)) == ROWS_PER_TRANSACTION:
            pass
        self._changed(sql.DROP_CHECKPOINT, (view.name,))

    @override
    def rebuilding(self, view: View[Any]) -> Rebuilding | None:
        stored = self._patiently(partial(_fetch, sql.SELECT_REBUILD, (view.base,)))
        return Rebuilding.read(stored[0][0]) if stored else None

    @override
    def record(self, view: View[Any], before: Rebuilding | None, after: Rebuilding | None) -> bool:
        where: Params = (view.base,) if before is None else (view.base, before.mark)
        if after is None:
            statement, params = sql.DROP_REBUILD, where
        else:
            statement = sql.FIRST_REBUILD if before is None else sql.CHANGE_REBUILD
            params = (after.mark, after.text(), *where)
        return self._changed(statement, params) > 0 or self.rebuilding(view) == after

    @override
    def select(self, view: View[R], query: Query) -> list[R]:
        statements = self._sql(view)
        stored = self._patiently(partial(_fetch, *statements.query(query)))
        return [statements.row(found) for found in stored]

    @override
    def scan(self, view: View[R]) -> Iterator[list[R]]:
        statements = self._sql(view)
        asked: tuple[str, Params] = (statements.first_rows, (PAGE,))
        while stored := self._patiently(partial(_fetch, *asked)):
            rows = [statements.row(found) for found in stored]
            yield rows
            asked = (statements.next_rows, (*values(rows[-1], view.key_fields), PAGE))

    def _changed(self, statement: str, params: Params) -> int:
        """How many rows the statement changed or deleted."""
        counts = []
        self._write(lambda c: counts.append(c.execute(statement, params).rowcount))
        return int(counts[-1])

    def _sql(self, view: View[R]) -> Statements[R]:
        statements = self._statements.get(view.name)
        if statements is None:
            statements = self._statements[view.name] = Statements(view)
        return statements


def _execute(statements: Iterable[str], connection: sqlite3.Connection) -> None:
    for statement in statements:
        connection.execute(statement)


def _prepare(tables: Iterable[Statements[Any]], connection: sqlite3.Connection) -> None:
    for statements in tables:
        connection.execute(statements.create())
        there = {column[1] for column in connection.execute(statements.columns).fetchall()}
        _execute(statements.complete(there), connection)


def _stored(generations: Generations) -> tuple[int, str, int]:
    live = ",".join(map(str, generations.live))
    return (generations.active, live, generations.newest)


def _fetch(statement: str, params: Params, connection: sqlite3.Connection) -> list[Params]:
    return connection.execute(statement, params).fetchall()


def _insert(work: Sequence[tuple[str, Sequence[Params]]], connection: sqlite3.Connection) -> None:
    for statement, params in work:
        connection.executemany(statement, params)
