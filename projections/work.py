"""What a batch of events does to one view: which rows it moves, and what fails on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eventsourcing.persistence import ApplicationRecorder

from ledger.codec import CorruptEvent, Recorded
from ledger.event_reader import decode_event
from projections.arrivals import Arrived, recorded
from projections.store.base import Checkpoint, ViewStore
from projections.views.base import Key, Row, View

Delivered = dict[str, dict[int, Arrived]]
"""Events by stream and version."""


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


class Work:
    """What one batch of events does to one view."""

    def __init__(self, view: View[Any], streams: Iterable[str]) -> None:
        self.view = view
        self.streams = dict.fromkeys(streams)
        self.in_order: dict[str, Key] = {}
        """The streams that are to be folded one event after another, with their rows' keys."""
        self._known: Mapping[Any, Row] = {}
        self._rows: list[Row] = []
        self._failed: dict[str, Exception] = {}
        self._broken: Exception | None = None
        """Why the view store failed all of it."""
        self._folded = 0
        self._passed = 0
        self._refilled = 0

    def begin(self, store: ViewStore, delivered: Delivered) -> None:
        """Read the rows that are there; where the newest wins there is no need to, and what was
        delivered is folded at once.
        """
        if self.view.newest_wins:
            for stream in self.streams:
                self._fold_newest(stream, delivered[stream])
            return
        for stream in self.streams:
            try:
                self.in_order[stream] = self.view.key(stream)
            except ValueError as error:
                self._failed[stream] = CorruptEvent(stream, min(delivered[stream]), str(error))
        try:
            self._known = store.load(self.view, self.in_order.values())
        except Exception as error:
            self._broken = error
            self.in_order = {}

    def _fold_newest(self, stream: str, versions: dict[int, Arrived]) -> None:
        """The row of the newest event of a stream; nothing older is decoded."""
        try:
            self._rows.append(self.view.fold(None, recorded(versions[max(versions)])))
        except Exception as error:
            self._failed[stream] = error
        else:
            self._folded += 1
            self._passed += len(versions) - 1

    def fold_in_order(
        self, stream: str, versions: dict[int, Arrived], recorder: ApplicationRecorder
    ) -> None:
        """The row that the events move, folded from the stored one without a gap."""
        row = self._known.get(self.in_order[stream])
        applied = 0 if row is None else row.version
        try:
            pending = self._contiguous(stream, applied, versions, recorder)
            if pending:
                self._rows.append(self.view.fold_all(row, pending))
        except Exception as error:
            self._failed[stream] = error
            return
        self._folded += len(pending)
        if applied:
            self._passed += sum(version <= applied for version in versions)

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
        self._refilled += sum(version not in delivered for version in wanted)
        return [decode_event(event) for event in found]

    def end(self, store: ViewStore, checkpoint: Checkpoint | None, report: Applied) -> None:
        """Save the rows, if they could be read, and report what was done."""
        try:
            if self._broken is None:
                store.save(self.view, self._rows, None if self._failed else checkpoint)
        except Exception as error:
            self._broken = error
        if self._broken is not None:
            report.failed |= dict.fromkeys(self.streams, self._broken)
            return
        report.failed |= self._failed
        report.applied += self._folded
        report.skipped += self._passed
        report.refilled += self._refilled
