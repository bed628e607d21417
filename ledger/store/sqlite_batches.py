"""Batches: many commits of a bulk load, written in one transaction.

A transaction of a few events costs as much as its events do. A load that is repeated until it has
come to its end needs none of its own for every commit: within `batch()`, commits are accepted into
memory, and written together at the end of the block. The file is locked for that moment only, so
others go on writing while the load decides.

What was accepted is seen by every read of streams and command records, not by the log. If somebody
else took a version or a key meanwhile, or anything is raised in the block, nothing of it stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteCursor
from typing_extensions import override

from ledger.errors import BatchLost, CommandRecorded, VersionConflict
from ledger.store.base import CommandRecord, Line, refuse_unknown
from ledger.store.sqlite import Factory, SQLiteLedgerRecorder, open_recorder


class _Batch:
    """Commits that are accepted and not written yet."""

    def __init__(self, cursor: SQLiteCursor) -> None:
        self.cursor = cursor
        """Reads the file as it was when the batch began."""
        self.events: list[StoredEvent] = []
        self.streams: dict[str, list[StoredEvent]] = {}
        self.records: dict[str, CommandRecord] = {}
        self.unmoved: dict[str, int] = {}
        """Newest versions in the file that commits rest on."""

    def accept(
        self,
        events: Sequence[StoredEvent],
        record: CommandRecord | None,
        unmoved: Mapping[str, int],
    ) -> None:
        """Take a commit, unless one that was taken has its versions, or moved what it rests on."""
        mine = {s: self.streams[s][-1] for s in unmoved if s in self.streams}
        taken = {s: e for s, e in mine.items() if e.originator_version != unmoved[s]}
        for event in events:
            known = self.streams.get(str(event.originator_id))
            if known is not None and known[-1].originator_version >= event.originator_version:
                taken[str(event.originator_id)] = known[-1]
        if taken:
            raise VersionConflict(taken)
        self.unmoved |= {s: version for s, version in unmoved.items() if s not in mine}
        self.events += events
        for event in events:
            self.streams.setdefault(str(event.originator_id), []).append(event)
        if record is not None:
            self.records[record.key] = record


class BatchRecorder(SQLiteLedgerRecorder):
    """The embedded event store for loads by one thread; outside of a batch it is as any other."""

    _batch: _Batch | None = None

    @override
    @contextmanager
    def batch(self) -> Iterator[None]:
        assert self._batch is None, "a batch is not within another"
        with self.datastore.transaction(commit=False) as cursor:
            self._batch = batch = _Batch(cursor)
            try:
                yield
            finally:
                self._batch = None
        if batch.events or batch.unmoved:
            self._group.run(lambda c: self._write(c, batch))

    def _write(self, c: SQLiteCursor, batch: _Batch) -> None:
        try:
            for record in batch.records.values():
                self._insert_command(c, record)
            self._check_unmoved(c, batch.unmoved)
            c.executemany(
                self.insert_events_statement,
                [
                    (str(e.originator_id), e.originator_version, e.topic, e.state)
                    for e in batch.events
                ],
            )
        except (sqlite3.IntegrityError, CommandRecorded, VersionConflict) as error:
            raise BatchLost(f"another writer was first: {error}") from error

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
        if self._batch is None:
            return super().insert_events(
                stored_events, command=command, unmoved=unmoved, line=line, **kwargs
            )
        refuse_unknown(kwargs)
        if command is not None:
            known = self.find_command(command.key)
            if known is not None:
                raise CommandRecorded(known)
        self._batch.accept(stored_events, command, unmoved or {})
        return None

    @property
    @override
    def queues(self) -> bool:
        """One thread waits for nobody."""
        return False

    @override
    def select_newest(
        self, streams: Iterable[str], *, strong: bool = True
    ) -> dict[str, StoredEvent]:
        if self._batch is None:
            return super().select_newest(streams, strong=strong)
        accepted, newest, unknown = self._batch.streams, {}, []
        for stream in streams:
            if stream in accepted:
                newest[stream] = accepted[stream][-1]
            else:
                unknown.append(stream)
        return newest | self._newest(self._batch.cursor, unknown)

    @override
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        stood = super().select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
        if self._batch is None or str(originator_id) not in self._batch.streams:
            return stood
        accepted = [
            event
            for event in self._batch.streams[str(originator_id)]
            if (gt is None or event.originator_version > gt)
            and (lte is None or event.originator_version <= lte)
        ]
        both = [*reversed(accepted), *stood] if desc else [*stood, *accepted]
        return both[:limit]

    @override
    def find_command(self, key: str) -> CommandRecord | None:
        if self._batch is None:
            return super().find_command(key)
        return self._batch.records.get(key) or self._find_live(self._batch.cursor, key)


class BatchFactory(Factory):
    """Makes the recorder above."""

    application_recorder_class = BatchRecorder


def open_bulk_recorder(path: str | Path) -> SQLiteLedgerRecorder:
    """Open (and create, with its folder) the file for a bulk load that can be repeated."""
    return open_recorder(path, synchronous="NORMAL", factory=BatchFactory)
