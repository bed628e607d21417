"""The facts of one event, given what was known of its stream just before it. Pure.

A fact is something that *became* true with the event, so it is a fact of that event and of no
other: deriving it again, from anywhere, gives the same notification with the same id.

=====================  ==========================================================================
kind                   becomes a fact when
=====================  ==========================================================================
`low_stock`            available comes down to the position's threshold or below it, or the
                       threshold is set at or above what is available
`out_of_stock`         available comes down to 0
`back_in_stock`        available rises above 0 again; the first stock a position ever has is not
                       *back*, so every `back_in_stock` follows an `out_of_stock`
`order_confirmed`      for the first time nothing of the order is undecided or waiting, and
                       something is reserved: after the last chunk of a large order, after the
                       last backordered unit came, or once what was waiting was cancelled
`order_backordered`    the order is decided and units of it wait
`order_shipped`        a shipment is complete, with its last chunk if it is large
`order_cancelled`      a cancellation (of some lines or of all) is complete
`order_expired`        the order's time to live ended and everything open is given back
`order_rejected`       every unit of the order is refused
=====================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid5

from ledger.codec import Recorded
from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Balance
from ledger.domain.folding import apply
from ledger.domain.order import Order, OrderStatus, TaskKind, Totals
from ledger.domain.streams import parse_order, parse_stock
from ledger.service.history import balance_of
from projections.notifications.notification import Kind, Notification

UNDOING: Final = frozenset({TaskKind.DEALLOCATION, TaskKind.CANCELLATION, TaskKind.EXPIRY})
"""Tasks in the middle of which an order looks decided, but is only half given back."""

MAX_SHORTFALLS: Final = 20
"""Shortfalls told with a rejection. An order of a thousand lines may have a thousand."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is known of a position before an event. `stocked`: it had units available once."""

    balance: Balance = EMPTY
    stocked: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of an order before an event; `told` are kinds that are told only once."""

    order: Order
    told: frozenset[Kind] = frozenset()

    @classmethod
    def of(cls, stream: str) -> Course:
        """The course of an order nothing has happened to."""
        return cls(Order(parse_order(stream)))


def position_facts(before: Shelf, recorded: Recorded) -> tuple[Shelf, tuple[Notification, ...]]:
    """The position after an event, and what became true with it.

    Raises
    ------
    CorruptEvent
        The event is not a position's, or can't be read.
    """
    balance = balance_of(recorded)
    was, now = _sold_from(before.balance), _sold_from(balance)
    kinds = []
    if _is_low(balance) and not _is_low(before.balance):
        kinds.append(Kind.LOW_STOCK)
    if was and not now:
        kinds.append(Kind.OUT_OF_STOCK)
    if now and not was and before.stocked:
        kinds.append(Kind.BACK_IN_STOCK)
    shelf = Shelf(balance, before.stocked or now > 0)
    return shelf, tuple(_notification(kind, recorded, _stock_data(recorded)) for kind in kinds)


def order_facts(before: Course, recorded: Recorded) -> tuple[Course, tuple[Notification, ...]]:
    """The order after an event, and what became true with it.

    Raises
    ------
    CorruptEvent
        The event can't be read.
    LawBroken
        The event contradicts the order.
    """
    order = apply(before.order, recorded.event)
    totals = order.totals
    common = _order_data(order, totals)
    found = [
        _notification(kind, recorded, {**common, **more})
        for kind, more in (
            *_once(before, order, totals),
            *_each_time(before, order, totals, recorded.event),
        )
    ]
    return replace(before, order=order, told=before.told | {fact.kind for fact in found}), tuple(
        found
    )


def _once(before: Course, order: Order, totals: Totals) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """What is told at most once of an order: how it was decided."""
    kind = _decided(order, totals)
    if kind is None or kind in before.told:
        return
    more: dict[str, Any] = {}
    if kind is Kind.ORDER_REJECTED:
        short = order.shortfalls
        more["shortfalls"] = [
            {
                "sku": part.sku,
                "location": part.location,
                "requested": part.requested,
                "available": part.available,
            }
            for part in short[:MAX_SHORTFALLS]
        ]
        more["shortfall_count"] = len(short)
    yield kind, more


def _decided(order: Order, totals: Totals) -> Kind | None:
    """Which decision on the order stands, if one does."""
    if totals.status is OrderStatus.REJECTED:
        return Kind.ORDER_REJECTED
    if totals.pending or (order.task is not None and order.task.kind in UNDOING):
        return None
    if totals.backordered:
        return Kind.ORDER_BACKORDERED
    return Kind.ORDER_CONFIRMED if totals.reserved else None


def _each_time(
    before: Course, order: Order, totals: Totals, event: e.Event
) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """What may happen to an order again and again, told when it is complete."""
    complete = {"complete": not totals.open and not totals.pending}
    running = order.task.kind if order.task is not None else None
    if isinstance(event, e.OrderShipped) and running is not TaskKind.SHIPMENT:
        shipment = order.shipments[-1]
        yield (
            Kind.ORDER_SHIPPED,
            {
                "shipment": {
                    "id": shipment.shipment_id,
                    "reference": shipment.reference,
                    "units": shipment.units,
                },
                **complete,
            },
        )
    elif isinstance(event, e.OrderCancelled) and running is not TaskKind.CANCELLATION:
        task = before.order.task
        yield Kind.ORDER_CANCELLED, {"reason": event.reason or (task and task.note), **complete}
    elif isinstance(event, e.OrderExpired) and running is not TaskKind.EXPIRY:
        yield Kind.ORDER_EXPIRED, {}


def _is_low(balance: Balance) -> bool:
    threshold = balance.low_stock_threshold
    return threshold is not None and not _in_lanes(balance) and balance.available <= threshold


def _in_lanes(balance: Balance) -> bool:
    """Whether this is one of several lanes that take orders: then there is plenty in all of them,
    for they are gathered when what is left comes down to the threshold, or to next to nothing.
    """
    return balance.lanes is not None and balance.lanes.open > 1


def _sold_from(balance: Balance) -> int:
    """Units available, as far as they decide what is told: of a position in lanes, some."""
    return max(1, balance.available) if _in_lanes(balance) else balance.available


def _stock_data(recorded: Recorded) -> dict[str, Any]:
    sku, location = parse_stock(recorded.stream)
    balance = balance_of(recorded)
    return {
        "sku": sku,
        "location": location,
        "available": balance.available,
        "threshold": balance.low_stock_threshold,
        "on_hand": balance.on_hand,
        "reserved": balance.reserved,
        "backordered": balance.backordered,
        "damaged": balance.damaged,
    }


def _order_data(order: Order, totals: Totals) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "status": str(totals.status),
        "customer": order.customer,
        "totals": totals._asdict(),
    }


def _notification(kind: Kind, recorded: Recorded, data: dict[str, Any]) -> Notification:
    return Notification(
        id=str(uuid5(UUID(recorded.id), kind)),
        kind=kind,
        at=recorded.at,
        stream=recorded.stream,
        version=recorded.version,
        correlation_id=recorded.command,
        data=data,
    )
