"""Catching up with an event store that has no common sequence, by scanning it.

Commits of this process say which streams moved; everything else is found by a scan of the whole
event table, now and then. That is enough for one server on an emulator or a small table. It costs
a read of every event per scan.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from eventsourcing.persistence import StoredEvent
from typing_extensions import override

from ledger.codec import Recorded
from ledger.service.clock import Clock, instant, utc_now
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from projections.runner import Runner
from projections.store.base import Checkpoint, ViewStore
from projections.views.base import View

SCAN_SECONDS: Final = 2.0
"""Pause between two scans of the event table."""


class ScanningRunner(Runner):
    """A runner that finds what is new by hints and by scans.

    Parameters
    ----------
    every
        Seconds between two scans; hinted streams are applied at once.
    """

    def __init__(
        self,
        recorder: DynamoDBLedgerRecorder,
        store: ViewStore,
        views: Sequence[View[Any]],
        *,
        every: float = SCAN_SECONDS,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(recorder, store, views)
        self._events = recorder
        self._every = every
        self._clock = clock
        self._scan_at = 0.0
        self._applied: dict[str, int] = {}
        self._hinted: set[str] = set()
        self._guard = threading.Lock()

    @override
    def hint(self, events: Iterable[Recorded]) -> None:
        with self._guard:
            self._hinted.update(event.stream for event in events)

    @override
    def catch_up(self, limit: int = 0) -> Sequence[StoredEvent]:
        """Apply what is hinted; when it is time, all that a scan finds.

        Answers the newest event of every stream that moved, however many they are.
        """
        with self._guard:
            hinted, self._hinted = self._hinted, set()
        moved = list(self._events.select_newest(hinted).values()) if hinted else []
        started: str | None = None
        if time.monotonic() >= self._scan_at:
            started = instant(self._clock())
            moved += self._scan()
        if moved:
            self.apply(moved)
            self._applied.update(
                (str(event.originator_id), event.originator_version) for event in moved
            )
        if started is not None:
            self._scan_at = time.monotonic() + self._every
            position = int(self._clock().timestamp() * 1e6)
            for view in self.views:
                self.store.save(view, [], Checkpoint(position, started))
        return moved

    def _scan(self) -> list[StoredEvent]:
        """The newest event of every stream that is ahead of what was applied here."""
        newest = self._events.scan_versions()
        ahead = [s for s, version in newest.items() if version > self._applied.get(s, 0)]
        return list(self._events.select_newest(ahead).values()) if ahead else []
