"""The composition root of the API: settings in, application out."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api.access import access_from_settings
from api.app import create_app
from ledger.bootstrap import open_ledger
from ledger.settings import Settings
from projections.bootstrap import open_from_settings


def app_from_settings(settings: Settings | None = None) -> FastAPI:
    """The application on the stores the settings name (default: those of the environment).

    Its lifespan keeps the views up to the events and large orders going; a server that runs no
    lifespan leaves that to others.

    Raises
    ------
    Misconfigured
        Who is let in can't be told from the settings.
    """
    settings = settings or Settings()
    access = access_from_settings(settings)
    ledger = open_ledger(settings)
    projections = open_from_settings(ledger.recorder, settings)
    delivery = projections.delivery(ledger)
    ledger.listen(delivery.notify)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        delivery.start()
        try:
            yield
        finally:
            await run_in_threadpool(delivery.stop)
            projections.close()
            ledger.close()

    return create_app(
        ledger,
        projections.stock_levels,
        projections.orders,
        cursor_secret=_cursor_secret(settings),
        wait=partial(delivery.wait_for, projections.stock_levels_view),
        idempotency_ttl_seconds=settings.idempotency_ttl_seconds,
        lifespan=lifespan,
        access=access,
    )


def _cursor_secret(settings: Settings) -> bytes:
    """The configured secret, or one that lasts as long as this process."""
    if settings.cursor_secret is None:
        return secrets.token_bytes(32)
    return settings.cursor_secret.get_secret_value().encode()
