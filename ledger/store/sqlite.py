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

import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from eventsourcing import sqlite as library
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import (
    SQLiteAggregateRecorder,
    SQLiteApplicationRecorder,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteProcessRecorder,
)
from eventsourcing.utils import Environment, EnvType
from pydantic_core import from_json, to_json
from typing_extensions import override

from ledger.errors import CommandRecorded, VersionConflict
from ledger.store.base import CommandRecord, LedgerRecorder, Line, refuse_unknown
from ledger.store.sqlite_connections import (
    LOCK_TIMEOUT_SECONDS,
    POOL_SIZE,
    Datastore,
    Synchronous,
)
from ledger.store.sqlite_group import GroupCommit


class AggregateRecorder(SQLiteAggregateRecorder):
    """The library's aggregate recorder, refusing unknown arguments."""

    @override
    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        refuse_unknown(kwargs)
        return super()._insert_events(c, stored_events)


class ProcessRecorder(SQLiteProcessRecorder):
    """The library's process recorder, refusing unknown arguments."""

    @override
    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        refuse_unknown({name: kwargs[name] for name in kwargs.keys() - {"tracking"}})
        return super()._insert_events(c, stored_events, **kwargs)


class SQLiteLedgerRecorder(SQLiteApplicationRecorder, LedgerRecorder):
    """Events and command records in one SQLite file."""

    commands_table_name: Final = "commands"

    def __init__(
        self, datastore: SQLiteDatastore, events_table_name: str = "stored_events"
    ) -> None:
        super().__init__(datastore, events_table_name)
        assert isinstance(datastore, Datastore), "made by the factory below"
        self._group = GroupCommit(datastore)

    @override
    def construct_create_table_statements(self) -> list[str]:
        return [
            *super().construct_create_table_statements(),
            f"CREATE TABLE IF NOT EXISTS {self.commands_table_name} ("
            "key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, events TEXT NOT NULL, "
            "expires_at INTEGER) WITHOUT ROWID",
        ]

    @override
    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandRecord | None = None,
        unmoved: Mapping[str, int] | None = None,
        line: Line | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        refuse_unknown(kwargs)
        return self._group.run(
            lambda c: self._append(c, stored_events, command, unmoved or {}), line
        )

    @property
    @override
    def queues(self) -> bool:
        """Commits wait for the disk together."""
        return True

    def _append(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        command: CommandRecord | None,
        unmoved: Mapping[str, int],
    ) -> list[int]:
        if command is not None:
            self._insert_command(c, command)
        self._check_unmoved(c, unmoved)
        rows = [
            (_text(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events
        ]
        c.execute("SAVEPOINT events")
        try:
            ids = self._insert_rows(c, rows)
        except sqlite3.IntegrityError as error:
            c.execute("ROLLBACK TO events")  # what this commit inserted so far is no news
            streams = dict.fromkeys(str(stored.originator_id) for stored in stored_events)
            raise VersionConflict(self._newest(c, streams)) from error
        c.execute("RELEASE events")
        return ids

    def _check_unmoved(self, c: SQLiteCursor, unmoved: Mapping[str, int]) -> None:
        newest = self._newest(c, unmoved)
        moved = {s: e for s, e in newest.items() if e.originator_version != unmoved[s]}
        if moved:
            raise VersionConflict(moved)

    def _insert_rows(self, c: SQLiteCursor, rows: Sequence[tuple[Any, ...]]) -> list[int]:
        """Insert events; their ids follow each other, since nobody else writes meanwhile."""
        c.executemany(self.insert_events_statement, rows)
        c.execute("SELECT last_insert_rowid()")
        last: int = c.fetchone()[0]
        return list(range(last - len(rows) + 1, last + 1))

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
    def select_newest(
        self, streams: Iterable[str], *, strong: bool = True
    ) -> dict[str, StoredEvent]:
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
            return self._find_live(c, key)

    def _find_live(self, c: SQLiteCursor, key: str) -> CommandRecord | None:
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

    def flush(self) -> None:
        """Put every commit so far on the disk, also those made with `synchronous=NORMAL`."""
        name = self.datastore.pool.db_name
        for path in (Path(f"{name}-wal"), Path(name)):
            if path.exists():
                with path.open("rb") as file:
                    os.fsync(file.fileno())

    @override
    def close(self) -> None:
        self.flush()
        self.datastore.close()


def _text(originator_id: UUID | str) -> str:
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


class Factory(library.SQLiteFactory):  # the only factory in here, as the library asks
    """Makes the recorders above (`PERSISTENCE_MODULE=ledger.store.sqlite`)."""

    aggregate_recorder_class = AggregateRecorder
    application_recorder_class = SQLiteLedgerRecorder
    process_recorder_class = ProcessRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        plain = self.datastore
        synchronous = self.env.get("SQLITE_SYNCHRONOUS", "FULL")
        if synchronous not in ("FULL", "NORMAL"):
            msg = f"SQLITE_SYNCHRONOUS is {synchronous!r}: FULL or NORMAL is expected"
            raise OSError(msg)
        self.datastore = Datastore(
            plain.pool.db_name,
            synchronous="NORMAL" if synchronous == "NORMAL" else "FULL",
            lock_timeout=plain.pool.lock_timeout or LOCK_TIMEOUT_SECONDS,
            pool_size=POOL_SIZE,
            max_overflow=4 * POOL_SIZE,
            single_row_tracking=plain.single_row_tracking,
            originator_id_type=plain.originator_id_type,
        )


def open_recorder(
    path: str | Path, *, synchronous: Synchronous = "FULL", factory: type[Factory] = Factory
) -> SQLiteLedgerRecorder:
    """Open (and create, with its folder) the file that holds events and command records."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = factory(
        {
            "SQLITE_DBNAME": str(path),
            "ORIGINATOR_ID_TYPE": "text",
            "SQLITE_SYNCHRONOUS": synchronous,
        }
    )
    recorder = made.application_recorder()
    if not isinstance(recorder, SQLiteLedgerRecorder):  # pragma: no cover
        msg = f"{recorder!r} can't hold a ledger"
        raise TypeError(msg)
    return recorder
