"""The context of a command: who, and under which idempotency key.

Keys live per principal and operation. A key that was used with the same request answers what was
answered then (marked `Idempotency-Replayed: true`); with another request it is refused.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Header, Request, Security

from api import correlation, problems
from api.auth import ORDERS_WRITE, STOCK_WRITE, CurrentPrincipal
from api.problems import Problem
from api.services import services_of
from ledger.service import Context, Idempotency, Outcome

KEY_PATTERN: Final = r"^[\x21-\x7e]+$"

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=KEY_PATTERN,
        description=(
            "A key of the client's choice for this one request, such as a UUID: 1 to 255 visible "
            "ASCII characters. Sending the same request with the same key again is safe."
        ),
        examples=["5f0c2e0e-9a53-4a8e-9f0a-0d8e5a4f7c11"],
    ),
]


async def command_context(request: Request, key: IdempotencyKey, who: CurrentPrincipal) -> Context:
    """The context of a command, whose body is JSON.

    Raises
    ------
    Problem
        The body is declared as something else, or there are several keys.
    """
    if len(request.headers.getlist("idempotency-key")) > 1:
        fault = {"detail": "it must be sent once", "header": "Idempotency-Key"}
        detail = "Idempotency-Key: it must be sent once"
        raise Problem(problems.INVALID_PARAMETER, detail, errors=[fault])
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and await request.body():
        raise Problem(problems.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")
    ttl_seconds = services_of(request).idempotency_ttl_seconds
    operation = request.scope["route"].operation_id
    return Context(who.subject, Idempotency(operation, key, ttl_seconds))


OrderContext = Annotated[Context, Security(command_context, scopes=[ORDERS_WRITE])]
StockContext = Annotated[Context, Security(command_context, scopes=[STOCK_WRITE])]


def replay_mark(outcome: Outcome) -> dict[str, str]:
    """The header that marks an answer given before; the request's log line tells the outcome."""
    correlation.note(outcome)
    return {"Idempotency-Replayed": "true"} if outcome.replayed else {}
