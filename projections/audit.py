"""The audit of views: every row against the fold of its stream, in one pass over the log.

Each row is judged at *its own* version, so a view that lags behind is not a view that is wrong.
Memory grows with the number of streams, not of events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from ledger.codec import CorruptEvent, Recorded
from ledger.domain.errors import LawBroken
from projections.store.base import ViewStore, values
from projections.views.base import Key, Row, View


class ViewAudit:
    """Judges the views as they are when it is made.

    Make it before reading the log, show it every event in log order with `see`, then ask for
    `findings` and `lag`.
    """

    def __init__(self, store: ViewStore, views: Sequence[View[Any]]) -> None:
        self._audits = [_Audit(store, view) for view in views]

    def see(self, recorded: Recorded, position: int | None = None) -> None:
        """Take notice of the next event of the log.

        `position` is its place in the log. Without it, a row that should be there by the view's
        checkpoint can't be told from one that is still to come.
        """
        for audit in self._audits:
            if audit.view.feeds(recorded.stream):
                audit.see(recorded, position)

    def findings(self) -> Iterator[str]:
        """One sentence for everything that is wrong."""
        for audit in self._audits:
            yield from audit.findings()

    def lag(self) -> dict[str, int]:
        """How many streams each view has not applied to their end."""
        return {audit.view.name: audit.lag() for audit in self._audits}


class _Stream:
    """What the log has shown of one stream so far."""

    __slots__ = ("due", "folded", "judged", "version")

    def __init__(self) -> None:
        self.version = 0
        self.due = 0
        """The newest version that the view's checkpoint says is applied."""
        self.folded: Row | None = None
        """The fold so far, as long as it is needed."""
        self.judged = False
        """Whether the row was compared, or found to be past comparing."""


class _Audit:
    """The audit of one view."""

    def __init__(self, store: ViewStore, view: View[Any]) -> None:
        self.view = view
        # The checkpoint first: what is at or below it was written before the rows are read.
        self._checkpoint = store.checkpoint(view)
        self._rows: dict[Key, Row] = {values(row, view.key_fields): row for row in store.each(view)}
        self._streams: dict[Key, _Stream] = {}
        self._wrong: list[str] = []

    def see(self, recorded: Recorded, position: int | None) -> None:
        key = self.view.key(recorded.stream)
        stream = self._streams.setdefault(key, _Stream())
        row = self._rows.get(key)
        if row is not None and recorded.version <= row.version:
            self._judge(key, stream, row, recorded)
        stream.version = recorded.version
        if position is not None and position <= self._checkpoint.position:
            stream.due = recorded.version

    def findings(self) -> Iterator[str]:
        yield from self._wrong
        for key, row in self._rows.items():
            if key not in self._streams:
                yield f"{self._name(key)} shows version {row.version} of a stream that isn't there"
        for key, stream in self._streams.items():
            version = self._version(key)
            if version > stream.version:
                yield (
                    f"{self._name(key)} is at version {version}, ahead of its stream, "
                    f"which ends at {stream.version}"
                )
            elif version and not stream.judged:
                yield f"{self._name(key)} is at version {version}, which is not in the log"
            elif version < stream.due:
                state = f"is at version {version}" if version else "is missing"
                yield (
                    f"{self._name(key)} {state}, though the view's checkpoint says that "
                    f"version {stream.due} was applied"
                )

    def lag(self) -> int:
        return sum(self._version(key) < stream.version for key, stream in self._streams.items())

    def _judge(self, key: Key, stream: _Stream, row: Row, recorded: Recorded) -> None:
        """Fold the event if the row depends on it; compare at the row's version."""
        last = recorded.version == row.version
        if stream.judged or (self.view.newest_wins and not last):
            return
        try:
            if not self.view.newest_wins and recorded.version != stream.version + 1:
                raise CorruptEvent(recorded.stream, stream.version + 1, "not in the log")
            stream.folded = self.view.fold(stream.folded, recorded)
        except (CorruptEvent, LawBroken) as error:
            stream.folded, stream.judged = None, True
            self._wrong.append(f"{self._name(key)} can't be compared: {error}")
            return
        if last:
            if stream.folded != row:
                self._wrong.append(f"{self._name(key)} differs: {_difference(row, stream.folded)}")
            stream.folded, stream.judged = None, True

    def _version(self, key: Key) -> int:
        row = self._rows.get(key)
        return 0 if row is None else row.version

    def _name(self, key: Key) -> str:
        return f"{self.view.name} row {'@'.join(key)}"


def _difference(row: Row, folded: Row) -> str:
    names = [field.name for field in fields(row)]  # type: ignore[arg-type]
    pairs = zip(names, values(row, names), values(folded, names), strict=True)
    return ", ".join(
        f"{name} is {shown!r}, its events at version {row.version} make it {true!r}"
        for name, shown, true in pairs
        if shown != true
    )
