"""Stock as answers show it: levels, totals per SKU, and the movements of a position."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from ledger.codec import Recorded
from ledger.domain.events import PositionEvent
from ledger.domain.streams import is_stock, parse_stock, position_of
from ledger.service import Outcome
from ledger.service.history import History, Level, balance_of
from projections.readers import StockLevel, StockTotals

OnHand = Annotated[int, Field(description="Everything physically there.")]
Reserved = Annotated[int, Field(description="Promised to orders.")]
Backordered = Annotated[int, Field(description="What orders are waiting for.")]
Damaged = Annotated[int, Field(description="There, but not for sale.")]
Available = Annotated[
    int, Field(description="on_hand − reserved − damaged − backordered, never below 0.")
]
Version = Annotated[int, Field(description="How many events the position has, as in `ETag`.")]
Cursor = Annotated[str | None, Field(description="Cursor of the next page; null on the last.")]
AppliedTo = Annotated[
    str | None,
    Field(description="The view holds what was recorded up to this instant (null: nothing yet)."),
]


class StockLevelOut(TypedDict):
    """The stock of one SKU at one location."""

    sku: str
    location: str
    on_hand: OnHand
    reserved: Reserved
    backordered: Backordered
    damaged: Damaged
    available: Available
    low_stock_threshold: int | None
    version: Version
    as_of: Annotated[str, Field(description="When the newest movement in it was recorded.")]


class StockTotalsOut(TypedDict):
    """The stock of one SKU over all its locations."""

    on_hand: OnHand
    reserved: Reserved
    backordered: Backordered
    damaged: Damaged
    available: Annotated[int, Field(description="Sum of what each location has available.")]
    positions: Annotated[int, Field(description="How many locations know the SKU.")]


class StockPage(TypedDict):
    """A page of stock levels, by SKU and location."""

    items: list[StockLevelOut]
    next: Cursor
    totals: Annotated[
        dict[str, StockTotalsOut],
        Field(description="By SKU of this page, over all locations, whatever the filters."),
    ]
    applied_to: AppliedTo


class EventRef(TypedDict):
    """Where one event stands in history."""

    stream: str
    version: int
    type: str
    id: str


class MovementsRecorded(TypedDict):
    """What one command recorded, and the stock right after it."""

    command: Annotated[str, Field(description="Id shared by the events of this commit.")]
    at: str
    stock: Annotated[list[StockLevelOut], Field(description="Every position it moved.")]
    events: list[EventRef]


class MovementOut(TypedDict):
    """One movement of a position: what it changed, and the balance after it."""

    version: Version
    at: str
    type: Annotated[str, Field(description="The event's type, such as `StockReserved`.")]
    on_hand_change: int
    reserved_change: int
    backordered_change: int
    damaged_change: int
    on_hand: OnHand
    reserved: Reserved
    backordered: Backordered
    damaged: Damaged
    available: Available
    order_id: str | None
    reference: str | None
    reason: str | None
    actor: str
    command: str


class MovementsPage(TypedDict):
    """A page of a position's movements."""

    items: list[MovementOut]
    next: Cursor


def level_out(level: StockLevel) -> StockLevelOut:
    """A stock level of the view."""
    return {
        "sku": level.sku,
        "location": level.location,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "backordered": level.backordered,
        "damaged": level.damaged,
        "available": level.available,
        "low_stock_threshold": level.low_stock_threshold,
        "version": level.version,
        "as_of": level.as_of,
    }


def totals_out(totals: StockTotals) -> StockTotalsOut:
    """Totals of one SKU."""
    return {
        "on_hand": totals.on_hand,
        "reserved": totals.reserved,
        "backordered": totals.backordered,
        "damaged": totals.damaged,
        "available": totals.available,
        "positions": totals.positions,
    }


def recorded_level(level: Level) -> StockLevelOut:
    """The stock level that the events themselves tell of."""
    sku, location = parse_stock(level.stream)
    balance = level.balance
    return {
        "sku": sku,
        "location": location,
        "on_hand": balance.on_hand,
        "reserved": balance.reserved,
        "backordered": balance.backordered,
        "damaged": balance.damaged,
        "available": balance.available,
        "low_stock_threshold": balance.low_stock_threshold,
        "version": level.version,
        "as_of": level.at,
    }


def levels_after(outcome: Outcome, history: History) -> list[StockLevelOut]:
    """Every position a command moved, right after it.

    Its newest event tells, unless the position is in lanes: then the other lanes are read as they
    were at that time.
    """
    newest = {event.stream: event for event in outcome.events if is_stock(event.stream)}
    levels: dict[str, Level] = {}
    for stream, event in newest.items():
        position, balance = position_of(stream), balance_of(event)
        level = Level(stream, event.version, event.at, balance, in_lanes=False)
        if balance.lanes is not None:
            level = history.position(position, max(e.at for e in newest.values())) or level
        levels[position] = level
    return [recorded_level(level) for level in levels.values()]


def movements_recorded(outcome: Outcome, history: History) -> MovementsRecorded:
    """What a command on stock answers."""
    first = outcome.events[0]
    return {
        "command": first.command,
        "at": first.at,
        "stock": levels_after(outcome, history),
        "events": [
            {"stream": e.stream, "version": e.version, "type": e.type, "id": e.id}
            for e in outcome.events
        ],
    }


def movement_out(recorded: Recorded) -> MovementOut:
    """One line of a position's stock card."""
    event, balance = recorded.event, balance_of(recorded)
    assert isinstance(event, PositionEvent), recorded.stream
    moves = event.moves(event.__dict__)
    return {
        "version": recorded.version,
        "at": recorded.at,
        "type": recorded.type,
        "on_hand_change": moves.on_hand,
        "reserved_change": moves.reserved,
        "backordered_change": moves.backordered,
        "damaged_change": moves.damaged,
        "on_hand": balance.on_hand,
        "reserved": balance.reserved,
        "backordered": balance.backordered,
        "damaged": balance.damaged,
        "available": balance.available,
        "order_id": getattr(event, "order_id", None),
        "reference": getattr(event, "reference", None),
        "reason": getattr(event, "reason", None),
        "actor": recorded.actor,
        "command": recorded.command,
    }
