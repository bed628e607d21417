"""Marks in the SQLite file that holds the events."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from uuid import uuid4

from typing_extensions import override

from projections.notifications.marks import LEASE_SECONDS, Advance, Claim, ClaimLost, Marks
from projections.notifications.marks_file import MarksFile

SELECT: Final = "SELECT version FROM notification_marks WHERE channel = ? AND stream = ?"
ADVANCE: Final = """
    INSERT INTO notification_marks (channel, stream, version) SELECT :channel, :stream, :version
    WHERE :seen = 0 OR EXISTS (
        SELECT 1 FROM notification_marks WHERE channel = :channel AND stream = :stream)
    ON CONFLICT DO UPDATE SET version = excluded.version, claim = NULL, until = NULL
    WHERE version = :seen AND (claim IS NULL OR until <= :now)"""
CLAIM: Final = """
    INSERT INTO notification_marks (channel, stream, claim, until)
    VALUES (:channel, :stream, :token, :until)
    ON CONFLICT DO UPDATE SET claim = excluded.claim, until = excluded.until
    WHERE claim IS NULL OR until <= :now
    RETURNING version"""
MARK: Final = """
    UPDATE notification_marks SET version = :version,
        claim = CASE WHEN :release THEN NULL ELSE claim END, until = :until
    WHERE channel = :channel AND stream = :stream AND claim = :token AND version < :version"""
RELEASE: Final = """
    UPDATE notification_marks SET claim = NULL, until = NULL
    WHERE channel = ? AND stream = ? AND claim = ?"""


class SQLiteMarks(Marks):
    """The marks of one channel. `clock` answers epoch seconds; `lease` is in seconds."""

    def __init__(
        self,
        file: MarksFile,
        channel: str,
        *,
        lease: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = file
        self._channel = channel
        self._lease = lease
        self._clock = clock

    @override
    def versions(self, streams: Iterable[str]) -> dict[str, int]:
        def read(connection: sqlite3.Connection) -> dict[str, int]:
            found = {}
            for stream in streams:
                row = connection.execute(SELECT, (self._channel, stream)).fetchone()
                found[stream] = row[0] if row else 0
            return found

        return self._file.read(read)

    @override
    def advance(self, moves: Sequence[Advance]) -> set[str]:
        if not moves:
            return set()

        def write(connection: sqlite3.Connection) -> set[str]:
            refused = set()
            common = {"channel": self._channel, "now": self._clock()}
            for stream, seen, to in moves:
                values = {**common, "stream": stream, "seen": seen, "version": to}
                if not connection.execute(ADVANCE, values).rowcount:
                    refused.add(stream)
            return refused

        return self._file.write(write)

    @override
    def claim(self, stream: str) -> Claim | None:
        token, now = uuid4().hex, self._clock()
        values = {
            "channel": self._channel,
            "stream": stream,
            "token": token,
            "now": now,
            "until": now + self._lease,
        }
        row = self._file.write(lambda c: c.execute(CLAIM, values).fetchone())
        return Claim(stream, token, row[0]) if row else None

    @override
    def mark(self, claim: Claim, version: int, *, release: bool = False) -> None:
        values = {
            "channel": self._channel,
            "stream": claim.stream,
            "token": claim.token,
            "version": version,
            "release": release,
            "until": None if release else self._clock() + self._lease,
        }
        if not self._file.write(lambda c: c.execute(MARK, values).rowcount):
            raise ClaimLost(claim.stream)

    @override
    def release(self, claim: Claim) -> None:
        values = (self._channel, claim.stream, claim.token)
        self._file.write(lambda c: c.execute(RELEASE, values))
