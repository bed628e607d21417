# ruff: noqa: E402 (the imports are what is loaded: see the end of them)
"""The AWS Lambda handler of the API, behind API Gateway.

The application is built on the first request, from the settings in the environment, and kept for
the life of the process. Nothing is built before: a process may be restored from a snapshot that
others are restored from as well (SnapStart), perhaps weeks later. Settings, secrets, the lease,
clients and their connections would be as old as the snapshot, and random numbers the same in all.
"""

from __future__ import annotations

import gc

gc.disable()

import asyncio
import os
import random
from functools import cache
from importlib import import_module
from typing import Any, Final, cast

from fastapi import FastAPI
from mangum import Mangum
from mangum.types import ASGI, LambdaContext

from api.access import Misconfigured
from api.bootstrap import app_from_settings
from api.problems import CONTENTION, MEDIA_TYPE, Problem
from ledger.loading import loading
from ledger.observability import EmbeddedMetrics, log_as_json
from ledger.settings import Settings

TEXT_TYPES: Final = ["text/", "application/json", MEDIA_TYPE, "application/javascript"]
"""Bodies of these types travel as text; all others as base64."""

LATER: Final = (
    "api.tokens",
    "ledger.aws_session",
    "ledger.secret_settings",
    "ledger.store.dynamodb",
    "ledger.store.dynamodb_lease",
    "projections.rebuild.table_history",
    "projections.store.dynamodb",
)
"""What building the application imports on AWS; a snapshot had better have it."""

LONGEST_AGE: Final = 24 * 3600.0
"""Seconds. Greater ages of the lease, such as after a clock was set back, are told as this."""

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    for _name in LATER:
        import_module(_name)

gc.freeze()  # as `loading` does, which can't be had before it is imported
gc.enable()


@cache
def built_app() -> FastAPI:
    """The application of this process. Positions in the feed are given by a consumer.

    Raises
    ------
    Misconfigured
        Nothing says whether tokens are asked for. A function is never on loopback: what is a
        good default for a server there would be an open door here.
    """
    with loading():
        return _build()


def _build() -> FastAPI:
    log_as_json("api")
    settings = Settings()
    if "auth" not in settings.model_fields_set:
        raise Misconfigured(
            "LEDGER_AUTH is not set: set it to jwt (with LEDGER_JWT_ISSUER and "
            "LEDGER_JWT_AUDIENCE), or to none if everyone who reaches the function may write."
        )
    # Seeded when it was imported. After a snapshot, all would pause for the same random times.
    random.seed()
    return app_from_settings(
        settings, sequences=False, observe=_count_contention, observe_lease=_measure_lease
    )


@cache
def metrics() -> EmbeddedMetrics:
    """The metrics of this function."""
    return EmbeddedMetrics("api")


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The loop of this process. Mangum asks for the thread's, which Python no longer makes."""
    return asyncio.new_event_loop()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of API Gateway (payload format 1.0 or 2.0).

    A function has no lifespan: what a server does in the background, others do on AWS. Metrics
    are written at the end of every request, also of one that fails.
    """
    asyncio.set_event_loop(event_loop())
    try:
        asgi = cast(ASGI, built_app())
        return Mangum(asgi, lifespan="off", text_mime_types=TEXT_TYPES)(event, context)
    finally:
        metrics().flush()


def _count_contention(problem: Problem) -> None:
    if problem.kind is CONTENTION:
        metrics().measure("Contention", 1)


def _measure_lease(age: float) -> None:
    metrics().measure("LeaseAge", 1000 * min(age, LONGEST_AGE), "Milliseconds")
