"""A store whose answers get lost, before or after the commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from eventsourcing.persistence import ApplicationRecorder as LibraryRecorder
from eventsourcing.persistence import Notification, StoredEvent, Subscription

from ledger.errors import UnknownOutcome
from ledger.store.base import CommandRecord, LedgerRecorder

Loss = Literal["before", "after"]


class LosingRecorder(LedgerRecorder):
    """Passes everything on; the next appends lose their answer as `losses` says, oldest first."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        self._recorder = recorder
        self.losses: list[Loss] = []
        self.deaf = False
        """Whether reads fail too, as long as set: the network is gone, not only one answer."""

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandRecord | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        loss = self.losses.pop(0) if self.losses else None
        if loss == "before":
            raise UnknownOutcome("timed out")
        ids = self._recorder.insert_events(stored_events, command=command, **kwargs)
        if loss == "after":
            raise UnknownOutcome("timed out")
        return ids

    def select_events(
        self,
        originator_id: Any,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        self._listen()
        return self._recorder.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)

    def select_newest(self, streams: Iterable[str]) -> dict[str, StoredEvent]:
        self._listen()
        return self._recorder.select_newest(streams)

    def find_command(self, key: str) -> CommandRecord | None:
        self._listen()
        return self._recorder.find_command(key)

    def purge_commands(self) -> int:
        return self._recorder.purge_commands()

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        return self._recorder.select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )

    def max_notification_id(self) -> int | None:
        return self._recorder.max_notification_id()

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[LibraryRecorder]:
        return self._recorder.subscribe(gt, topics)

    def close(self) -> None:
        self._recorder.close()

    def _listen(self) -> None:
        if self.deaf:
            raise UnknownOutcome("no connection")
