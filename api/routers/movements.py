"""Receipts, adjustments and returns: stock movements clients record."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Response

from api import problems as p
from api.answers import answer
from api.bodies import BodyRoute
from api.documentation import CHANGE, REPLAYED, Responses, refused, success
from api.idempotency import StockContext, replay_mark
from api.queries import KNOWN
from api.schemas import movements as wire
from api.schemas.stock import MovementsRecorded, movements_recorded
from api.services import CurrentServices, Services
from ledger.service import Outcome

router = APIRouter(prefix="/v1", dependencies=[KNOWN], route_class=BodyRoute)

_RECORDED: Final = success("Recorded, all lines in one commit.", MovementsRecorded, REPLAYED)
_ANSWERS: Final[Responses] = {201: _RECORDED, **refused(*CHANGE)}
_ADJUSTMENT_ANSWERS: Final[Responses] = {
    201: _RECORDED,
    **refused(*CHANGE, p.INSUFFICIENT_STOCK),
}

_RECEIPT: Final[dict[str, Any]] = {
    "sku": "MUG-BLUE",
    "location": "main",
    "quantity": 12,
    "unit_cost": 450,
    "currency": "GBP",
    "reference": "PO-1042",
}
_ADJUSTMENT: Final[dict[str, Any]] = {
    "sku": "MUG-BLUE",
    "location": "main",
    "delta": -1,
    "reason": "broken in the store",
}
_RETURN: Final[dict[str, Any]] = {
    "sku": "MUG-BLUE",
    "location": "main",
    "quantity": 1,
    "disposition": "damaged",
    "reference": "RMA-7",
}


def _examples(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        "one": {"summary": "One line", "value": one},
        "several": {
            "summary": "Several lines, atomic",
            "value": {"lines": [one, {**one, **other}]},
        },
    }


@router.post(
    "/receipts",
    operation_id="recordReceipts",
    tags=["movements"],
    status_code=201,
    response_class=Response,
    responses=_ANSWERS,
)
def record_receipts(
    body: Annotated[
        wire.ReceiptBody, Body(openapi_examples=_examples(_RECEIPT, {"sku": "MUG-RED"}))
    ],
    context: StockContext,
    services: CurrentServices,
) -> Response:
    """Record goods that came in. Orders waiting for them are served as soon as they are there."""
    return _recorded(services, services.ledger.handle(wire.receive_stock(body), context))


@router.post(
    "/adjustments",
    operation_id="recordAdjustments",
    tags=["movements"],
    status_code=201,
    response_class=Response,
    responses=_ADJUSTMENT_ANSWERS,
)
def record_adjustments(
    body: Annotated[
        wire.AdjustmentBody,
        Body(openapi_examples=_examples(_ADJUSTMENT, {"delta": 2, "reason": "found in a count"})),
    ],
    context: StockContext,
    services: CurrentServices,
) -> Response:
    """Bring the books to what is really there. What is reserved or damaged can't be taken."""
    return _recorded(services, services.ledger.handle(wire.adjust_stock(body), context))


@router.post(
    "/returns",
    operation_id="recordReturns",
    tags=["movements"],
    status_code=201,
    response_class=Response,
    responses=_ANSWERS,
)
def record_returns(
    body: Annotated[
        wire.ReturnBody, Body(openapi_examples=_examples(_RETURN, {"disposition": "restock"}))
    ],
    context: StockContext,
    services: CurrentServices,
) -> Response:
    """Record goods that came back, fit for sale (`restock`) or `damaged`."""
    return _recorded(services, services.ledger.handle(wire.return_stock(body), context))


def _recorded(services: Services, outcome: Outcome) -> Response:
    recorded = movements_recorded(outcome, services.ledger.history)
    return answer(recorded, 201, replay_mark(outcome))
