"""The audit of views: every row against the fold of its stream, in one pass over all events.

Each row is judged at *its own* version, so a view that lags behind is not a view that is wrong.
Memory grows with the number of streams, not of events.

Views move on while they are audited. So before a row is reported it is loaded again; if it is
another one by then, it is judged anew by its stream.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields
from typing import Any

from eventsourcing.persistence import ApplicationRecorder

from ledger.codec import CorruptEvent, Recorded, decode
from ledger.domain.errors import LawBroken
from projections.store.base import ViewStore, values
from projections.views.base import Key, Row, View


class ViewAudit:
    """Judges the views as they are when it is made.

    Make it before the events are read, show it every event with `see`, each stream in order, then
    ask for `findings` and `lag`.

    Parameters
    ----------
    views
        Each generation of a view is a view of its own here.
    events
        Where the stream of a row that changed meanwhile is read again. Without it rows are judged
        as they were at first, which is for stores that nobody writes to.
    """

    def __init__(
        self,
        store: ViewStore,
        views: Sequence[View[Any]],
        events: ApplicationRecorder | None = None,
    ) -> None:
        self._audits = [_Audit(store, view, events) for view in views]

    def see(self, recorded: Recorded, position: int | None = None) -> None:
        """Take notice of an event.

        `position` is its place in the log, if there is one. Without it, a row that should be there
        by the view's checkpoint can't be told from one that is still to come.
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
    """What the events have shown of one stream so far."""

    __slots__ = ("due", "folded", "judged", "name", "version")

    def __init__(self, name: str) -> None:
        self.name = name
        self.version = 0
        self.due = 0
        """The newest version that the view's checkpoint says is applied."""
        self.folded: Row | None = None
        """The fold so far, as long as it is needed."""
        self.judged = False
        """Whether the row was compared, or found to be past comparing."""


class _Audit:
    """The audit of one view."""

    def __init__(
        self, store: ViewStore, view: View[Any], events: ApplicationRecorder | None
    ) -> None:
        self.view = view
        self._store = store
        self._events = events
        # The checkpoint first: what is at or below it was written before the rows are read.
        self._checkpoint = store.checkpoint(view)
        self._rows: dict[Key, Row] = {
            values(row, view.key_fields): row for page in store.scan(view) for row in page
        }
        self._streams: dict[Key, _Stream] = {}
        self._wrong: dict[Key, str] = {}

    def see(self, recorded: Recorded, position: int | None) -> None:
        key = self.view.key(recorded.stream)
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Stream(recorded.stream)
        row = self._rows.get(key)
        if row is not None and recorded.version <= row.version:
            self._judge(key, stream, row, recorded)
        stream.version = recorded.version
        if position is not None and position <= self._checkpoint.position:
            stream.due = recorded.version

    def findings(self) -> Iterator[str]:
        suspects = dict(self._suspects())
        changed = self._changed(suspects)
        for key, finding in suspects.items():
            if key not in changed:
                yield f"{self.view.name} row {'@'.join(key)} {finding}"
            elif (again := self._judged_again(key, changed[key])) is not None:
                yield f"{self.view.name} row {'@'.join(key)} {again}"

    def lag(self) -> int:
        behind = [key for key, s in self._streams.items() if self._version(key) < s.version]
        changed = self._changed(behind)
        return sum(
            key not in changed or changed[key].version < self._streams[key].version
            for key in behind
        )

    def _suspects(self) -> Iterator[tuple[Key, str]]:
        """What is wrong with a row as it was read at first, if it is that row still."""
        yield from self._wrong.items()
        for key, row in self._rows.items():
            if key not in self._streams:
                yield key, _streamless(row)
        for key, stream in self._streams.items():
            version = self._version(key)
            if key in self._wrong:
                continue
            if version > stream.version:
                yield (
                    key,
                    f"is at version {version}, ahead of its stream, which ends at {stream.version}",
                )
            elif version and not stream.judged:
                yield key, f"is at version {version}, which is not in the log"
            elif version < stream.due:
                state = f"is at version {version}" if version else "is missing"
                yield (
                    key,
                    f"{state}, though the view's checkpoint says that "
                    f"version {stream.due} was applied",
                )

    def _changed(self, keys: Collection[Key]) -> dict[Key, Row]:
        """The rows of these keys that are others by now."""
        if self._events is None or not keys:
            return {}
        loaded = self._store.load(self.view, keys)
        return {key: row for key, row in loaded.items() if row != self._rows.get(key)}

    def _judged_again(self, key: Key, row: Row) -> str | None:
        """What is wrong with a row that changed, by its stream as the event store has it now."""
        stream = self._streams.get(key)
        if stream is None:
            return _streamless(row)
        assert self._events is not None, "without events nothing is loaded again"
        first = row.version if self.view.newest_wins else 1
        found = self._events.select_events(stream.name, gt=first - 1, lte=row.version)
        folded: Row | None = None
        try:
            for event in found:
                folded = self.view.fold(folded, decode(event))
        except (CorruptEvent, LawBroken) as error:
            return f"can't be compared: {error}"
        versions = [event.originator_version for event in found]
        if folded is None or versions != list(range(first, row.version + 1)):
            return f"is at version {row.version}, which its stream does not reach without a gap"
        return None if folded == row else f"differs: {_difference(row, folded)}"

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
            self._wrong[key] = f"can't be compared: {error}"
            return
        if last:
            if stream.folded != row:
                self._wrong[key] = f"differs: {_difference(row, stream.folded)}"
            stream.folded, stream.judged = None, True

    def _version(self, key: Key) -> int:
        row = self._rows.get(key)
        return 0 if row is None else row.version


def _streamless(row: Row) -> str:
    return f"shows version {row.version} of a stream that isn't there"


def _difference(row: Row, folded: Row) -> str:
    names = [field.name for field in fields(row)]  # type: ignore[arg-type]
    pairs = zip(names, values(row, names), values(folded, names), strict=True)
    return ", ".join(
        f"{name} is {shown!r}, its events at version {row.version} make it {true!r}"
        for name, shown, true in pairs
        if shown != true
    )
