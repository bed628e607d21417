"""Group commit: writers that wait for the disk at the same time share one sync.

Each writer queues its work and then waits for its turn at the file. Whoever gets the turn first
does all the work that is queued, in one transaction, and the others find theirs done. Every work
has a savepoint of its own: one that fails takes nothing with it. Nobody is answered before the
transaction stands, so what one work saw of another is never told if it doesn't.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from eventsourcing.persistence import InterfaceError, PersistenceError
from eventsourcing.sqlite import SQLiteCursor

from ledger.store.sqlite_connections import Datastore

T = TypeVar("T")


class _Entry(Generic[T]):
    """One writer's work, and what became of it."""

    def __init__(self, work: Callable[[SQLiteCursor], T]) -> None:
        self._work = work
        self._result: T | None = None
        self._error: BaseException | None = None
        self.settled = False

    def do(self, cursor: SQLiteCursor) -> None:
        """Do the work within the group's transaction, or leave no trace of it."""
        cursor.execute("SAVEPOINT entry")
        try:
            self._result = self._work(cursor)
        except sqlite3.OperationalError:
            raise  # the file is full or broken: nobody's work can stand
        except (sqlite3.Error, PersistenceError) as error:
            own = error if isinstance(error, PersistenceError) else InterfaceError(error)
            self._error = own
            cursor.execute("ROLLBACK TO entry")
        cursor.execute("RELEASE entry")

    def settle(self, error: BaseException | None) -> None:
        """The group's transaction stands, or failed with an error."""
        self._error = error or self._error
        self.settled = True

    def answer(self) -> T:
        """The work's result; raises what it, or the group, failed with."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]


class GroupCommit:
    """Commits work on one datastore in groups."""

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore
        self._waiting: list[_Entry[Any]] = []
        self._guard = threading.Lock()

    def run(self, work: Callable[[SQLiteCursor], T]) -> T:
        """Do `work` in a transaction; returns once that is durable.

        Raises
        ------
        PersistenceError
            What the work raised, or why the transaction failed (see `Datastore.transaction`).
        """
        entry = _Entry(work)
        with self._guard:
            self._waiting.append(entry)
        with self._datastore.turn:
            if not entry.settled:
                self._commit()
        return entry.answer()

    def _commit(self) -> None:
        with self._guard:
            group, self._waiting = self._waiting, []
        failure: BaseException | None = None
        try:
            with self._datastore.transaction_in_turn() as cursor:
                for entry in group:
                    entry.do(cursor)
        except BaseException as error:
            failure = error
        for entry in group:
            entry.settle(failure)
