"""The AWS Lambda handler of the API, behind API Gateway.

The application is built on the first request, from the settings in the environment, and kept for
the life of the process.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from typing import Any, Final, cast

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from fastapi import FastAPI
from mangum import Mangum
from mangum.types import ASGI, LambdaContext

from api.access import Misconfigured
from api.bootstrap import app_from_settings
from api.problems import MEDIA_TYPE
from ledger.settings import Settings

TEXT_TYPES: Final = ["text/", "application/json", MEDIA_TYPE, "application/javascript"]
"""Bodies of these types travel as text; all others as base64."""


PACKAGES: Final = ("api", "ledger", "projections")


@cache
def built_app() -> FastAPI:
    """The application of this process. Positions in the feed are given by a consumer.

    Raises
    ------
    Misconfigured
        Nothing says whether tokens are asked for. A function is never on loopback: what is a
        good default for a server there would be an open door here.
    """
    settings = Settings()
    if "auth" not in settings.model_fields_set:
        raise Misconfigured(
            "LEDGER_AUTH is not set: set it to jwt (with LEDGER_JWT_ISSUER and "
            "LEDGER_JWT_AUDIENCE), or to none if everyone who reaches the function may write."
        )
    return app_from_settings(settings, sequences=False)


@cache
def log_as_json() -> None:
    """Let everything the product logs be JSON lines; `POWERTOOLS_LOG_LEVEL` says from what level.

    The line of a change has the recorded command as its `correlation_id`.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LambdaPowertoolsFormatter(service="api", utc=True, use_rfc3339=True))
    level = os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO").upper()
    for name in PACKAGES:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of API Gateway (payload format 1.0 or 2.0).

    A function has no lifespan: what a server does in the background, others do on AWS.
    """
    log_as_json()
    asgi = cast(ASGI, built_app())
    return Mangum(asgi, lifespan="off", text_mime_types=TEXT_TYPES)(event, context)
