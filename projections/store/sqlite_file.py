"""Short transactions on a SQLite file that others write as well.

Other processes append to and project into the same file, so writes are short (a catch-up must not
keep appends waiting for long), begin by taking the write lock, and are tried again while it is
taken.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Final, TypeVar

from ledger.store.sqlite_connections import writers_turn
from projections.store.base import ViewStoreBusy

T = TypeVar("T")

BUSY_SECONDS: Final = 0.1
"""How long SQLite itself waits for the lock. Its waiting is not fair, so it is kept short and
repeated with random pauses."""

PATIENCE_SECONDS: Final = 10.0
"""How long an operation is tried before `ViewStoreBusy`."""


class SQLiteFile:
    """Connections to a file, and the patience to wait for one's turn."""

    def __init__(self, path: str | Path, patience: float) -> None:
        self._path = str(path)
        self._patience = patience
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._connections: list[sqlite3.Connection] = []
        self._writing = writers_turn(path)

    def close(self) -> None:
        """Close every connection."""
        with self._writing:
            while self._connections:
                self._connections.pop().close()

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
