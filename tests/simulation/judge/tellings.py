"""What there is to tell of history, derived a second time, and what a channel was told of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol
from uuid import UUID, uuid5

from tests.simulation.judge.accounts import Order
from tests.simulation.judge.books import Books
from tests.simulation.judge.findings import insist
from tests.simulation.judge.history import Event

TOLD: Final = "every fact is notified, in order, and nothing else is"
TWICE: Final = "a fact is notified again only after a doubt"

Fact = tuple[str, int, str]
"""Stream, version and kind."""


class Told(Protocol):
    """A notification as it was sent."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def version(self) -> int: ...


class Facts:
    """Everything that is to be told, by what it is told of, with its id."""

    def __init__(self) -> None:
        self.expected: dict[Fact, str] = {}
        self._available: dict[str, int] = {}
        self._low: dict[str, bool] = {}
        self._stocked: set[str] = set()
        self._decided: defaultdict[str, set[str]] = defaultdict(set)
        self._under_way: dict[str, Any] = {}

    def see(self, event: Event, books: Books) -> None:
        """Note what became true with an event."""
        if event.stream.startswith("stock:"):
            kinds = self._of_position(event, books)
        else:
            kinds = self._of_order(event, books.orders[event.order_id])
        for kind in kinds:
            self.expected[event.stream, event.version, kind] = str(uuid5(UUID(event.id), kind))

    def _of_position(self, event: Event, books: Books) -> list[str]:
        stock, stream = books.lanes[event.stream], event.stream
        if event.lane:
            return []
        was, now = self._available.get(stream, 0), stock.available
        several = stock.split is not None and not stock.split["gathered"]
        several = several and stock.split is not None and stock.split["count"] > 1
        low = stock.threshold is not None and now <= stock.threshold and not several
        now = max(1, now) if several else now
        kinds = ["low_stock"] if low and not self._low.get(stream, False) else []
        kinds += ["out_of_stock"] if was and not now else []
        kinds += ["back_in_stock"] if now and not was and stream in self._stocked else []
        self._available[stream], self._low[stream] = now, low
        if now:
            self._stocked.add(stream)
        return kinds

    def _of_order(self, event: Event, order: Order) -> list[str]:
        left = order.under_way
        kinds = []
        ordered = sum(line.quantity for line in order.lines.values())
        decided = None
        if order.units("rejected") + order.units("unfilled") == ordered:
            decided = "order_rejected"
        elif not order.pending and not (left["cancelled"] or left["expired"] or left["rejected"]):
            if order.waiting:
                decided = "order_backordered"
            elif order.reserved:
                decided = "order_confirmed"
        if decided is not None and decided not in self._decided[event.stream]:
            self._decided[event.stream].add(decided)
            kinds.append(decided)
        ended = {
            "OrderShipped": "shipped",
            "OrderCancelled": "cancelled",
            "OrderExpired": "expired",
        }
        fate = ended.get(event.type)
        if fate is not None and not left[fate]:
            kinds.append(f"order_{fate}")
        return kinds

    def judge(self, told: Sequence[Told], *, doubtful: bool) -> None:
        """Judge what was told; `doubtful` if some sender can't have known that it had sent."""
        first: dict[Fact, None] = {}
        for one in told:
            fact = (one.stream, one.version, str(one.kind))
            insist(fact in self.expected, TOLD, f"{fact} was told, but is no fact")
            insist(one.id == self.expected[fact], TOLD, f"{fact} was told as {one.id}")
            insist(fact not in first or doubtful, TWICE, f"{fact} was told twice")
            first[fact] = None
        missing = sorted(self.expected.keys() - first.keys())
        insist(not missing, TOLD, f"never told: {missing}")
        _insist_on_order(first)


def _insist_on_order(told: Iterable[Fact]) -> None:
    newest: dict[str, int] = {}
    for stream, version, kind in told:
        before = newest.get(stream, 0)
        insist(version >= before, TOLD, f"{kind} of {stream} version {version} after {before}")
        newest[stream] = version
