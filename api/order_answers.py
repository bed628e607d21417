"""What commands on orders answer: recorded, still being worked on, or rejected."""

from __future__ import annotations

from fastapi import Response

from api import problems
from api.answers import answer
from api.idempotency import replay_mark
from api.preconditions import etag
from api.problems import Problem
from api.schemas.orders import order_out, shortfalls_out
from ledger.domain.order import Order, OrderStatus
from ledger.service import Outcome


def placed(outcome: Outcome) -> Response:
    """What a placed order answers: 201, 202 while it is being allocated, or 409 if rejected."""
    order = _order(outcome)
    if order.status is OrderStatus.REJECTED and order.task is None:
        return _rejected(outcome, order)
    return recorded(outcome)


def recorded(outcome: Outcome) -> Response:
    """The order right after the command: 201, or 202 while a large one is still worked on."""
    order = _order(outcome)
    return answer(order_out(order), 202 if order.task else 201, _headers(outcome, order))


def _rejected(outcome: Outcome, order: Order) -> Response:
    shortfalls = shortfalls_out(order)
    errors = [
        {
            "detail": f"{short['requested']} requested, {short['available']} available",
            "pointer": f"#/lines/{number - 1}",
        }
        for short in shortfalls
        for number in short["lines"]
    ]
    count = len(shortfalls)
    detail = (
        f"Order {order.order_id} was rejected and recorded: "
        f"{count} SKU{'s are' if count > 1 else ' is'} short."
    )
    return Problem(
        problems.INSUFFICIENT_STOCK,
        detail,
        errors=errors,
        headers=_headers(outcome, order),
        order_id=order.order_id,
        order_status=order.status,
        shortfalls=shortfalls,
    ).response()


def _headers(outcome: Outcome, order: Order) -> dict[str, str]:
    return {
        "Location": f"/v1/orders/{order.order_id}",
        "ETag": etag(order.version),
        **replay_mark(outcome),
    }


def _order(outcome: Outcome) -> Order:
    assert outcome.order is not None, "a command on an order answers with the order"
    return outcome.order
