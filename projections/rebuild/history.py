"""What a new generation of a view is filled from: all events, from the log if there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Protocol

from eventsourcing.persistence import ApplicationRecorder

from projections.generations import Registry
from projections.rebuild.state import Segment
from projections.runner import Runner
from projections.store.base import ViewStore
from projections.views.base import View

LOG_PAGE: Final = 5_000
"""Events of the log applied at a time."""


class History(Protocol):
    """All events, to be read once into a generation while more of them come."""

    @property
    def settles(self) -> bool:
        """Whether everybody who writes must know the generation before history is read."""

    def total(self) -> int:
        """About how many events there are."""

    def begin(self, wanted: int) -> tuple[Segment, ...]:
        """The segments it is read in, `wanted` of them if it can be divided at all."""

    def fill(
        self, store: ViewStore, view: View[Any], number: int, segments: tuple[Segment, ...]
    ) -> Iterator[Segment]:
        """Apply a segment to the view's generation from where it stands; answers how far it is
        each time something was written, the last time with `done`.

        Raises
        ------
        CorruptEvent, EventsMissing
            A stream can't be folded.
        OperationalError
            A store was too busy for too long. What was answered stands.
        """

    def finish(self, store: ViewStore, shown: View[Any], rebuilt: View[Any]) -> None:
        """Bring to its end what is left when all segments are done."""


class LogHistory:
    """The notification log, followed from the generation's own checkpoint.

    Nothing can be missed, whoever knows of the generation: it is behind in the log until somebody
    has applied everything. So there is nothing to wait for. Every live generation is brought to
    the end of the log, so that they can be compared.
    """

    settles = False

    def __init__(self, recorder: ApplicationRecorder, *, page: int = LOG_PAGE) -> None:
        self._recorder = recorder
        self._page = page

    def total(self) -> int:
        """The newest event's position."""
        return self._recorder.max_notification_id() or 0

    def begin(self, wanted: int) -> tuple[Segment, ...]:  # noqa: ARG002 - a log is one segment
        """One segment: a log has an order."""
        return (Segment(),)

    def fill(
        self, store: ViewStore, view: View[Any], number: int, segments: tuple[Segment, ...]
    ) -> Iterator[Segment]:
        """Follow the log to its end."""
        runner = Runner(self._recorder, store, [view], Registry(store, trusted=0))
        while runner.catch_up(self._page):
            yield replace(segments[number], events=store.checkpoint(view).position)
        yield Segment(events=store.checkpoint(view).position, done=True)

    def finish(self, store: ViewStore, shown: View[Any], rebuilt: View[Any]) -> None:
        """Nothing is left."""
