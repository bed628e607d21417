"""Reading past events again: of a time, a stream, a type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from ledger.codec import Recorded, decode
from ledger.service.history import History

PAGE = 2_000

Placed = tuple[int | None, Recorded]
"""An event and its position: in the log, or in its stream; None where there is no log."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events are wanted. Everything that is not None must hold.

    Parameters
    ----------
    since, until
        Recorded at `since` or after it, and before `until`: spans that meet share no event. The
        events of a commit have one time, so a span holds whole commits. (A second event of one
        stream in one commit comes a microsecond later.)
    """

    since: str | None = None
    until: str | None = None
    stream: str | None = None
    type: str | None = None

    def takes(self, recorded: Recorded) -> bool:
        """Whether an event is wanted."""
        return (
            (self.since is None or self.since <= recorded.at)
            and (self.until is None or recorded.at < self.until)
            and self.stream in (None, recorded.stream)
            and self.type in (None, recorded.type)
        )


def of_stream(history: History, selection: Selection) -> Iterator[Placed]:
    """Events of the one stream that is wanted, in order, each with its version.

    Time goes on within a stream, so only what lies in the span is read (and some to find it).

    Raises
    ------
    CorruptEvent
        Stored bytes are not an envelope.
    """
    assert selection.stream is not None, "one stream is wanted"
    newest: Recorded | None = None
    if selection.since is not None:
        newest = history.as_of(selection.stream, selection.since)
    for recorded in history.walk(selection.stream, gt=0 if newest is None else newest.version - 1):
        if selection.until is not None and recorded.at >= selection.until:
            return
        if selection.takes(recorded):
            yield recorded.version, recorded


def of_log(recorder: ApplicationRecorder, selection: Selection) -> Iterator[Placed]:
    """Events that were recorded when this began, in log order, each with its position.

    Raises
    ------
    CorruptEvent
        Stored bytes are not an envelope.
    """
    stop = recorder.max_notification_id() or 0
    topics = () if selection.type is None else (selection.type,)
    position: int | None = None
    while page := recorder.select_notifications(
        position, PAGE, stop=stop, topics=topics, inclusive_of_start=False
    ):
        for notification in page:
            recorded = decode(notification)
            if selection.takes(recorded):
                yield notification.id, recorded
        position = page[-1].id


def of_scan(scan: Iterable[StoredEvent], selection: Selection) -> Iterator[Placed]:
    """Events in the order they are scanned, without positions.

    Raises
    ------
    CorruptEvent
        Stored bytes are not an envelope.
    """
    for stored in scan:
        if selection.type in (None, stored.topic):
            recorded = decode(stored)
            if selection.takes(recorded):
                yield None, recorded
