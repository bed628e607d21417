"""Which problem explains which exception: the one place where domain errors meet HTTP."""

from __future__ import annotations

import json
import math
from functools import singledispatch

from eventsourcing.persistence import InterfaceError, OperationalError
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api import problems as p
from api.bodies import RepeatedName
from api.pointers import faults
from api.preconditions import etag
from api.problems import Problem
from api.schemas.shortfalls import shortfall_out
from ledger.domain import errors as domain
from ledger.errors import (
    CommitTooLarge,
    Contention,
    IdempotencyKeyReused,
    NotTheWriter,
    UnknownOutcome,
)

RETRY_SOON = {"Retry-After": "1"}
MAX_NAME = 60
"""Characters of a name that are said again."""

EXPLAINED: tuple[type[Exception], ...] = (
    Problem,
    RequestValidationError,
    HTTPException,
    domain.Refusal,
    IdempotencyKeyReused,
    CommitTooLarge,
    OperationalError,
    InterfaceError,
)
"""Base classes of everything `explain` knows."""


@singledispatch
def explain(error: Exception) -> Problem:
    """The problem that explains an exception to a client."""
    raise TypeError(type(error).__name__) from error


@explain.register
def _itself(error: Problem) -> Problem:
    return error


@explain.register
def _invalid(error: RequestValidationError) -> Problem:
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        where = f"{found[0]['ctx']['error']} at character {found[0]['loc'][1]}"
        return Problem(p.MALFORMED_JSON, f"The body is not JSON: {where}.")
    errors = faults(found)
    outside = [fault for fault in errors if "pointer" not in fault]
    if not outside:
        return Problem(p.INVALID_BODY, _summary(errors), errors=errors)
    missing_key = any(
        one["loc"] == ("header", "Idempotency-Key") and one["type"] == "missing" for one in found
    )
    kind = p.KEY_REQUIRED if missing_key else p.INVALID_PARAMETER
    return Problem(kind, _summary(outside), errors=errors)


def _summary(errors: list[dict[str, str]]) -> str:
    first = errors[0]
    where = first.get("pointer") or first.get("parameter") or first.get("header")
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {first['detail']}{more}"


@explain.register
def _http(error: HTTPException) -> Problem:
    kinds = {404: p.NOT_FOUND, 405: p.METHOD_NOT_ALLOWED, 413: p.BODY_TOO_LARGE}
    kind = kinds.get(error.status_code, p.MALFORMED_JSON)
    detail = kind.meaning if error.status_code in kinds else "The body can't be read as JSON."
    return Problem(kind, detail, headers=error.headers)


@explain.register
def _repeated_name(error: RepeatedName) -> Problem:
    where = f"the name {_short(error.name)} is there twice in one object"
    return Problem(p.MALFORMED_JSON, f"The body can be read in two ways: {where}.")


@explain.register
def _insufficient(error: domain.InsufficientStock) -> Problem:
    shortfalls = [shortfall_out(shortfall) for shortfall in error.shortfalls]
    return Problem(p.INSUFFICIENT_STOCK, str(error), shortfalls=shortfalls)


@explain.register
def _balance_limit(error: domain.BalanceLimitExceeded) -> Problem:
    return Problem(p.BALANCE_LIMIT, str(error))


@explain.register
def _order_exists(error: domain.OrderExists) -> Problem:
    return Problem(p.ORDER_EXISTS, str(error), order_id=error.order_id)


@explain.register
def _order_not_found(error: domain.OrderNotFound) -> Problem:
    return Problem(p.ORDER_NOT_FOUND, str(error), order_id=error.order_id)


@explain.register
def _order_not_open(error: domain.OrderNotOpen) -> Problem:
    return Problem(p.ORDER_NOT_OPEN, str(error), order_id=error.order_id, order_status=error.status)


@explain.register
def _order_busy(error: domain.OrderBusy) -> Problem:
    return Problem(p.ORDER_BUSY, str(error), order_id=error.order_id, headers=RETRY_SOON)


@explain.register
def _line_not_found(error: domain.LineNotFound) -> Problem:
    fault = {"detail": str(error), "pointer": f"#/lines/{error.index}"}
    return Problem(p.LINE_NOT_FOUND, str(error), errors=[fault], order_id=error.order_id)


@explain.register
def _line_exceeded(error: domain.LineExceeded) -> Problem:
    fault = {"detail": str(error), "pointer": f"#/lines/{error.index}/quantity"}
    return Problem(p.LINE_EXCEEDED, str(error), errors=[fault], order_id=error.order_id)


@explain.register
def _version_mismatch(error: domain.VersionMismatch) -> Problem:
    headers = {"ETag": etag(error.actual)} if error.actual else {}
    return Problem(p.VERSION_MISMATCH, str(error), current_version=error.actual, headers=headers)


@explain.register
def _key_reused(_error: IdempotencyKeyReused) -> Problem:
    fault = {"detail": "it was used before with another request", "header": "Idempotency-Key"}
    return Problem(p.KEY_REUSED, p.KEY_REUSED.meaning, errors=[fault])


@explain.register
def _too_large(error: CommitTooLarge) -> Problem:
    return Problem(p.COMMIT_TOO_LARGE, str(error))


@explain.register
def _contention(error: Contention) -> Problem:
    detail = "Too many writers wanted the same stock at once; nothing was recorded."
    return Problem(p.CONTENTION, detail, headers=_retry_after(error.retry_after))


@explain.register
def _unknown_outcome(_error: UnknownOutcome) -> Problem:
    detail = "The store's answer was lost. Send the same request with the same key again."
    return Problem(p.UNKNOWN_OUTCOME, detail, headers=RETRY_SOON)


@explain.register
def _writing_elsewhere(error: NotTheWriter) -> Problem:
    where = f"{error.region} does" if error.region is not None else "it is not known which does"
    detail = f"This Region does not write, {where}. Nothing was recorded."
    problem = Problem(p.WRITING_ELSEWHERE, detail, headers=_retry_after(error.retry_after))
    if error.region is not None:
        problem.members["writer_region"] = error.region
    return problem


def _short(name: str) -> str:
    return json.dumps(name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…")


def _retry_after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


@explain.register(OperationalError)
@explain.register(InterfaceError)
def _unavailable(_error: OperationalError | InterfaceError) -> Problem:
    return Problem(p.UNAVAILABLE, "A store can't be reached just now.", headers=RETRY_SOON)
