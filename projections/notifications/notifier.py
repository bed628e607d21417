"""The notifier of one channel: sends what its marks say was not sent, in order, at least once.

Delivery is a hint here as everywhere: an event that arrives says how far a stream has come, and
what is missing is read from the event store. The mark moves *after* the sending, so a crash
between the two sends again (with the same id) and nothing is ever skipped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from ledger.codec import Recorded
from ledger.domain.streams import is_order
from ledger.service.clock import Clock, instant, utc_now
from projections.arrivals import Arrived, stream_of, version_of
from projections.notifications.channels.base import Channel, Unavailable
from projections.notifications.marks import Advance, Claimed, Marks
from projections.notifications.notification import Notification
from projections.notifications.reading import PAGE, Events, Told, facts_between, tells

log = logging.getLogger(__name__)

MAX_AGE_SECONDS: Final = 7 * 24 * 3600
GIVE_UP_AFTER: Final = 2
"""Streams in a row that can't be sent before the channel is not tried any more in this batch: a
receiver that is down must not cost its whole patience for every stream."""

IMPORTER: Final = "import"
"""Actor of events recorded by `ledger import`: history that happened elsewhere, long told."""


class NotTried(Unavailable):
    """The channel did not answer for other streams of the batch, so it was not asked again."""


@dataclass(slots=True)
class Outcome:
    """What one batch came to, for one channel. Counts are in facts."""

    channel: str
    sent: int = 0
    skipped_old: int = 0
    """Too old to be news: the channel was down for too long, or is new to an old history."""
    skipped_imported: int = 0
    failed: dict[str, Exception] = field(default_factory=dict)
    """Streams that are not told up to where they should be, and why. Deliver them again."""
    unavailable: int = 0
    """Streams in a row for which the channel did not answer."""

    @property
    def down(self) -> bool:
        """Whether the channel is not tried any more."""
        return self.unavailable >= GIVE_UP_AFTER


class Notifier:
    """Tells one channel what there is to tell.

    Any number of notifiers of one channel, in any number of processes, may be told of the same
    events. Each channel has its own notifier and marks, so that a failure of one is not a
    repetition for another.

    Parameters
    ----------
    events
        Where what is missing is read (`History`).
    max_age_seconds
        Facts older than this are passed over and counted.
    observe
        Is told how every batch went, for metrics.
    """

    def __init__(
        self,
        channel: Channel,
        marks: Marks,
        events: Events,
        *,
        max_age_seconds: float = MAX_AGE_SECONDS,
        clock: Clock = utc_now,
        observe: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self.channel = channel
        self._marks = marks
        self._events = events
        self._max_age = timedelta(seconds=max_age_seconds)
        self._clock = clock
        self._observe = observe

    def handle(self, events: Sequence[Arrived]) -> dict[str, Exception]:
        """Tell what delivered events and those before them are facts of.

        Events may come in any order, any number of times. Answers the streams that failed; nothing
        else waits for them, and they must be delivered again.
        """
        return self.tell(newest_versions(events)).failed

    def tell(self, wanted: Mapping[str, int]) -> Outcome:
        """Tell everything of the given streams up to the given versions."""
        outcome = Outcome(self.channel.name)
        left = {stream: version for stream, version in wanted.items() if tells(stream)}
        try:
            marked = self._marks.versions(left)
            while left:
                left = self._round(left, marked, outcome)
        except Exception as error:
            log.exception("%s: the marks can't be read or written", self.channel.name)
            for stream in left:
                outcome.failed.setdefault(stream, error)
        self._observe(outcome)
        return outcome

    def _round(
        self, wanted: Mapping[str, int], marked: dict[str, int], outcome: Outcome
    ) -> dict[str, int]:
        """Bring every stream a page further; answers those that are still behind."""
        quiet: dict[str, tuple[int, list[Told]]] = {}
        for stream, version in wanted.items():
            seen = marked[stream]
            if seen >= version:
                continue
            upto = version if is_order(stream) else min(version, seen + PAGE)
            with self._failing(stream, outcome):
                told = facts_between(self._events, stream, seen, upto)
                if any(self._is_due(each.event, fact) for each in told for fact in each.facts):
                    marked[stream] = self._send_claimed(stream, upto, outcome, seen, told)
                else:
                    quiet[stream] = upto, told
        moves = [Advance(stream, marked[stream], upto) for stream, (upto, _) in quiet.items()]
        refused = self._marks.advance(moves)
        for stream, (upto, told) in quiet.items():
            with self._failing(stream, outcome):
                if stream in refused:
                    marked[stream] = self._send_claimed(stream, upto, outcome)
                else:
                    self._send(told, outcome)
                    marked[stream] = upto
        return {
            stream: version
            for stream, version in wanted.items()
            if stream not in outcome.failed and marked[stream] < version
        }

    def _send_claimed(
        self,
        stream: str,
        upto: int,
        outcome: Outcome,
        seen: int | None = None,
        told: Sequence[Told] = (),
    ) -> int:
        """Send as the only sender of the stream; answers the mark.

        `told` is what there is to send if the mark is still where it was `seen`.
        """
        if outcome.down:
            msg = f"{self.channel.name} does not answer and was not tried again in this batch"
            raise NotTried(msg)
        claim = self._marks.claim(stream)
        if claim is None:
            raise Claimed(stream)
        try:
            if claim.version >= upto:
                self._marks.release(claim)
                return claim.version
            if claim.version != seen:
                told = facts_between(self._events, stream, claim.version, upto)
            for each in told:
                if self._send([each], outcome) and each.event.version < upto:
                    self._marks.mark(claim, each.event.version)
            self._marks.mark(claim, upto, release=True)
        except BaseException:
            with suppress(Exception):
                self._marks.release(claim)
            raise
        return upto

    def _send(self, told: Iterable[Told], outcome: Outcome) -> int:
        """Send what is due and count what is passed over; answers how many were sent."""
        sent = 0
        for event, facts in told:
            for fact in facts:
                if self._is_due(event, fact):
                    self.channel.send(fact)
                    sent += 1
                    outcome.sent += 1
                    outcome.unavailable = 0
                elif self.channel.wants(fact.kind):
                    if event.actor == IMPORTER:
                        outcome.skipped_imported += 1
                    else:
                        outcome.skipped_old += 1
        return sent

    def _is_due(self, event: Recorded, fact: Notification) -> bool:
        """Whether a fact is to be sent on this channel."""
        if not self.channel.wants(fact.kind) or event.actor == IMPORTER:
            return False
        return event.at >= instant(self._clock() - self._max_age)

    @contextmanager
    def _failing(self, stream: str, outcome: Outcome) -> Iterator[None]:
        """What goes wrong with one stream is noted, and is no matter of the others."""
        try:
            yield
        except Exception as error:
            if isinstance(error, Unavailable) and not outcome.down:
                outcome.unavailable += 1
            level = logging.DEBUG if isinstance(error, NotTried) else logging.WARNING
            log.log(level, "%s: %s is not told yet: %s", self.channel.name, stream, error)
            outcome.failed[stream] = error


def newest_versions(events: Iterable[Arrived]) -> dict[str, int]:
    """The newest version that was delivered of each stream, in the order they came."""
    newest: dict[str, int] = {}
    for event in events:
        stream = stream_of(event)
        newest[stream] = max(version_of(event), newest.get(stream, 0))
    return newest


def handle_all(notifiers: Iterable[Notifier], events: Sequence[Arrived]) -> dict[str, Exception]:
    """Let every channel handle the events; answers the streams that failed on any of them."""
    failed: dict[str, Exception] = {}
    for notifier in notifiers:
        for stream, error in notifier.handle(events).items():
            failed.setdefault(stream, error)
    return failed
