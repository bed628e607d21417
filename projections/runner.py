"""The runner: brings views up to the events, whatever the delivery does.

Delivery is a hint. Events may come twice, late, in any order or not at all; what is applied is
decided by versions: below or at the applied one an event is skipped, the next one is folded, and
before a later one the missing events are read from the event store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent

from ledger.codec import Recorded, decode
from projections.arrivals import Arrived, recorded, stream_of, version_of
from projections.generations import Registry
from projections.store.base import Checkpoint, ViewStore
from projections.views.base import Row, View

R = TypeVar("R", bound=Row)

Delivered = dict[str, dict[int, Arrived]]
"""Events by stream and version."""

PAGE: Final = 20_000


class EventsMissing(Exception):
    """The event store doesn't have an event that must exist, since a later one does."""

    def __init__(self, stream: str, version: int) -> None:
        self.stream = stream
        self.version = version
        super().__init__(f"{stream} version {version} is missing from the event store")


@dataclass(slots=True)
class Applied:
    """What applying events came to; counts are in events, over all generations of all views."""

    applied: int = 0
    """Folded into a row, those read to fill gaps included."""
    skipped: int = 0
    """Delivered, but the row showed them already, or a later one came with them."""
    refilled: int = 0
    """Read from the event store, because a later event came first."""
    failed: dict[str, Exception] = field(default_factory=dict)
    """Streams whose events were not applied, and why."""

    def check(self) -> None:
        """Raise the first failure; the others are noted on it."""
        errors = list(self.failed.values())
        if errors:
            for other in errors[1:]:
                errors[0].add_note(f"another stream failed as well: {other!r}")
            raise errors[0]


class Runner:
    """Applies events to views, in every live generation.

    Any number of runners, in any number of processes, may work on the same store: a row is
    written only over a lower version, and a checkpoint only moves forward.

    Parameters
    ----------
    recorder
        The event store; missing events are read from it.
    store
        Where rows and checkpoints are kept.
    registry
        Which generations are live (default: the store's, looked up every time).
    """

    def __init__(
        self,
        recorder: ApplicationRecorder,
        store: ViewStore,
        views: Sequence[View[Any]],
        registry: Registry | None = None,
    ) -> None:
        self._recorder = recorder
        self.store = store
        self.views = tuple(views)
        self.registry = registry or Registry(store, trusted=0)
        store.prepare(views)

    def apply(self, events: Sequence[Arrived]) -> Applied:
        """Apply delivered events: any events, in any order, any number of times.

        A stream that can't be folded fails alone; nothing else waits for it. A failure of the
        view store fails every stream of the view.
        """
        report = Applied()
        delivered = _by_stream(events)
        for view in self.views:
            for generation in self.registry.live(view):
                self._apply(generation, delivered, None, report)
        return report

    def catch_up(self, limit: int = PAGE) -> Sequence[StoredEvent]:
        """Apply the next page of the log to every view; answers the page, empty at the end.

        Views that are equally far share one read. Of a position's events in one page only the
        newest is decoded for a view where the newest wins.

        Raises
        ------
        CorruptEvent, EventsMissing
            An event can't be folded, or a gap could not be filled. The view concerned stops where
            it is; the others have moved on.
        """
        live = [generation for view in self.views for generation in self.registry.live(view)]
        checkpoints = {view: self.store.checkpoint(view) for view in live}
        newest: Sequence[Notification] = ()
        report = Applied()
        for start in sorted(set(checkpoints.values())):
            page = self._recorder.select_notifications(
                start.position, limit, inclusive_of_start=False
            )
            if not page:
                continue
            newest = page
            end = Checkpoint(page[-1].id, decode(page[-1]).at)
            delivered = _by_stream(page)
            for view, at in checkpoints.items():
                if at == start:
                    self._apply(view, delivered, end, report)
        report.check()
        return newest

    def _apply(
        self,
        view: View[Any],
        delivered: Delivered,
        checkpoint: Checkpoint | None,
        report: Applied,
    ) -> None:
        """Fold and save; the checkpoint moves if everything was applied."""
        work = _Work(view, {s: delivered[s] for s in delivered if view.feeds(s)})
        try:
            if view.newest_wins:
                work.fold_newest()
            else:
                rows = self.store.load(view, map(view.key, work.delivered))
                work.fold_in_order(rows, self._recorder)
            self.store.save(view, work.rows, None if work.failed else checkpoint)
        except Exception as error:
            report.failed |= dict.fromkeys(work.delivered, error)
            return
        report.failed |= work.failed
        report.applied += work.folded
        report.skipped += work.passed
        report.refilled += work.refilled


class _Work:
    """What one batch of events does to one view."""

    def __init__(self, view: View[Any], delivered: Delivered) -> None:
        self._view = view
        self.delivered = delivered
        self.rows: list[Row] = []
        self.failed: dict[str, Exception] = {}
        self.folded = 0
        self.passed = 0
        self.refilled = 0

    def fold_newest(self) -> None:
        """The rows of the newest event of each stream; nothing older is decoded."""
        for stream, versions in self.delivered.items():
            try:
                self.rows.append(self._view.fold(None, recorded(versions[max(versions)])))
            except Exception as error:
                self.failed[stream] = error
            else:
                self.folded += 1
                self.passed += len(versions) - 1

    def fold_in_order(self, known: Mapping[Any, Row], recorder: ApplicationRecorder) -> None:
        """The rows that the events move, folded from the stored rows without a gap."""
        for stream, versions in self.delivered.items():
            row = known.get(self._view.key(stream)) if known else None
            applied = 0 if row is None else row.version
            try:
                pending = self._contiguous(stream, applied, versions, recorder)
                for event in pending:
                    row = self._view.fold(row, event)
            except Exception as error:
                self.failed[stream] = error
                continue
            self.folded += len(pending)
            self.passed += sum(version <= applied for version in versions)
            if pending and row is not None:
                self.rows.append(row)

    def _contiguous(
        self,
        stream: str,
        applied: int,
        delivered: dict[int, Arrived],
        recorder: ApplicationRecorder,
    ) -> Sequence[Recorded]:
        """The events after `applied` up to the newest delivered one, each once and in order.

        What is decoded here is delivered to the views that come next.
        """
        wanted = range(applied + 1, max(delivered) + 1)
        if all(map(delivered.__contains__, wanted)):
            events = [recorded(delivered[version]) for version in wanted]
            delivered.update(zip(wanted, events, strict=True))
            return events
        found = recorder.select_events(stream, gt=applied, lte=wanted[-1])
        there = {event.originator_version for event in found}
        for version in wanted:
            if version not in there:
                raise EventsMissing(stream, version)
        self.refilled += sum(version not in delivered for version in wanted)
        return [decode(event) for event in found]


def _by_stream(events: Iterable[Arrived]) -> Delivered:
    """The events by stream and version."""
    found: Delivered = {}
    for event in events:
        found.setdefault(stream_of(event), {})[version_of(event)] = event
    return found
