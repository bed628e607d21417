"""Long histories, sealed and chained as the ledger does it, made one event at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random
from typing import TypeVar

from eventsourcing.persistence import StoredEvent

from ledger.codec import Stamp, encode
from ledger.domain.events import Allocation, Event, OrderLine, OrderPlaced, OrderShipped
from ledger.domain.position import Position
from ledger.domain.streams import order_stream, stock_stream
from ledger.domain.values import OrderPolicy

T = TypeVar("T")
SKUS = 2_000


def position(stream: str, count: int) -> Iterator[StoredEvent]:
    """A position's history: one unit comes in, again and again, each in a commit of its own."""
    here, sealer = Position.of(stream, 0, Position("", "").balance), _Sealer()
    for _ in range(count):
        event = here.receive(1)
        here = here.after(event)
        yield from sealer.commit([(stream, event)])


def shop(count: int) -> Iterator[StoredEvent]:
    """About `count` events: orders of three lines that ship, and receipts of what runs short."""
    draw, sealer = Random(7), _Sealer()
    stock = [Position(f"SKU-{number:05}", "main") for number in range(SKUS)]
    made = 0
    for number in range(count):
        skus = sorted(draw.sample(range(SKUS), 3))
        for sku in skus:
            if stock[sku].balance.available < 9:
                receipt = stock[sku].receive(200, reference="supplier")
                stock[sku] = stock[sku].after(receipt)
                yield from sealer.commit([(stock[sku].stream, receipt)])
                made += 1
        order, units = str(1_000_000 + number), draw.randint(1, 9)
        parts = tuple(
            Allocation(line=line, location="main", reserved=units)
            for line in range(1, len(skus) + 1)
        )
        placed: list[tuple[str, Event]] = [(order_stream(order), _placed(stock, skus, parts))]
        shipped: list[tuple[str, Event]] = [
            (order_stream(order), OrderShipped(shipment_id=order, shipped=parts))
        ]
        for sku in skus:
            stream = stock_stream(stock[sku].sku, "main")
            reserved = stock[sku].allocate(order, reserved=units)
            gone = stock[sku].after(reserved).ship(order, units)
            stock[sku] = stock[sku].after(reserved).after(gone)
            placed.append((stream, reserved))
            shipped.append((stream, gone))
        yield from sealer.commit(placed)
        yield from sealer.commit(shipped)
        made += len(placed) + len(shipped)
        if made >= count:
            return


def pages(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of `size`."""
    rest = iter(items)
    while page := list(islice(rest, size)):
        yield page


def instant(microsecond: int) -> str:
    """The time of the event of that number."""
    seconds, micros = divmod(microsecond, 1_000_000)
    return f"2026-01-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micros:06}Z"


class _Sealer:
    """Knows the heads of all streams."""

    def __init__(self) -> None:
        self._heads: dict[str, tuple[int, str]] = {}
        self._commits = 0

    def commit(self, drafts: list[tuple[str, Event]]) -> Iterator[StoredEvent]:
        """The events of one commit, a microsecond after the one before it."""
        self._commits += 1
        command = f"00000000-0000-7000-8000-{self._commits:012x}"
        stamp = Stamp(instant(self._commits), command, "bench", "local", len(drafts))
        for number, (stream, event) in enumerate(drafts):
            version, prev = self._heads.get(stream, (0, ""))
            event_id = f"00000000-0000-7000-9{number:03x}-{self._commits:012x}"
            recorded, stored = encode(
                stream, version + 1, event, event_id=event_id, stamp=stamp, prev=prev
            )
            self._heads[stream] = (version + 1, recorded.hash)
            yield stored


def _placed(stock: list[Position], skus: list[int], parts: tuple[Allocation, ...]) -> OrderPlaced:
    lines = tuple(
        OrderLine(line=part.line, sku=stock[sku].sku, quantity=part.reserved)
        for sku, part in zip(skus, parts, strict=True)
    )
    return OrderPlaced(
        policy=OrderPolicy.ALL_OR_NOTHING, line_count=len(lines), lines=lines, allocations=parts
    )
