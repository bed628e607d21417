"""What one decision knows: the newest state of the streams it looks at, and how it knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ledger.codec import Recorded
from ledger.domain import folding
from ledger.domain.balance import EMPTY, Balance
from ledger.domain.events import PositionEvent
from ledger.domain.order import Order
from ledger.domain.position import Position
from ledger.domain.streams import lane_stream, order_stream, parse_order
from ledger.service.heads import Head, HeadCache, head_of
from ledger.service.history import History
from ledger.store.base import LedgerRecorder


class StaleRead(Exception):
    """A decision is about to refuse on state it remembered: it must read again first."""

    def __init__(self, streams: Iterable[str]) -> None:
        self.streams = frozenset(streams)
        super().__init__(f"remembered: {', '.join(sorted(self.streams))}")


class Session:
    """The state one decision is made on.

    `fresh` reads everything strongly; otherwise only the `stale` streams are not remembered.
    """

    def __init__(
        self,
        recorder: LedgerRecorder,
        cache: HeadCache,
        *,
        fresh: bool = False,
        stale: Iterable[str] = (),
        existing: Iterable[str] = (),
        home: int = 0,
        split_into: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self.home = home
        """The lane this process prefers, counted on beyond the last one."""
        self.split_into = split_into
        """How many lanes an order should split a position into that is whole; 1 leaves it so."""
        self._recorder = recorder
        self._cache = cache
        self._fresh = fresh
        self._stale = frozenset(stale)
        self._existing = frozenset(existing)
        self.seen: set[str] = set()
        """Streams this decision looked at, whether or not they have events."""
        self.heads: dict[str, Head] = {}
        self.remembered: set[str] = set()
        """Streams whose state came from memory, or from a read that may be stale."""
        self.unmoved: dict[str, int] = {}
        """Versions that must still be the newest when the decision stands, though it writes
        nothing there."""

    @property
    def history(self) -> History:
        """Strong reads of whole streams."""
        return History(self._recorder)

    def positions(self, streams: Iterable[str]) -> dict[str, Position]:
        """The positions of the given streams; one read for all that are not remembered."""
        streams = list(streams)
        unknown = [stream for stream in streams if not self._recall(stream)]
        if unknown:
            self._read(unknown)
        positions = {}
        for stream in streams:
            head = self.heads.get(stream)
            # `isinstance` asks a model's metaclass: here that took longer than the rest.
            if head is not None and type(head.state) is Balance:
                positions[stream] = Position.of(stream, head.version, head.state)
            else:
                positions[stream] = Position.of(stream, 0, EMPTY)
        return positions

    def lanes(self, position: Position, only: int | None = None) -> list[Position]:
        """All lanes of a position, the given lane 0 among them, or `only` one.

        Raises
        ------
        StaleRead
            They say different things of how the position is split: not read at one moment.
        """
        split = position.balance.lanes
        assert split is not None, "the position is split"
        numbers = range(split.streams) if only is None else (only,)
        streams = [lane_stream(position.stream, n) for n in numbers]
        found = self.positions(streams)
        if any(lane.balance.lanes != split for lane in found.values()):
            raise StaleRead({position.stream, *streams})
        return [found[stream] for stream in streams]

    def insist_on(self, streams: Iterable[str]) -> None:
        """What was read of these streams must still be the newest when the decision stands."""
        for stream in streams:
            head = self.heads.get(stream)
            self.unmoved[stream] = 0 if head is None else head.version

    def _read(self, streams: Sequence[str]) -> None:
        """Read positions for the first time: strongly where it is cheap, or was asked for."""
        weak = self._recorder.weak_reads and not self._fresh
        strongly = [s for s in streams if not weak or s in self._stale]
        weakly = [s for s in streams if s not in strongly]
        newest = self._recorder.select_newest(strongly) if strongly else {}
        if weakly:
            newest |= self._recorder.select_newest(weakly, strong=False)
            self.remembered.update(weakly)
        self.heads.update({stream: head_of(stored) for stream, stored in newest.items()})

    def order(self, order_id: str) -> Order | None:
        """The order, or None if there is none."""
        stream = order_stream(order_id)
        if not self._recall(stream):
            events = self.history.events(stream)
            if events:
                order = folding.fold(order_id, (recorded.event for recorded in events))
                last = events[-1]
                self.heads[stream] = Head(last.version, last.at, last.hash, order)
        head = self.heads.get(stream)
        return head.state if head is not None and isinstance(head.state, Order) else None

    def known_to_exist(self, stream: str) -> bool:
        """Whether an earlier attempt of this command learned that the stream exists.

        A new order's stream is not read first: if it exists, the append finds out at no cost.
        """
        return stream in self._existing

    def relying_on(self, wanting: Iterable[str]) -> None:
        """Call before giving less than was asked of the `wanting` streams: memory won't do.

        Raises
        ------
        StaleRead
            The state of some of them was remembered: read those again and decide anew.
        """
        stale = self.remembered.intersection(wanting)
        if stale:
            raise StaleRead(stale)

    def moved(self) -> bool:
        """Whether a stream this decision looked at has moved since: its reads may be torn."""
        newest = self._recorder.select_newest(self.seen)
        return any(
            stored.originator_version != (self.heads[s].version if s in self.heads else 0)
            for s, stored in newest.items()
        )

    def after(self, recorded: Iterable[Recorded]) -> dict[str, Head]:
        """The heads once the events of this decision's commit are recorded."""
        heads: dict[str, Head] = {}
        for event in recorded:
            stream = event.stream
            if isinstance(event.event, PositionEvent):
                state: Balance | Order = event.event.balance
            else:
                before = heads.get(stream, self.heads.get(stream))
                order = before.state if before is not None else Order(parse_order(stream))
                if not isinstance(order, Order):  # pragma: no cover - streams keep one kind
                    continue
                state = folding.apply(order, event.event)
            heads[stream] = Head(event.version, event.at, event.hash, state)
        return heads

    def _recall(self, stream: str) -> bool:
        self.seen.add(stream)
        if stream in self.heads:
            return True
        if self._fresh or stream in self._stale:
            self._cache.settle(stream)
            return False
        head = self._cache.get(stream)
        if head is None:
            return False
        self.heads[stream] = head
        self.remembered.add(stream)
        return True
