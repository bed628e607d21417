"""Whether the service can do its work."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from typing_extensions import TypedDict

from api import documentation as doc
from api.answers import answer
from api.schemas.stock import AppliedTo
from api.services import CurrentServices

router = APIRouter(tags=["service"])


class Health(TypedDict):
    """The service answers, and its stores answer it."""

    status: Annotated[str, Field(examples=["ok"])]
    applied_to: AppliedTo


@router.get(
    "/healthz",
    operation_id="checkHealth",
    response_class=Response,
    responses={200: doc.success("The service works.", Health), **doc.refused(*doc.ALWAYS)},
)
def check_health(services: CurrentServices) -> Response:
    """Read from the event store and the view; a store that can't be read answers 503."""
    services.ledger.history.newest("health")  # a stream nobody writes: any answer will do
    return answer({"status": "ok", "applied_to": services.stock.applied_to()})
