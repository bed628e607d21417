"""How far each channel has followed the log of the embedded store, and what it still owes."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from typing import Final

from projections.notifications.marks_file import MarksFile

RETRY_BASE_SECONDS: Final = 5
RETRY_DOUBLINGS: Final = 6
"""A stream that fails is tried again after 5, 10, 20, ... and at most 320 seconds."""

POSITION: Final = "SELECT position FROM notification_progress WHERE channel = ?"
MOVE: Final = """
    INSERT INTO notification_progress (channel, position) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET position = excluded.position
    WHERE position < excluded.position"""
DUE: Final = """
    SELECT stream, version FROM notification_owed WHERE channel = ? AND due <= ?
    ORDER BY due LIMIT ?"""
OWE: Final = """
    INSERT INTO notification_owed (channel, stream, version, attempts, due)
    VALUES (:channel, :stream, :version, 1, :now + :base)
    ON CONFLICT DO UPDATE SET
        version = max(version, excluded.version), attempts = attempts + 1,
        due = :now + (:base << min(attempts, :doublings))"""
SETTLE: Final = "DELETE FROM notification_owed WHERE channel = ? AND stream = ? AND version <= ?"
OWED: Final = "SELECT count(*) FROM notification_owed WHERE channel = ?"


class SQLiteProgress:
    """Positions in the log and owed streams, in the file that holds the log."""

    def __init__(self, file: MarksFile) -> None:
        self._file = file

    def position(self, channel: str) -> int:
        """Everything in the log up to here is told or owed."""
        row = self._file.read(lambda c: c.execute(POSITION, (channel,)).fetchone())
        return row[0] if row else 0

    def due(self, channel: str, now: float, limit: int) -> dict[str, int]:
        """Streams that are owed and up to which version, the longest due first."""
        rows = self._file.read(lambda c: c.execute(DUE, (channel, now, limit)).fetchall())
        return dict(rows)

    def owed(self, channel: str) -> int:
        """How many streams are owed."""
        count: int = self._file.read(lambda c: c.execute(OWED, (channel,)).fetchone())[0]
        return count

    def save(
        self,
        channel: str,
        position: int,
        *,
        told: Mapping[str, int],
        failed: Mapping[str, int],
        now: float,
    ) -> None:
        """Move on: what failed is owed, what was told is settled, in one transaction."""

        def write(connection: sqlite3.Connection) -> None:
            common = {
                "channel": channel,
                "now": now,
                "base": RETRY_BASE_SECONDS,
                "doublings": RETRY_DOUBLINGS,
            }
            owed = [{**common, "stream": s, "version": v} for s, v in failed.items()]
            connection.executemany(OWE, owed)
            connection.executemany(SETTLE, [(channel, s, v) for s, v in told.items()])
            connection.execute(MOVE, (channel, position))

        self._file.write(write)


def split(
    wanted: Mapping[str, int], failed: Collection[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """What was told, and what failed, each up to its version."""
    told = {stream: version for stream, version in wanted.items() if stream not in failed}
    return told, {stream: version for stream, version in wanted.items() if stream in failed}
