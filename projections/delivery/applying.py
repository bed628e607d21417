"""Applying delivered events to views, with what is told about it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger.codec import Recorded
from ledger.service.clock import parse_instant
from projections.delivery.meters import Meter
from projections.runner import Applied, Runner
from projections.store.base import Checkpoint

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS: Final = 1.0
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Applying:
    """Applies events to the views of a runner; what a `Consumer` of views hands its events to.

    Where events come without a common order there is no point of the log up to which everything
    is applied. The views' checkpoints then tell when the newest event was recorded that somebody
    applied: what older events are still under way, they can't tell. They are moved at most once
    in `CHECKPOINT_SECONDS`, and nothing depends on it.
    """

    def __init__(
        self, runner: Runner, meter: Meter, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._runner = runner
        self._meter = meter
        self._clock = clock
        self._told_at = -CHECKPOINT_SECONDS
        self._told = ""

    def __call__(self, events: Sequence[Recorded]) -> Mapping[str, Exception]:
        """Apply events; answers the streams that failed, and why."""
        applied = self._runner.apply(events)
        self._measure(applied)
        newest = max((e.at for e in events if e.stream not in applied.failed), default="")
        if newest > self._told and self._clock() - self._told_at >= CHECKPOINT_SECONDS:
            self._told_at, self._told = self._clock(), newest
            self._move_checkpoints(newest)
        return applied.failed

    def _measure(self, applied: Applied) -> None:
        for name in ("Applied", "Skipped", "Refilled"):
            value = getattr(applied, name.lower())
            if value:
                self._meter.measure(name, value)

    def _move_checkpoints(self, at: str) -> None:
        checkpoint = Checkpoint(position_of(at), at)
        try:
            for view in self._runner.views:
                for generation in self._runner.registry.live(view):
                    self._runner.store.save(generation, [], checkpoint)
        except Exception:
            log.warning("a view's freshness could not be told", exc_info=True)


def position_of(at: str) -> int:
    """The microseconds since 1970 of an instant: what a checkpoint moves by without a log."""
    return (parse_instant(at) - EPOCH) // timedelta(microseconds=1)
