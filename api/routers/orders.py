"""Orders: placing, reading, shipping, cancelling."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Request, Response

from api import documentation as doc
from api import listings, order_answers
from api import problems as p
from api.answers import CsvWanted, page, resource
from api.auth import READS
from api.bodies import BodyRoute
from api.conditions import conditional
from api.documentation import refused
from api.idempotency import OrderContext
from api.paging import DEFAULT_LIMIT, After, Limit
from api.parameters import OrderPath
from api.preconditions import IfMatch, IfNoneMatch
from api.problems import Problem
from api.queries import KNOWN
from api.schemas.order_requests import CancellationIn, OrderIn, ShipmentIn
from api.schemas.orders import OrderOut, OrdersPage, order_out
from api.services import CurrentServices
from ledger.domain.order import OrderStatus
from ledger.domain.streams import order_stream
from ledger.domain.values import Text

router = APIRouter(
    prefix="/v1/orders", tags=["orders"], dependencies=[KNOWN], route_class=BodyRoute
)

_CHANGED: Final = {**doc.ETAG, **doc.LOCATION, **doc.REPLAYED}
_WORKING: Final = doc.success(
    "Recorded, and still being worked on: `task` says what. Ask at `Location`.", OrderOut, _CHANGED
)
_EVERYTHING_RESERVED: Final = ShipmentIn()
_EVERYTHING_OPEN: Final = CancellationIn()

_ORDER: Final[dict[str, Any]] = {
    "customer": "C-17850",
    "policy": "backorder",
    "lines": [
        {"sku": "MUG-BLUE", "quantity": 2},
        {"sku": "MUG-RED", "quantity": 1, "location": "main"},
    ],
}


@router.post(
    "",
    operation_id="placeOrder",
    status_code=201,
    response_class=Response,
    responses={
        201: doc.success("Placed, and stock reserved.", OrderOut, _CHANGED),
        202: _WORKING,
        **refused(*doc.CHANGE, p.INSUFFICIENT_STOCK, p.ORDER_EXISTS),
    },
)
def place_order(
    body: Annotated[OrderIn, Body(openapi_examples={"order": {"value": _ORDER}})],
    context: OrderContext,
    services: CurrentServices,
) -> Response:
    """Reserve stock for a customer, in one commit. A refused order is recorded as rejected.

    An order of more than about 90 positions is placed first (202) and allocated in steps.
    """
    return order_answers.placed(services.ledger.handle(body.command, context))


@router.get(
    "",
    operation_id="listOrders",
    dependencies=[READS],
    response_class=Response,
    responses={
        200: doc.listing("Orders, newest first.", OrdersPage, doc.NEXT, doc.APPLIED_TO),
        **refused(*doc.READ, p.NOT_ACCEPTABLE),
    },
)
def list_orders(
    request: Request,
    services: CurrentServices,
    as_csv: CsvWanted,
    status: Annotated[OrderStatus | None, Query(description="Only these.")] = None,
    customer: Annotated[Text | None, Query(description="Only of this customer.")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Orders by status and customer, from a view that follows the events within moments."""
    found = listings.orders(services, status=status, customer=customer, after=after, limit=limit)
    return page(request, found, as_csv=as_csv)


@router.get(
    "/{order_id}",
    operation_id="getOrder",
    dependencies=[READS],
    response_class=Response,
    responses={
        200: doc.success("The order as it is now, never stale.", OrderOut, doc.ETAG),
        304: doc.NOT_MODIFIED,
        **refused(*doc.READ, p.ORDER_NOT_FOUND),
    },
)
def get_order(
    order_id: OrderPath, services: CurrentServices, if_none_match: IfNoneMatch = None
) -> Response:
    """One order, told by its own events: every unit of every line and what became of it."""
    order = services.ledger.history.order(order_id)
    if order is None:
        raise Problem(p.ORDER_NOT_FOUND, f"There is no order {order_id}.", order_id=order_id)
    return resource(order_out(order), order.version, if_none_match)


@router.post(
    "/{order_id}/shipments",
    operation_id="shipOrder",
    status_code=201,
    response_class=Response,
    responses={
        201: doc.success("Shipped; the order right after.", OrderOut, _CHANGED),
        202: _WORKING,
        **refused(
            *doc.CHANGE,
            p.ORDER_NOT_FOUND,
            p.ORDER_NOT_OPEN,
            p.ORDER_BUSY,
            p.LINE_EXCEEDED,
            p.VERSION_MISMATCH,
            p.LINE_NOT_FOUND,
        ),
    },
)
def ship_order(
    order_id: OrderPath,
    context: OrderContext,
    services: CurrentServices,
    if_match: IfMatch = None,
    body: Annotated[
        ShipmentIn,
        Body(openapi_examples={"lines": {"value": {"lines": [{"line": 1, "quantity": 1}]}}}),
    ] = _EVERYTHING_RESERVED,
) -> Response:
    """Ship what is reserved: everything, or the named lines and quantities."""
    context = conditional(services, context, order_stream(order_id), if_match)
    return order_answers.recorded(services.ledger.handle(body.command(order_id), context))


@router.post(
    "/{order_id}/cancellation",
    operation_id="cancelOrder",
    status_code=201,
    response_class=Response,
    responses={
        201: doc.success("Cancelled; the order right after.", OrderOut, _CHANGED),
        202: _WORKING,
        **refused(
            *doc.CHANGE,
            p.ORDER_NOT_FOUND,
            p.ORDER_NOT_OPEN,
            p.ORDER_BUSY,
            p.VERSION_MISMATCH,
            p.LINE_NOT_FOUND,
        ),
    },
)
def cancel_order(
    order_id: OrderPath,
    context: OrderContext,
    services: CurrentServices,
    if_match: IfMatch = None,
    body: Annotated[
        CancellationIn,
        Body(openapi_examples={"lines": {"value": {"lines": [2], "reason": "too late"}}}),
    ] = _EVERYTHING_OPEN,
) -> Response:
    """Give back what is open (reserved or waiting): everything, or that of the named lines."""
    context = conditional(services, context, order_stream(order_id), if_match)
    return order_answers.recorded(services.ledger.handle(body.command(order_id), context))
