"""A store whose weak reads are answered from the past, as DynamoDB's may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle

from eventsourcing.persistence import StoredEvent

from ledger.store.base import LedgerRecorder
from tests.support.lost_answers import LosingRecorder

BEHIND = (0, 1, 3, 0, 2, 100, 1)
"""How many events weak reads are behind, in turn; a stream may seem not to exist yet."""


class StaleRecorder(LosingRecorder):
    """Passes everything on, but reads that need not be strong are not even monotonic."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        super().__init__(recorder)
        self._behind: Iterator[int] = cycle(BEHIND)

    @property
    def weak_reads(self) -> bool:
        return True

    def select_newest(
        self, streams: Iterable[str], *, strong: bool = True
    ) -> dict[str, StoredEvent]:
        newest = super().select_newest(streams)
        if strong:
            return newest
        answer = {}
        for stream, event in newest.items():
            seen = event.originator_version - next(self._behind)
            for stored in self.select_events(stream, gt=seen - 1, lte=seen):
                answer[stream] = stored
        return answer
