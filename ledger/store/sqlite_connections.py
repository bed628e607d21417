"""Connections to the embedded store's file: how writers take turns and when a commit is durable."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal
from weakref import WeakValueDictionary

from eventsourcing.persistence import OperationalError
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)
from typing_extensions import override

from ledger.errors import Contention, UnknownOutcome
from ledger.store.sqlite_queue import ProcessQueue

Synchronous = Literal["FULL", "NORMAL"]
"""`FULL`: every commit is on the disk when it is acknowledged. `NORMAL`: it survives the process,
but a power cut may take the newest commits; for bulk loads that can be repeated."""

BULK_CHECKPOINT_PAGES: Final = 16_000
"""In a bulk load the write-ahead log is copied into the file every 64 MB, not every 4 MB."""

POOL_SIZE: Final = 16
LOCK_TIMEOUT_SECONDS: Final = 5


class Turn:
    """How all writers of one file in this process take turns, and stand in line with others.

    Without it they would meet in SQLite's busy handler, which polls with pauses of milliseconds.
    As a context it is the turn among this process's threads; who has it may want `among_processes`.
    """

    def __init__(self, name: str) -> None:
        self._lock = threading.Lock()
        self.among_processes = ProcessQueue(name)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


_turns: WeakValueDictionary[str, Turn] = WeakValueDictionary()
_turns_guard = threading.Lock()


def writers_turn(path: str | Path) -> Turn:
    """The turn at a file, of which a process has one."""
    name = os.path.realpath(path)
    with _turns_guard:
        turn = _turns.get(name)
        if turn is None:
            turn = _turns[name] = Turn(name)
        return turn


class _WriteTransaction(SQLiteTransaction):
    """A transaction that owns the file's write lock from its first statement."""

    def __init__(self, connection: SQLiteConnection) -> None:
        super().__init__(connection, commit=True)

    @override
    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise _contention_or(error, OperationalError) from error
        return cursor

    @override
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(exc_type, exc_val, exc_tb)
        except OperationalError as error:
            if exc_val is None:
                raise UnknownOutcome(error) from error
            raise


def _contention_or(
    error: sqlite3.OperationalError, otherwise: type[OperationalError]
) -> OperationalError:
    busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return Contention("the database is locked by another writer") if busy else otherwise(error)


class _Pool(SQLiteConnectionPool):
    """The library's connection pool, saying when a commit is on the disk."""

    def __init__(self, *, synchronous: Synchronous, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._synchronous = synchronous

    @override
    def _create_connection(self) -> SQLiteConnection:
        if not (self.is_sqlite_memory_mode or self.is_journal_mode_wal):
            # The library does this first, and leaves its connection open if it is no database.
            patience = self.lock_timeout or LOCK_TIMEOUT_SECONDS
            with closing(sqlite3.connect(self.db_name, uri=True, timeout=patience)) as first:
                first.execute("PRAGMA journal_mode=WAL")
            self.is_journal_mode_wal = True
        connection = super()._create_connection()
        cursor = connection.cursor()
        # Text that is not UTF-8 any more is a finding of the audit, not the end of all reading.
        cursor.sqlite_cursor.connection.text_factory = partial(
            str, encoding="utf-8", errors="replace"
        )
        cursor.execute(f"PRAGMA synchronous={self._synchronous}")
        if self._synchronous == "NORMAL":
            cursor.execute(f"PRAGMA wal_autocheckpoint={BULK_CHECKPOINT_PAGES}")
        return connection

    @override
    def close(self) -> None:
        """Close once no connection is in use: SQLite crashes on one closed under a query."""
        with self._put_condition:
            self._put_condition.wait_for(lambda: not self._in_use, LOCK_TIMEOUT_SECONDS)
            super().close()


class Datastore(SQLiteDatastore):
    """The library's datastore; writers of this process take turns instead of polling the file."""

    def __init__(self, db_name: str, *, synchronous: Synchronous = "FULL", **options: Any) -> None:
        super().__init__(db_name, **options)
        sizes = {
            name: options[name]
            for name in ("lock_timeout", "pool_size", "max_overflow")
            if name in options
        }
        self.pool = _Pool(db_name=db_name, synchronous=synchronous, **sizes)
        self.turn = writers_turn(db_name)

    @override
    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        if not commit:
            with super().transaction(commit=False) as cursor:
                yield cursor
            return
        with self.turn, self.transaction_in_turn() as cursor:
            yield cursor

    @contextmanager
    def transaction_in_turn(self) -> Iterator[SQLiteCursor]:
        """A writing transaction, for a caller that holds the `turn`.

        Raises
        ------
        Contention
            Another process kept the file locked; nothing was written.
        UnknownOutcome
            The commit itself failed.
        """
        queue = self.turn.among_processes
        entered = queue.enter(LOCK_TIMEOUT_SECONDS)
        try:
            with (
                self.get_connection(commit=True) as connection,
                _WriteTransaction(connection) as cursor,
                cursor,
            ):
                yield cursor
        finally:
            if entered:
                queue.leave()
