"""The runner: brings views up to the events, whatever the delivery does.

Delivery is a hint. Events may come twice, late, in any order or not at all; what is applied is
decided by versions: below or at the applied one an event is skipped, the next one is folded, and
before a later one the missing events are read from the event store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent

from ledger.codec import Recorded, decode
from projections.arrivals import Arrived
from projections.generations import Registry
from projections.store.base import Checkpoint, ViewStore
from projections.views.base import View
from projections.work import Applied, Delivered, EventsMissing, Work

__all__ = ["PAGE", "Applied", "EventsMissing", "Runner"]

PAGE: Final = 40_000
"""Events that are applied at a time, some 40 MB. The more there are, the fewer of a position are
decoded: where the newest wins, one of them.
"""


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
        live = [generation for view in self.views for generation in self.registry.live(view)]
        self._apply(live, _by_stream(events), None, report)
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
            there = [view for view, at in checkpoints.items() if at == start]
            self._apply(there, _by_stream(page), end, report)
        report.check()
        return newest

    def _apply(
        self,
        views: Iterable[View[Any]],
        delivered: Delivered,
        checkpoint: Checkpoint | None,
        report: Applied,
    ) -> None:
        """Fold and save; the checkpoint of a view moves if everything was applied to it.

        A stream is folded into all views before the next one is looked at, so that no more is
        decoded at a time than one stream's events: what is kept for longer costs more than
        decoding it, in memory and in the search for garbage.
        """
        work = [Work(view, filter(view.feeds, delivered)) for view in views]
        for one in work:
            one.begin(self.store, delivered)
        for stream in dict.fromkeys(stream for one in work for stream in one.in_order):
            versions = dict(delivered[stream])
            for one in work:
                if stream in one.in_order:
                    one.fold_in_order(stream, versions, self._recorder)
        for one in work:
            one.end(self.store, checkpoint, report)


def _by_stream(events: Iterable[Arrived]) -> Delivered:
    """The events by stream and version."""
    found: Delivered = {}
    for event in events:
        if isinstance(event, Recorded):
            stream, version = event.stream, event.version
        else:
            stream, version = str(event.originator_id), event.originator_version
        there = found.get(stream)
        if there is None:
            found[stream] = {version: event}
        else:
            there[version] = event
    return found
