"""What clients may ask of the ledger. Values are validated at the edge, before they get here."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.values import Disposition, Money, OrderPolicy

MAX_STOCK_LINES = 90
"""Lines one receipt, adjustment or return may have: they are one atomic commit."""

MAX_ORDER_LINES = 10_000
"""Lines one order may have."""


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """Goods coming in at one position."""

    sku: str
    location: str
    quantity: int
    cost: Money | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiveStock:
    """Record goods coming in."""

    lines: tuple[ReceiptLine, ...]


@dataclass(frozen=True, slots=True)
class AdjustmentLine:
    """A correction of one position."""

    sku: str
    location: str
    delta: int
    reason: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """Bring the books to what is really there."""

    lines: tuple[AdjustmentLine, ...]


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Goods coming back at one position."""

    sku: str
    location: str
    quantity: int
    disposition: Disposition = Disposition.RESTOCK
    order_id: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ReturnStock:
    """Record goods coming back."""

    lines: tuple[ReturnLine, ...]


@dataclass(frozen=True, slots=True)
class SetPositionPolicy:
    """Set a position's policy; None means no low-stock threshold."""

    sku: str
    location: str
    low_stock_threshold: int | None = None


@dataclass(frozen=True, slots=True)
class SetLanes:
    """Split a position into `count` lanes that take orders side by side; 1 makes it whole again."""

    sku: str
    location: str
    count: int


@dataclass(frozen=True, slots=True)
class OrderRequestLine:
    """One line of an order; without a location, the configured ones are tried in order."""

    sku: str
    quantity: int
    location: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Reserve stock for a customer. Without an id the ledger gives one."""

    lines: tuple[OrderRequestLine, ...]
    order_id: str | None = None
    customer: str | None = None
    policy: OrderPolicy = OrderPolicy.ALL_OR_NOTHING
    reservation_ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class LineWanted:
    """Units of one line of an order (lines count from 1)."""

    line: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ShipOrder:
    """Ship what is reserved, or the named lines and quantities."""

    order_id: str
    lines: tuple[LineWanted, ...] | None = None
    reference: str | None = None
    shipment_id: str | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel what is open (reserved or waiting), or that of the named lines."""

    order_id: str
    lines: tuple[int, ...] | None = None
    reason: str | None = None


Command = (
    ReceiveStock
    | AdjustStock
    | ReturnStock
    | SetPositionPolicy
    | SetLanes
    | PlaceOrder
    | ShipOrder
    | CancelOrder
)
