"""Reading every command record of a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic_core import from_json

from ledger.store.sqlite import SQLiteLedgerRecorder

PAGE: Final = 2_000


def each_command(
    recorder: SQLiteLedgerRecorder,
) -> Iterator[tuple[str, Sequence[tuple[str, int]] | None]]:
    """Key and (stream, version) pairs of every command record; None where it can't be read."""
    statement = (
        f"SELECT key, events FROM {recorder.commands_table_name} "  # noqa: S608
        "WHERE key > ? ORDER BY key LIMIT ?"
    )
    after = ""
    while True:
        with recorder.datastore.transaction(commit=False) as c:
            c.execute(statement, (after, PAGE))
            rows = c.fetchall()
        for row in rows:
            try:
                pairs = [(stream, version) for stream, version in from_json(row["events"])]
                yield row["key"], pairs
            except (TypeError, ValueError):
                yield row["key"], None
        if len(rows) < PAGE:
            return
        after = rows[-1]["key"]
