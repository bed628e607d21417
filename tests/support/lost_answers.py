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
        self.inner = recorder
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
        ids = self.inner.insert_events(stored_events, command=command, **kwargs)
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
        return self.inner.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)

    @property
    def weak_reads(self) -> bool:
        return self.inner.weak_reads

    def select_newest(
        self, streams: Iterable[str], *, strong: bool = True
    ) -> dict[str, StoredEvent]:
        self._listen()
        return self.inner.select_newest(streams, strong=strong)

    def find_command(self, key: str) -> CommandRecord | None:
        self._listen()
        return self.inner.find_command(key)

    def purge_commands(self) -> int:
        return self.inner.purge_commands()

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        return self.inner.select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )

    def max_notification_id(self) -> int | None:
        return self.inner.max_notification_id()

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[LibraryRecorder]:
        return self.inner.subscribe(gt, topics)

    def close(self) -> None:
        self.inner.close()

    def _listen(self) -> None:
        if self.deaf:
            raise UnknownOutcome("no connection")
