"""Orders, shipments, cancellations and policies as clients send them."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from api.schemas.movements import Location, Reference, Request, Sku, Units
from ledger.domain.values import Count, Id, OrderPolicy, Quantity, Text
from ledger.service import CancelOrder, LineWanted, OrderRequestLine, PlaceOrder, ShipOrder
from ledger.service.commands import MAX_ORDER_LINES

MAX_TTL_SECONDS: Final = 31_536_000

LineRef = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=MAX_ORDER_LINES,
        description="A line's number in its order, counted from 1.",
        examples=[1],
    ),
]


class OrderLineIn(Request):
    """One line of an order."""

    sku: Sku
    quantity: Units
    location: Annotated[
        Location | None,
        Field(description="Serve the line from here only; without it, wherever there is stock."),
    ] = None


class OrderIn(Request):
    """An order: stock is reserved for its lines."""

    lines: Annotated[list[OrderLineIn], Field(min_length=1, max_length=MAX_ORDER_LINES)]
    order_id: Annotated[
        Id | None, Field(description="The caller's own id; without it one is given.")
    ] = None
    customer: Annotated[Text | None, Field(description="Who it is for.", examples=["C-17850"])] = (
        None
    )
    policy: Annotated[
        OrderPolicy,
        Field(
            description=(
                "When stock runs short: `all_or_nothing` rejects the order, `partial` takes what "
                "is there, `backorder` takes what is there and waits for the rest."
            )
        ),
    ] = OrderPolicy.ALL_OR_NOTHING
    reservation_ttl_seconds: Annotated[
        Annotated[int, Field(strict=True, ge=1, le=MAX_TTL_SECONDS)] | None,
        Field(description="Give back after so many seconds what is still open.", examples=[3600]),
    ] = None

    @property
    def command(self) -> PlaceOrder:
        """The command."""
        lines = tuple(OrderRequestLine(one.sku, one.quantity, one.location) for one in self.lines)
        return PlaceOrder(
            lines, self.order_id, self.customer, self.policy, self.reservation_ttl_seconds
        )


class ShipmentLineIn(Request):
    """Units of one line to ship."""

    line: LineRef
    quantity: Annotated[Quantity, Field(description="Units of it.", examples=[2])]


class ShipmentIn(Request):
    """A shipment: the named lines, or without `lines` everything that is reserved."""

    lines: Annotated[
        Annotated[list[ShipmentLineIn], Field(min_length=1, max_length=MAX_ORDER_LINES)] | None,
        Field(description="What leaves; a line named twice counts as one sum."),
    ] = None
    reference: Reference = None
    shipment_id: Annotated[
        Id | None, Field(description="The caller's own id; without it one is given.")
    ] = None

    def command(self, order_id: str) -> ShipOrder:
        """The command for an order."""
        lines = self.lines and tuple(LineWanted(one.line, one.quantity) for one in self.lines)
        return ShipOrder(order_id, lines or None, self.reference, self.shipment_id)


class CancellationIn(Request):
    """A cancellation: what the named lines have open, or without `lines` everything open."""

    lines: Annotated[
        Annotated[list[LineRef], Field(min_length=1, max_length=MAX_ORDER_LINES)] | None,
        Field(description="Line numbers."),
    ] = None
    reason: Annotated[Text | None, Field(description="Why.", examples=["changed their mind"])] = (
        None
    )

    def command(self, order_id: str) -> CancelOrder:
        """The command for an order."""
        return CancelOrder(order_id, tuple(self.lines) if self.lines else None, self.reason)


class PolicyIn(Request):
    """A position's policy."""

    low_stock_threshold: Annotated[
        Count | None,
        Field(
            description="Below this many available units the position is low; null: never.",
            examples=[5],
        ),
    ]
