"""The newest states of streams, and the memory that a warm process has of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from eventsourcing.persistence import StoredEvent

from ledger.domain.balance import Balance, Lanes
from ledger.domain.events import PositionEvent
from ledger.domain.order import Order
from ledger.domain.streams import is_stock, position_of
from ledger.event_reader import decode_event
from ledger.store.base import Queued

MAX_CACHED_ORDER_LINES: Final = 1_000


class Head(NamedTuple):
    """The newest event of a stream, and the state after it (a balance, or a whole order)."""

    version: int
    at: str
    hash: str
    state: Balance | Order
    queued: Queued | None = None
    """The commit it comes from, if that was not known to stand when it was remembered."""


class HeadCache:
    """Heads a warm process remembers, bounded in number; the least recently used goes first.

    A head in here may be stale: an append on it then fails its condition, and a refusal reads
    again first.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._heads: OrderedDict[str, Head] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, stream: str) -> Head | None:
        """The remembered head of a stream."""
        with self._lock:
            head = self._heads.get(stream)
            if head is not None:
                self._heads.move_to_end(stream)
            return head

    def settle(self, stream: str) -> None:
        """Wait until what is remembered of a stream stands or has fallen, and can be read."""
        head = self.get(stream)
        if head is not None and head.queued is not None:
            head.queued.wait()

    def put(self, heads: Mapping[str, Head]) -> None:
        """Remember heads, unless newer ones are remembered."""
        with self._lock:
            for stream, head in heads.items():
                known = self._heads.get(stream)
                if known is None or known.version < head.version:
                    self._heads[stream] = head
                    self._heads.move_to_end(stream)
            while len(self._heads) > self._size:
                self._heads.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._heads.clear()

    def drop(self, streams: Iterable[str]) -> None:
        """Forget streams."""
        with self._lock:
            for stream in streams:
                self._heads.pop(stream, None)


def head_of(stored: StoredEvent) -> Head:
    """The head a position's newest event tells of."""
    recorded = decode_event(stored)
    event = recorded.event
    if not isinstance(event, PositionEvent):  # pragma: no cover - streams keep one kind
        msg = f"{recorded.stream} holds a {recorded.type}"
        raise TypeError(msg)
    return Head(recorded.version, recorded.at, recorded.hash, event.balance)


def worth_remembering(heads: Mapping[str, Head]) -> dict[str, Head]:
    """Heads without the states of very large orders, which would fill the memory."""
    return {
        stream: head
        for stream, head in heads.items()
        if is_stock(stream)
        or (isinstance(head.state, Order) and len(head.state.lines) <= MAX_CACHED_ORDER_LINES)
    }


def in_lanes(heads: Mapping[str, Head]) -> dict[str, Head]:
    """Those that are lanes of a position. Lane 0 says how many there are, and is rarely written."""
    return {stream: head for stream, head in heads.items() if _lanes(head) is not None}


def spread(heads: Mapping[str, Head]) -> set[str]:
    """Positions with several open lanes: who was in the way on one of them need not be any more."""
    return {
        position_of(stream)
        for stream, head in heads.items()
        if (lanes := _lanes(head)) is not None and lanes.open > 1
    }


def _lanes(head: Head) -> Lanes | None:
    return head.state.lanes if type(head.state) is Balance else None
