"""The API's description (OpenAPI 3.1): `python -m api.openapi` prints it."""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.models import Schema
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from api.documentation import SCHEMAS
from api.problems import KINDS
from api.routers.health import Health
from api.schemas.events import EventsPage
from api.schemas.orders import OrderOut, OrdersPage
from api.schemas.problem import ProblemOut
from api.schemas.stock import MovementsPage, MovementsRecorded, StockLevelOut, StockPage

ANSWERS: Final[tuple[type, ...]] = (
    OrderOut,
    OrdersPage,
    StockLevelOut,
    StockPage,
    MovementsPage,
    MovementsRecorded,
    EventsPage,
    Health,
)
"""The JSON bodies of all successes."""

TITLE: Final = "Inventory ledger"
VERSION: Final = "1.0.0"
SUMMARY: Final = "Stock and orders as immutable events."
TAGS: Final = [
    {"name": "orders", "description": "Reserve, ship and cancel."},
    {"name": "movements", "description": "Goods coming in, coming back, and corrections."},
    {"name": "stock", "description": "What is where, now and at any past instant."},
    {"name": "events", "description": "History itself."},
    {"name": "service", "description": "Operation of the service."},
]

_DESCRIPTION: Final = """\
Every accepted request becomes immutable events, recorded in one atomic commit.

**Quantities** are integers in base units, money is an integer in the currency's minor unit.
Unknown fields, floats and numbers in quotes are refused.

**Access**: a bearer token with the scope the operation names; `admin` stands for all of them. On a
server with a rate limit, answers carry `RateLimit-Policy` and `RateLimit`.

**Idempotency**: every POST and PUT carries an `Idempotency-Key`. The same request with the same
key is answered as before (`Idempotency-Replayed: true`), whatever happened in between.

**Versions**: `ETag` is the version of the resource's event stream. `If-Match` makes a change
conditional on it; `If-None-Match` spares an answer the client has.

**Lists** are pages: follow `next`, or the `Link` header. With `Accept: text/csv` they come as CSV,
in which text that a spreadsheet would take for a formula has an apostrophe before it.

**Correlation**: every answer carries `X-Correlation-Id`: yours, if you send one (1 to 128 of
`A-Z a-z 0-9 . _ : = @ -`), or a new one. Quote it when you ask about a request.

**Problems** are `application/problem+json` (RFC 9457). Their types:

| type | status | meaning |
| --- | --- | --- |
"""


def description() -> str:
    """The text before the operations, with every type of problem."""
    rows = (f"| `{kind.type}` | {kind.status} | {kind.meaning} |" for kind in KINDS.values())
    return _DESCRIPTION + "\n".join(rows) + "\n"


def describe(app: FastAPI) -> None:
    """Give the application its description: FastAPI's, with problems instead of its own errors."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        tags=app.openapi_tags,
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _, answers = TypeAdapter.json_schemas(
        [(model, "serialization", TypeAdapter(model)) for model in ANSWERS],
        ref_template=f"{SCHEMAS}/{{model}}",
    )
    for name, schema in answers["$defs"].items():
        written = Schema(**schema).model_dump(mode="json", by_alias=True, exclude_none=True)
        schemas[name] = written  # in the order of FastAPI's own
    schemas = dict(sorted(schemas.items()))
    problem = TypeAdapter(ProblemOut).json_schema(ref_template=f"{SCHEMAS}/{{model}}")
    schemas.update(problem.pop("$defs"))
    document["components"]["schemas"] = {**schemas, "ProblemOut": problem}
    for operations in document["paths"].values():
        for operation in operations.values():
            _without_fastapi_errors(operation["responses"])
    return document


def _without_fastapi_errors(responses: dict[str, Any]) -> None:
    """Wrong parameters answer 400 here; FastAPI documents a 422 of its own."""
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]


def document_text() -> str:
    """The description as it is kept in `docs/openapi.json`."""
    from api.app import routed_app

    return json.dumps(routed_app().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(document_text(), end="")
