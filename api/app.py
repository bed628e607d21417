"""The application, put together from the ledger and the readers of its views."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Match
from starlette.types import Lifespan

from api import openapi
from api.access import OPEN, Access
from api.correlation import Correlation
from api.explanations import EXPLAINED, explain
from api.gates import Authentication, OriginSecret
from api.middleware import BodyLimit, Head, ResponseHeaders, UnexpectedErrors
from api.paging import Cursors
from api.problems import Problem
from api.routers import events, health, movements, orders, stock
from api.routers.docs import add_docs
from api.services import Services, Wait
from ledger.service import Ledger
from ledger.service.clock import Clock, utc_now
from projections.readers import Orders, StockLevels

Observe = Callable[[Problem], None]

_ROUTED = (movements, orders, stock, events, health)
_ROUTED_AS = {"HEAD": "GET"}
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def create_app(
    ledger: Ledger,
    stock_levels: StockLevels,
    order_list: Orders,
    *,
    cursor_secret: bytes,
    wait: Wait | None = None,
    idempotency_ttl_seconds: int = 7 * 24 * 3600,
    clock: Clock = utc_now,
    lifespan: Lifespan[FastAPI] | None = None,
    access: Access = OPEN,
    observe: Observe = lambda _: None,
) -> FastAPI:
    """The application on a ledger and the readers of its views.

    Parameters
    ----------
    cursor_secret
        Signs list cursors; at least 16 bytes, the same on every instance.
    wait
        Waits until the views hold a version of a stream; without it the view is polled.
    idempotency_ttl_seconds
        How long an idempotency key is remembered.
    lifespan
        What runs as long as the server does.
    access
        What requests must pass; by default everyone may do everything.
    observe
        Is told every problem that a request is answered with, once it was let in.
    """
    app = routed_app(lifespan, access, observe)
    app.state.services = Services(
        ledger,
        stock_levels,
        order_list,
        Cursors(cursor_secret),
        wait,
        idempotency_ttl_seconds,
        clock,
    )
    return app


def routed_app(
    lifespan: Lifespan[FastAPI] | None = None,
    access: Access = OPEN,
    observe: Observe = lambda _: None,
) -> FastAPI:
    """The application without its services: enough to describe the API."""
    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.VERSION,
        summary=openapi.SUMMARY,
        description=openapi.description(),
        openapi_tags=openapi.TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        # Not `include_router`, which reads every signature again when the first request comes.
        routes=[route for module in _ROUTED for route in module.router.routes],
        middleware=[
            Middleware(Correlation),
            Middleware(ResponseHeaders),
            Middleware(UnexpectedErrors),
            *([Middleware(OriginSecret, access.origin_secrets)] if access.origin_secrets else []),
            Middleware(Authentication, access),
            Middleware(BodyLimit),
            Middleware(Head),
        ],
    )
    add_docs(app)
    for kind in EXPLAINED:
        app.add_exception_handler(kind, partial(_answer_problem, observe))
    openapi.describe(app)
    return app


async def _answer_problem(observe: Observe, request: Request, error: Exception) -> Response:
    problem = explain(error)
    observe(problem)
    if isinstance(error, HTTPException) and error.status_code == 405:
        problem.headers["Allow"] = ", ".join(_allowed(request))
    return problem.response()


def _allowed(request: Request) -> list[str]:
    """The methods of the request's path, over all routes."""
    return [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": _ROUTED_AS.get(method, method)})[0]
            is Match.FULL
            for route in request.app.routes
        )
    ]
