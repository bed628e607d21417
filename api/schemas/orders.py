"""Orders as answers show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.shortfalls import ShortfallOut, shortfall_out
from api.schemas.stock import AppliedTo, Cursor
from ledger.domain.order import Line, Order, OrderStatus, TaskKind, Totals
from ledger.domain.values import OrderPolicy
from projections.readers import OrderSummary

Status = Annotated[OrderStatus, Field(description="What the order is, in one word.")]
Policy = Annotated[OrderPolicy, Field(description="What it does when stock runs short.")]
Version = Annotated[int, Field(description="Version of the order's stream, as in `ETag`.")]
ExpiresAt = Annotated[
    str | None, Field(description="When what is still open is given back; null: never.")
]
Pending = Annotated[int, Field(description="Not decided yet: a large order is being allocated.")]


class Fates(TypedDict):
    """Units by what became of them: they add up to what was ordered."""

    reserved: Annotated[int, Field(description="Promised and not shipped yet.")]
    backordered: Annotated[int, Field(description="Waiting for stock.")]
    shipped: int
    unfilled: Annotated[int, Field(description="Left out for good, by the `partial` policy.")]
    cancelled: int
    expired: int
    rejected: int
    pending: Pending


class Ordered(TypedDict):
    """Units an order asked for."""

    ordered: int


class UnitsByFate(Ordered, Fates):
    """Units over all lines of an order."""


class PlaceOut(TypedDict):
    """What a line holds at one location."""

    location: str
    reserved: int
    backordered: int
    shipped: int


class OrderLineAsked(TypedDict):
    """One line as it was asked for."""

    line: Annotated[int, Field(description="Number, counted from 1.")]
    sku: str
    location: Annotated[str | None, Field(description="The location it was asked from, if any.")]
    quantity: int


class OrderLineOut(OrderLineAsked, Fates):
    """One line and every unit's fate."""

    places: list[PlaceOut]


class ShipmentOut(TypedDict):
    """One shipment."""

    shipment_id: str
    units: int
    reference: str | None


class TaskOut(TypedDict):
    """Work under way for a large order."""

    kind: TaskKind


class OrderOut(TypedDict):
    """An order as of one version of its stream."""

    order_id: str
    status: Status
    customer: str | None
    policy: Policy
    expires_at: ExpiresAt
    totals: UnitsByFate
    lines: list[OrderLineOut]
    shipments: list[ShipmentOut]
    shortfalls: Annotated[list[ShortfallOut], Field(description="Why it was rejected, if it was.")]
    task: TaskOut | None
    version: Version


class OrderHead(TypedDict):
    """What a list shows of an order itself."""

    order_id: str
    status: Status
    customer: str | None
    policy: Policy
    placed_at: str
    updated_at: str
    expires_at: ExpiresAt
    line_count: int
    version: Version


class OrderSummaryOut(OrderHead, UnitsByFate):
    """An order in a list, with its units by fate."""


class OrdersPage(TypedDict):
    """A page of orders, newest first."""

    items: list[OrderSummaryOut]
    next: Cursor
    applied_to: AppliedTo


def order_out(order: Order) -> OrderOut:
    """An order on the wire."""
    totals = order.totals
    return {
        "order_id": order.order_id,
        "status": totals.status,
        "customer": order.customer,
        "policy": order.policy,
        "expires_at": order.expires_at,
        "totals": _totals(totals),
        "lines": [_line(line) for line in order.lines.values()],
        "shipments": [
            {"shipment_id": one.shipment_id, "units": one.units, "reference": one.reference}
            for one in order.shipments
        ],
        "shortfalls": shortfalls_out(order),
        "task": {"kind": order.task.kind} if order.task else None,
        "version": order.version,
    }


def shortfalls_out(order: Order) -> list[ShortfallOut]:
    """Why an order was rejected."""
    return [shortfall_out(shortfall) for shortfall in order.shortfalls]


def summary_out(summary: OrderSummary) -> OrderSummaryOut:
    """An order of the view."""
    return {
        "order_id": summary.order_id,
        "status": OrderStatus(summary.status),
        "customer": summary.customer,
        "policy": OrderPolicy(summary.policy),
        "placed_at": summary.placed_at,
        "updated_at": summary.updated_at,
        "expires_at": summary.expires_at,
        "line_count": summary.line_count,
        "version": summary.version,
        **_totals(summary.totals),
    }


def _totals(totals: Totals) -> UnitsByFate:
    return {
        "ordered": totals.ordered,
        "reserved": totals.reserved,
        "backordered": totals.backordered,
        "shipped": totals.shipped,
        "unfilled": totals.unfilled,
        "cancelled": totals.cancelled,
        "expired": totals.expired,
        "rejected": totals.rejected,
        "pending": totals.pending,
    }


def _line(line: Line) -> OrderLineOut:
    return {
        "line": line.line,
        "sku": line.sku,
        "location": line.location,
        "quantity": line.quantity,
        "reserved": line.reserved,
        "backordered": line.backordered,
        "shipped": line.shipped,
        "unfilled": line.unfilled,
        "cancelled": line.cancelled,
        "expired": line.expired,
        "rejected": line.rejected,
        "pending": line.pending,
        "places": list(_places(line)),
    }


def _places(line: Line) -> Iterable[PlaceOut]:
    for location, place in line.places.items():
        yield {
            "location": location,
            "reserved": place.reserved,
            "backordered": place.backordered,
            "shipped": place.shipped,
        }
