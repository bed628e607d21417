"""The catalogue of events: frozen, past tense, the field's own words.

An event's name and schema version are stable and never a Python path. Fields that are added later
by a newer version of the product are kept (`extra="allow"`), so they survive a round trip.
Position events carry the `balance` after them, and `moves` says how each changes the balance
before it: verification recomputes the one from the other.
"""

from ledger.domain.events.base import (
    CATALOGUE,
    Event,
    Version,
    recorded_as,
)
from ledger.domain.events.order import (
    Allocation,
    BackorderAllocated,
    CancellationStarted,
    ExpiryStarted,
    LineQuantity,
    OrderAllocated,
    OrderCancelled,
    OrderDeallocated,
    OrderEvent,
    OrderExpired,
    OrderLine,
    OrderLinesAdded,
    OrderPlaced,
    OrderRejected,
    OrderShipped,
    ShipmentStarted,
    Shortfall,
)
from ledger.domain.events.position import (
    BackorderPromoted,
    PositionEvent,
    PositionLanesSet,
    PositionPolicySet,
    ReservationExpired,
    ReservationReleased,
    StockAdjusted,
    StockBackordered,
    StockEscrowed,
    StockReceived,
    StockReserved,
    StockReturned,
    StockShipped,
)

__all__ = [
    "CATALOGUE",
    "Allocation",
    "BackorderAllocated",
    "BackorderPromoted",
    "CancellationStarted",
    "Event",
    "ExpiryStarted",
    "LineQuantity",
    "OrderAllocated",
    "OrderCancelled",
    "OrderDeallocated",
    "OrderEvent",
    "OrderExpired",
    "OrderLine",
    "OrderLinesAdded",
    "OrderPlaced",
    "OrderRejected",
    "OrderShipped",
    "PositionEvent",
    "PositionLanesSet",
    "PositionPolicySet",
    "ReservationExpired",
    "ReservationReleased",
    "ShipmentStarted",
    "Shortfall",
    "StockAdjusted",
    "StockBackordered",
    "StockEscrowed",
    "StockReceived",
    "StockReserved",
    "StockReturned",
    "StockShipped",
    "Version",
    "recorded_as",
]
