"""The runner: brings views up to the log, whatever the delivery does.

Delivery is a hint. Events may come twice, late, in any order or not at all; what is applied is
decided by versions: below or at the applied one an event is skipped, the next one is folded, and
before a later one the missing events are read from the event store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent

from ledger.codec import Recorded, decode
from projections.store.base import Checkpoint, ViewStore
from projections.views.base import Row, View

R = TypeVar("R", bound=Row)

PAGE: Final = 20_000


class EventsMissing(Exception):
    """The event store doesn't have an event that must exist, since a later one does."""

    def __init__(self, stream: str, version: int) -> None:
        self.stream = stream
        self.version = version
        super().__init__(f"{stream} version {version} is missing from the event store")


class Runner:
    """Applies events to views.

    Any number of runners, in any number of processes, may work on the same store: a row is
    written only over a lower version, and a checkpoint only moves forward.

    Parameters
    ----------
    recorder
        The event store; missing events are read from it.
    store
        Where rows and checkpoints are kept.
    """

    def __init__(
        self, recorder: ApplicationRecorder, store: ViewStore, views: Sequence[View[Any]]
    ) -> None:
        self._recorder = recorder
        self.store = store
        self.views = tuple(views)
        store.prepare(views)

    def hint(self, events: Iterable[Recorded]) -> None:
        """Be told of a commit made here. The log is read anyway, so nothing is kept of it."""

    def apply(self, events: Sequence[StoredEvent]) -> None:
        """Apply delivered events: any events, in any order, any number of times.

        Raises
        ------
        CorruptEvent
            An event can't be folded. Views it doesn't concern are up to date.
        EventsMissing
            A gap could not be filled.
        """
        self._attempt(dict.fromkeys(self.views, events), None)

    def catch_up(self, limit: int = PAGE) -> Sequence[StoredEvent]:
        """Apply the next page of the log to every view; answers the page, empty at the end.

        Views that are equally far share one read. Of a position's events in one page only the
        newest is decoded for a view where the newest wins.

        Raises
        ------
        CorruptEvent, EventsMissing
            As in `apply`. The view concerned stops where it is; the others have moved on.
        """
        checkpoints = {view: self.store.checkpoint(view) for view in self.views}
        newest: Sequence[Notification] = ()
        errors: list[Exception] = []
        for start in sorted(set(checkpoints.values())):
            page = self._recorder.select_notifications(
                start.position, limit, inclusive_of_start=False
            )
            if not page:
                continue
            newest = page
            behind = {view: page for view, at in checkpoints.items() if at == start}
            try:
                self._attempt(behind, Checkpoint(page[-1].id, decode(page[-1]).at))
            except Exception as error:
                errors.append(error)
        _raise_first(errors)
        return newest

    def _attempt(
        self, work: Mapping[View[Any], Sequence[StoredEvent]], checkpoint: Checkpoint | None
    ) -> None:
        """Fold and save view by view: what one view can't take doesn't stop the others."""
        errors: list[Exception] = []
        for view, events in work.items():
            try:
                self.store.save(view, self._fold(view, events), checkpoint)
            except Exception as error:
                errors.append(error)
        _raise_first(errors)

    def _fold(self, view: View[R], events: Sequence[StoredEvent]) -> list[R]:
        if view.newest_wins:
            return _newest(view, events)
        return self._in_order(view, events)

    def _in_order(self, view: View[R], events: Sequence[StoredEvent]) -> list[R]:
        """The rows that the events move, folded from the stored rows without a gap."""
        delivered: dict[str, dict[int, StoredEvent]] = {}
        for event in events:
            stream = str(event.originator_id)
            if view.feeds(stream):
                delivered.setdefault(stream, {})[event.originator_version] = event
        known = self.store.load(view, map(view.key, delivered))
        rows = []
        for stream, versions in delivered.items():
            row = known.get(view.key(stream))
            pending = self._contiguous(stream, 0 if row is None else row.version, versions)
            for event in pending:
                row = view.fold(row, decode(event))
            if pending and row is not None:
                rows.append(row)
        return rows

    def _contiguous(
        self, stream: str, applied: int, delivered: Mapping[int, StoredEvent]
    ) -> Sequence[StoredEvent]:
        """The events after `applied` up to the newest delivered one, each once and in order."""
        wanted = range(applied + 1, max(delivered) + 1)
        if all(version in delivered for version in wanted):
            return [delivered[version] for version in wanted]
        found = self._recorder.select_events(stream, gt=applied, lte=wanted[-1])
        there = {event.originator_version for event in found}
        for version in wanted:
            if version not in there:
                raise EventsMissing(stream, version)
        return found


def _newest(view: View[R], events: Iterable[StoredEvent]) -> list[R]:
    """The rows of the newest event of each stream; nothing older is decoded."""
    newest: dict[str, StoredEvent] = {}
    for event in events:
        stream = str(event.originator_id)
        known = newest.get(stream)
        if known is None:
            if view.feeds(stream):
                newest[stream] = event
        elif known.originator_version < event.originator_version:
            newest[stream] = event
    return [view.fold(None, decode(event)) for event in newest.values()]


def _raise_first(errors: Sequence[Exception]) -> None:
    if errors:
        for other in errors[1:]:
            errors[0].add_note(f"another view failed as well: {other!r}")
        raise errors[0]
