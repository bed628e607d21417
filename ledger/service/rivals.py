"""Which streams others write to at the moment, and how long to keep out of their way."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ledger.service.attempts import Retry
from ledger.service.clock import Clock

LATELY: Final = timedelta(seconds=2)
MOST: Final = 10_000
CROWDED: Final = 3
"""The level from which on a position should be split: several processes lose more tries on it than
they win. Two that meet now and then don't get there."""


class _Seen(NamedTuple):
    level: int
    at: datetime


class Rivals:
    """How contended streams have been lately, as far as this process has seen.

    Commands of one process wait for each other, so a conflict tells of another process. A
    stream's level is the exponent of the next pause on it (`Retry.pause`): one more with every
    conflict, one less with every commit that stands. It outlasts the command. A process that
    began every command without a pause would outrun those that wait for their next try; the
    numbers are in docs/adr/0003.

    Parameters
    ----------
    retry
        How long a pause is at most: a level doesn't rise beyond that.
    clock
        Conflicts of more than `LATELY` ago are forgotten.
    """

    def __init__(self, retry: Retry, clock: Clock) -> None:
        self._top = retry.top
        self._clock = clock
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def among(self, streams: Iterable[str]) -> dict[str, int]:
        """The level of those streams that were contended lately."""
        if not self._seen:
            return {}
        with self._lock:
            return self._levels(streams)

    def crowd(self, stream: str) -> bool:
        """Whether a stream is more contended than it can carry."""
        return self.among([stream]).get(stream, 0) >= CROWDED

    def lost(self, streams: Iterable[str]) -> int:
        """Another commit was first on these streams; the highest level they have now."""
        now, highest = self._clock(), 0
        with self._lock:
            before = self._levels(streams := list(streams))
            for stream in streams:
                # Whoever was outrun once need not wait: it may not happen again.
                level = min(before.get(stream, -1) + 1, self._top)
                highest = max(highest, level)
                self._seen[stream] = _Seen(level, now)
                self._seen.move_to_end(stream)
            while len(self._seen) > MOST:
                self._seen.popitem(last=False)
        return highest

    def won(self, streams: Iterable[str]) -> None:
        """A commit on these streams stands."""
        if not self._seen:
            return
        with self._lock:
            for stream, level in self._levels(streams).items():
                self._seen[stream] = self._seen[stream]._replace(level=max(level - 1, 0))

    def forget(self, streams: Iterable[str]) -> None:
        """Whoever wants them has a way of its own now: nobody need keep out of the way."""
        if not self._seen:
            return
        with self._lock:
            for stream in streams:
                self._seen.pop(stream, None)

    def _levels(self, streams: Iterable[str]) -> dict[str, int]:
        now = self._clock()
        levels = {}
        for stream in streams:
            seen = self._seen.get(stream)
            if seen is None:
                continue
            if timedelta(0) <= now - seen.at < LATELY:
                levels[stream] = seen.level
            else:
                del self._seen[stream]
        return levels
