"""Stock levels: the newest balance of every position."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from ledger.codec import CorruptEvent, Recorded
from ledger.domain.events import PositionEvent
from ledger.domain.streams import is_stock, parse_stock
from projections.views.base import Key, View


@dataclass(frozen=True, slots=True)
class StockRow:
    """A position's newest balance, in base units."""

    sku: str
    location: str
    on_hand: int
    reserved: int
    backordered: int
    damaged: int
    available: int
    """What a new order may reserve."""
    low_stock_threshold: int | None
    queue_from: int | None
    """Where the backorder queue begins; None unless units are backordered."""
    promotable: bool
    """Whether the head of the backorder queue can be served now."""
    version: int
    at: str
    """When the row's event was recorded."""


class StockLevelsView(View[StockRow]):
    """One row per position. Every event carries the balance after it, so the newest one wins."""

    row = StockRow
    key_fields = ("sku", "location")
    order = ("sku", "location")
    indexes = (("location", "sku"), ("promotable",))
    newest_wins = True

    def __init__(self, base: str = "stock_levels") -> None:
        super().__init__(base)

    @override
    def feeds(self, stream: str) -> bool:
        return is_stock(stream)

    @override
    def key(self, stream: str) -> Key:
        return parse_stock(stream)

    @override
    def fold(self, row: StockRow | None, recorded: Recorded) -> StockRow:
        event = recorded.event
        if not isinstance(event, PositionEvent):
            why = f"a {recorded.type} in a position's stream"
            raise CorruptEvent(recorded.stream, recorded.version, why)
        sku, location = parse_stock(recorded.stream)
        balance = event.balance
        return StockRow(
            sku,
            location,
            balance.on_hand,
            balance.reserved,
            balance.backordered,
            balance.damaged,
            balance.available,
            balance.low_stock_threshold,
            balance.queue_from,
            balance.promotable,
            recorded.version,
            recorded.at,
        )
