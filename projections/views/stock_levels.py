"""Stock levels: the newest balance of every position."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from ledger.codec import CorruptEvent, Recorded
from ledger.domain.events import PositionEvent
from ledger.domain.streams import is_stock, lane_stream, parse_stock
from projections.views.base import Key, View, made


@dataclass(frozen=True)
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
    lanes: int | None = None
    """How many lanes the position has rows for, this one among them; None if it isn't in lanes."""
    escrowed: int | None = None
    """Units on hand that came from other lanes, less those that went there."""


class StockLevelsView(View[StockRow]):
    """One row per position. Every event carries the balance after it, so the newest one wins.

    A position in lanes has a row per lane, since a row is fed by one stream: `location` names it
    as the stream does (`main#2`), lane 0 like the position itself. Readers add them up.
    """

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
        sku, _ = parse_stock(stream)
        # With the lane, if it names one: what `row_location` makes of the two.
        return sku, stream.partition("@")[2]

    @override
    def fold(self, row: StockRow | None, recorded: Recorded) -> StockRow:
        event = recorded.event
        if not isinstance(event, PositionEvent):
            why = f"a {recorded.type} in a position's stream"
            raise CorruptEvent(recorded.stream, recorded.version, why)
        try:
            sku, location = self.key(recorded.stream)
        except ValueError as error:
            raise CorruptEvent(recorded.stream, recorded.version, str(error)) from error
        balance = event.balance
        fields = {
            "sku": sku,
            "location": location,
            "on_hand": balance.on_hand,
            "reserved": balance.reserved,
            "backordered": balance.backordered,
            "damaged": balance.damaged,
            "available": balance.available,
            "low_stock_threshold": balance.low_stock_threshold,
            "queue_from": balance.queue_from,
            "promotable": balance.promotable,
            "version": recorded.version,
            "at": recorded.at,
            "lanes": None if balance.lanes is None else balance.lanes.streams,
            "escrowed": balance.escrowed,
        }
        return made(StockRow, fields)


def row_location(location: str, lane: int) -> str:
    """The location a lane's row names."""
    return lane_stream(location, lane)
