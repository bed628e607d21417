"""Reads straight from the streams: always strong, never from a view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.codec import CorruptEvent, Recorded, decode
from ledger.domain.balance import Balance
from ledger.domain.events import PositionEvent
from ledger.domain.folding import fold
from ledger.domain.lanes import together
from ledger.domain.order import Order
from ledger.domain.streams import lane_stream, order_stream
from ledger.event_reader import decode_event
from ledger.store.base import LedgerRecorder

PAGE = 500


class Level(NamedTuple):
    """What a position holds, over all its lanes if it is in lanes.

    `version` counts the events behind it, those of all lanes; `at` is the time of the newest.
    """

    stream: str
    version: int
    at: str
    balance: Balance
    in_lanes: bool


class History:
    """What happened, as the event store has it."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        self._recorder = recorder

    def newest(self, stream: str) -> Recorded | None:
        """The newest event of a stream; a position's balance is in it."""
        return self.newest_many([stream]).get(stream)

    def newest_many(self, streams: Iterable[str]) -> dict[str, Recorded]:
        """The newest event of each stream that has one."""
        newest = self._recorder.select_newest(streams)
        return {stream: decode(stored) for stream, stored in newest.items()}

    def at_version(self, stream: str, version: int) -> Recorded | None:
        """One event."""
        found = self.events(stream, gt=version - 1, lte=version)
        return found[0] if found else None

    def as_of(self, stream: str, at: str) -> Recorded | None:
        """The newest event whose `at` is not after the given instant.

        Time never runs backwards within a stream, so this is a binary search on the version:
        about log2(n) reads for a stream of n events.
        """
        newest = self.newest(stream)
        if newest is None or newest.at <= at:
            return newest
        best: Recorded | None = None
        low, high = 1, newest.version - 1
        while low <= high:
            middle = (low + high) // 2
            event = self.at_version(stream, middle)
            if event is not None and event.at <= at:
                best, low = event, middle + 1
            else:
                high = middle - 1
        return best

    def position(self, stream: str, at: str | None = None) -> Level | None:
        """A position as of an instant (None: now), or None if nothing had happened there.

        One of lanes is read lane by lane, each at its own moment unless the instant is past.
        """
        first = self.newest(stream) if at is None else self.as_of(stream, at)
        if first is None:
            return None
        balance = balance_of(first)
        if balance.lanes is None:
            return Level(stream, first.version, first.at, balance, in_lanes=False)
        streams = [lane_stream(stream, n) for n in range(1, balance.lanes.streams)]
        if at is None:
            others = list(self.newest_many(streams).values())
        else:
            others = [lane for s in streams if (lane := self.as_of(s, at)) is not None]
        lanes = [first, *others]
        return Level(
            stream,
            sum(lane.version for lane in lanes),
            max(lane.at for lane in lanes),
            together([balance_of(lane) for lane in lanes]),
            in_lanes=True,
        )

    def events(
        self,
        stream: str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[Recorded]:
        """Events of a stream by version."""
        found = self._recorder.select_events(stream, gt=gt, lte=lte, desc=desc, limit=limit)
        return [decode_event(stored) for stored in found]

    def walk(self, stream: str, *, gt: int = 0) -> Iterator[Recorded]:
        """Events of a stream in order, read in pages: stops early at no cost."""
        while page := self.events(stream, gt=gt, limit=PAGE):
            yield from page
            gt = page[-1].version

    def order(self, order_id: str, version: int | None = None) -> Order | None:
        """The order as of a version (None: now), or None if there is no such order."""
        events = self.events(order_stream(order_id), lte=version)
        if not events:
            return None
        return fold(order_id, (recorded.event for recorded in events))

    def feed(self, after: int, limit: int, stream: str | None = None) -> list[tuple[int, Recorded]]:
        """Events after a position, oldest first, each with its position.

        Positions are those of the whole log, or versions when one stream is asked for.
        """
        if stream is not None:
            return [(r.version, r) for r in self.events(stream, gt=after, limit=limit)]
        found = self._recorder.select_notifications(after, limit, inclusive_of_start=False)
        return [(notification.id, decode(notification)) for notification in found]


def balance_of(recorded: Recorded) -> Balance:
    """The balance that a position's event, or a lane's, carries.

    Raises
    ------
    CorruptEvent
        It is not a position's event, or can't be read.
    """
    event = recorded.event
    if not isinstance(event, PositionEvent):
        why = f"a {recorded.type} is not a position's event"
        raise CorruptEvent(recorded.stream, recorded.version, why)
    return event.balance
