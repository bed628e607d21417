"""Views in the SQLite file that holds the events, on connections of their own.

Other processes append to and project into the same file, so writes are short transactions (a
catch-up must not keep appends waiting for long) that begin by taking the write lock, and that are
tried again while it is taken.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any, Final, TypeVar

from typing_extensions import override

from ledger.store.sqlite_connections import writers_turn
from projections.store import statements as sql
from projections.store.base import Checkpoint, Query, ViewStore, ViewStoreBusy
from projections.store.statements import Statements
from projections.views.base import Key, Row, View

R = TypeVar("R", bound=Row)
T = TypeVar("T")
Params = tuple[Any, ...]

ROWS_PER_TRANSACTION: Final = 1_000
"""About ten milliseconds of writing; between two transactions appends get their turn."""

BUSY_SECONDS: Final = 0.1
"""How long SQLite itself waits for the lock. Its waiting is not fair, so it is kept short and
repeated with random pauses."""

PATIENCE_SECONDS: Final = 10.0
"""How long an operation is tried before `ViewStoreBusy`."""


class SQLiteViewStore(ViewStore):
    """Rows and checkpoints in tables of their own: one table a view.

    `path` names a file; views can't be kept in memory beside events in a file or the reverse.
    Safe for many threads, and for many processes on one file.
    """

    def __init__(self, path: str | Path, *, patience: float = PATIENCE_SECONDS) -> None:
        self._path = str(path)
        self._patience = patience
        self._statements: dict[str, Statements[Any]] = {}
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._connections: list[sqlite3.Connection] = []
        self._writing = writers_turn(path)
        self._write(lambda connection: connection.execute(sql.CHECKPOINTS))

    @override
    def prepare(self, views: Iterable[View[Any]]) -> None:
        statements = [text for view in views for text in self._sql(view).create()]

        def create(connection: sqlite3.Connection) -> None:
            for text in statements:
                connection.execute(text)

        self._write(create)

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
    def select(self, view: View[R], query: Query) -> list[R]:
        statements = self._sql(view)
        stored = self._patiently(partial(_fetch, *statements.query(query)))
        return [statements.row(found) for found in stored]

    @override
    def close(self) -> None:
        with self._writing:
            while self._connections:
                self._connections.pop().close()

    def _sql(self, view: View[R]) -> Statements[R]:
        statements = self._statements.get(view.name)
        if statements is None:
            statements = self._statements[view.name] = Statements(view)
        return statements

    def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Do `work` in a transaction of its own."""

        def transact(connection: sqlite3.Connection) -> None:
            with self._writing, _transaction(connection):
                work(connection)

        self._patiently(transact)

    def _patiently(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work`; again, as long as another connection has locked the file."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                with self._connection() as connection:
                    return work(connection)
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                if time.monotonic() > deadline:
                    msg = f"{self._path} was locked by others for {self._patience:g} s"
                    raise ViewStoreBusy(msg) from error
            time.sleep(random.uniform(0, 0.02))  # noqa: S311 - jitter, not a secret

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection no other thread is using; there are as many as threads at one time."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        # Views are derived. A power failure may take the newest rows, and the checkpoint with
        # them (the log of the file survives as a prefix): they are folded again from the events,
        # whose own connection syncs every commit.
        connection.execute("PRAGMA synchronous = NORMAL")
        self._connections.append(connection)
        return connection


def _fetch(statement: str, params: Params, connection: sqlite3.Connection) -> list[Params]:
    return connection.execute(statement, params).fetchall()


def _insert(work: Sequence[tuple[str, Sequence[Params]]], connection: sqlite3.Connection) -> None:
    for statement, params in work:
        connection.executemany(statement, params)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
