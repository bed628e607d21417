"""The tables of the embedded store's marks, in the SQLite file that holds the events."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from projections.store.sqlite_file import PATIENCE_SECONDS, SQLiteFile

T = TypeVar("T")

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS notification_marks (
        channel TEXT NOT NULL, stream TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 0,
        claim TEXT, until REAL, PRIMARY KEY (channel, stream)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS notification_progress (
        channel TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS notification_owed (
        channel TEXT NOT NULL, stream TEXT NOT NULL, version INTEGER NOT NULL,
        attempts INTEGER NOT NULL, due REAL NOT NULL, PRIMARY KEY (channel, stream)
        ) WITHOUT ROWID""",
)


class MarksFile(SQLiteFile):
    """Access to the file for everything that concerns notifications.

    As with the views, a power cut may take the newest marks; what they stood for is sent again. A
    process that dies loses none.
    """

    def __init__(self, path: str | Path, *, patience: float = PATIENCE_SECONDS) -> None:
        super().__init__(path, patience)
        self.write(lambda connection: [connection.execute(text) for text in SCHEMA])

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work`, which only reads.

        Raises
        ------
        OperationalError
            Others kept the file locked for too long.
        """
        return self._patiently(work)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction of its own; again, as long as the file is locked.

        Raises
        ------
        OperationalError
            Others kept the file locked for too long; nothing was written.
        """
        done: list[T] = []
        self._write(lambda connection: done.append(work(connection)))
        return done[-1]
