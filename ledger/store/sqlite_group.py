"""Group commit: writers that wait for the disk at the same time share one sync.

Each writer queues its work and then waits for its turn at the file. Whoever gets the turn first
does all the work that is queued, in one transaction, and the others find theirs done. Every work
has a savepoint of its own: one that fails takes with it only what says that it comes after it
(`Line`), which is what was decided on it. Nobody is answered before the
transaction stands, so what one work saw of another is never told if it doesn't.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection
from typing import Any, Generic, TypeVar

from eventsourcing.persistence import InterfaceError
from eventsourcing.sqlite import SQLiteCursor

from ledger.errors import UnknownOutcome, VersionConflict
from ledger.store.base import Line, Queued
from ledger.store.sqlite_connections import Datastore

T = TypeVar("T")


class _Entry(Generic[T]):
    """One writer's work, and what became of it."""

    def __init__(
        self, work: Callable[[SQLiteCursor], T], after: Collection[Queued], group: GroupCommit
    ) -> None:
        self._work: Callable[[SQLiteCursor], T] | None = work
        self._after = after
        self._group = group
        self._result: T | None = None
        self._error: BaseException | None = None
        self.settled = False

    @property
    def failed(self) -> bool:
        """Whether the work can't stand. Known to whatever comes after it in the queue."""
        return self._error is not None

    @property
    def outrun(self) -> bool:
        """Whether the work came too late: another commit has what it wanted."""
        return isinstance(self._error, VersionConflict)

    def wait(self) -> None:
        """Until it is settled; does the queue's work if nobody is at it."""
        self._group.settle(self)

    def do(self, cursor: SQLiteCursor) -> None:
        """Do the work within the group's transaction, or leave no trace of it."""
        assert self._work is not None, "done once"
        if any(before.failed for before in self._after):
            self._error = VersionConflict({})
            return
        cursor.execute("SAVEPOINT entry")
        try:
            self._result = self._work(cursor)
        except sqlite3.OperationalError:
            raise  # the file is full or broken: nobody's work can stand
        except Exception as error:  # also a value SQLite can't hold: nobody else's matter
            self._error = InterfaceError(error) if isinstance(error, sqlite3.Error) else error
            cursor.execute("ROLLBACK TO entry")
        cursor.execute("RELEASE entry")

    def settle(self, error: BaseException | None) -> None:
        """The group's transaction stands, or failed with an error."""
        self._error = error or self._error
        self._work, self._after = None, ()  # whoever remembers this need not remember those
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

    def run(self, work: Callable[[SQLiteCursor], T], line: Line | None = None) -> T:
        """Do `work` in a transaction, in line if it stands in one; returns once that is durable.

        Raises
        ------
        PersistenceError
            What the work raised, or why the transaction failed (see `Datastore.transaction`).
        """
        entry = _Entry(work, () if line is None else line.after, self)
        with self._guard:
            self._waiting.append(entry)
        if line is not None:
            line.queued(entry)
        self.settle(entry)
        return entry.answer()

    def settle(self, entry: _Entry[Any]) -> None:
        """Wait until an entry is settled, and commit the queue if nobody did."""
        if entry.settled:
            return
        with self._datastore.turn:
            if not entry.settled:
                self._commit()

    def _commit(self) -> None:
        group: list[_Entry[Any]] = []
        failure: BaseException | None = None
        try:
            with self._datastore.transaction_in_turn() as cursor:
                group = self._queue()  # with those that came while other processes wrote
                for entry in group:
                    entry.do(cursor)
                outrun = sum(entry.outrun for entry in group)
                self._datastore.turn.among_processes.settled(outrun, among=len(group))
        except Exception as error:
            failure = error
        except BaseException:
            failure = UnknownOutcome("whoever wrote for the group was interrupted")
            raise
        finally:
            if failure is not None and not group:
                group = self._queue()  # the transaction was not even begun
            for entry in group:
                entry.settle(failure)

    def _queue(self) -> list[_Entry[Any]]:
        """All that is queued; from then on it isn't."""
        with self._guard:
            group, self._waiting = self._waiting, []
        return group
