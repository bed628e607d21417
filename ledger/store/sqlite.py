"""The embedded event store: the library's SQLite module, made strict.

What is different from `eventsourcing.sqlite`:

- stream ids are strings;
- a commit and its command record are one transaction, begun with `BEGIN IMMEDIATE`, so that a
  writer never finds out at its end that another process was writing too;
- a conflict names the newest event of every stream it touched, a locked file is a `Contention`,
  and an error while committing is an `UnknownOutcome`;
- an argument it doesn't know is a `TypeError`, never silently dropped.

Use it as the library's persistence module: `PERSISTENCE_MODULE=ledger.store.sqlite`,
`SQLITE_DBNAME=path`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from eventsourcing import sqlite as library
from eventsourcing.persistence import OperationalError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteAggregateRecorder,
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteProcessRecorder,
    SQLiteTransaction,
)
from eventsourcing.utils import Environment, EnvType
from pydantic_core import from_json, to_json
from typing_extensions import override

from ledger.errors import CommandRecorded, Contention, UnknownOutcome, VersionConflict
from ledger.store.base import CommandRecord, LedgerRecorder

POOL_SIZE: Final = 16
LOCK_TIMEOUT_SECONDS: Final = 5


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


class Datastore(SQLiteDatastore):
    """The library's datastore; writers of this process take turns instead of polling the file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._writing = threading.Lock()

    @override
    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        if not commit:
            with super().transaction(commit=False) as cursor:
                yield cursor
            return
        with (
            self._writing,
            self.get_connection(commit=True) as connection,
            _WriteTransaction(connection) as cursor,
            cursor,
        ):
            yield cursor


class AggregateRecorder(SQLiteAggregateRecorder):
    """The library's aggregate recorder, refusing unknown arguments."""

    @override
    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        _refuse(kwargs)
        return super()._insert_events(c, stored_events)


class ProcessRecorder(SQLiteProcessRecorder):
    """The library's process recorder, refusing unknown arguments."""

    @override
    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        _refuse(kwargs.keys() - {"tracking"})
        return super()._insert_events(c, stored_events, **kwargs)


class SQLiteLedgerRecorder(SQLiteApplicationRecorder, LedgerRecorder):
    """Events and command records in one SQLite file."""

    commands_table_name: Final = "commands"

    @override
    def construct_create_table_statements(self) -> list[str]:
        return [
            *super().construct_create_table_statements(),
            f"CREATE TABLE IF NOT EXISTS {self.commands_table_name} ("
            "key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, events TEXT NOT NULL, "
            "expires_at INTEGER) WITHOUT ROWID",
        ]

    @override
    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandRecord | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        _refuse(kwargs)
        if command is not None:
            self._insert_command(c, command)
        try:
            return super()._insert_events(c, stored_events)
        except sqlite3.IntegrityError as error:
            c.execute("ROLLBACK")  # what this commit inserted so far is no news
            c.execute("BEGIN")
            streams = dict.fromkeys(str(stored.originator_id) for stored in stored_events)
            raise VersionConflict(self._newest(c, streams)) from error

    def _insert_command(self, c: SQLiteCursor, command: CommandRecord) -> None:
        now = int(time.time())
        c.execute(
            f"INSERT INTO {self.commands_table_name} VALUES (?,?,?,?) "  # noqa: S608
            "ON CONFLICT (key) DO UPDATE SET fingerprint=excluded.fingerprint, "
            "events=excluded.events, expires_at=excluded.expires_at "
            "WHERE expires_at<=? RETURNING key",
            (
                command.key,
                command.fingerprint,
                to_json(command.events),
                command.expires_at,
                now,
            ),
        )
        if c.fetchone() is None:
            record = self._find_command(c, command.key)
            if record is not None:
                raise CommandRecorded(record)

    @override
    def select_newest(self, streams: Iterable[str]) -> dict[str, StoredEvent]:
        with self.datastore.transaction(commit=False) as c:
            return self._newest(c, streams)

    def _newest(self, c: SQLiteCursor, streams: Iterable[str]) -> dict[str, StoredEvent]:
        statement = f"{self.select_events_statement}ORDER BY originator_version DESC LIMIT 1"
        newest = {}
        for stream in streams:
            c.execute(statement, (stream,))
            row = c.fetchone()
            if row is not None:
                newest[stream] = StoredEvent(
                    stream, row["originator_version"], row["topic"], row["state"]
                )
        return newest

    @override
    def find_command(self, key: str) -> CommandRecord | None:
        with self.datastore.transaction(commit=False) as c:
            record = self._find_command(c, key)
        if record is None or (record.expires_at or time.time() + 1) <= time.time():
            return None
        return record

    def _find_command(self, c: SQLiteCursor, key: str) -> CommandRecord | None:
        c.execute(f"SELECT * FROM {self.commands_table_name} WHERE key=?", (key,))  # noqa: S608
        row = c.fetchone()
        if row is None:
            return None
        events = tuple((stream, version) for stream, version in from_json(row["events"]))
        return CommandRecord(key, row["fingerprint"], events, row["expires_at"])

    @override
    def purge_commands(self) -> int:
        with self.datastore.transaction(commit=True) as c:
            c.execute(
                f"DELETE FROM {self.commands_table_name} WHERE expires_at<=? RETURNING 1",  # noqa: S608
                (int(time.time()),),
            )
            return len(c.fetchall())

    def close(self) -> None:
        """Close every connection to the file."""
        self.datastore.close()


def _refuse(unknown: Iterable[str]) -> None:
    names = sorted(unknown)
    if names:
        msg = f"insert_events() got unexpected arguments: {', '.join(names)}"
        raise TypeError(msg)


class Factory(library.SQLiteFactory):  # the only factory in here, as the library asks
    """Makes the recorders above (`PERSISTENCE_MODULE=ledger.store.sqlite`)."""

    aggregate_recorder_class = AggregateRecorder
    application_recorder_class = SQLiteLedgerRecorder
    process_recorder_class = ProcessRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        plain = self.datastore
        self.datastore = Datastore(
            plain.pool.db_name,
            lock_timeout=plain.pool.lock_timeout or LOCK_TIMEOUT_SECONDS,
            pool_size=POOL_SIZE,
            max_overflow=4 * POOL_SIZE,
            single_row_tracking=plain.single_row_tracking,
            originator_id_type=plain.originator_id_type,
        )


def open_recorder(path: str | Path) -> SQLiteLedgerRecorder:
    """Open (and create, with its folder) the file that holds events and command records."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    factory = Factory({"SQLITE_DBNAME": str(path), "ORIGINATOR_ID_TYPE": "text"})
    recorder = factory.application_recorder()
    if not isinstance(recorder, SQLiteLedgerRecorder):  # pragma: no cover
        msg = f"{recorder!r} can't hold a ledger"
        raise TypeError(msg)
    return recorder
