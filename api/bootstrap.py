"""The composition root of the API: settings in, application out."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api.access import access_from_settings
from api.app import create_app
from api.problems import Problem
from api.services import Wait
from ledger.bootstrap import open_ledger
from ledger.codec import Recorded
from ledger.service import Ledger
from ledger.settings import Settings
from projections.bootstrap import Projections, open_delivery, open_from_settings


class Delivery(Protocol):
    """What brings events to the views while the application is served."""

    def start(self) -> None:
        """Begin; it is called once."""

    def stop(self) -> None:
        """End, and wait for what is under way."""

    def notify(self, events: Sequence[Recorded], /) -> None:
        """A commit was made here. Cheap, never blocks, never raises."""


def app_from_settings(
    settings: Settings | None = None,
    deliver: Callable[[Ledger], Delivery] | None = None,
    *,
    sequences: bool = True,
    observe: Callable[[Problem], None] = lambda _: None,
    observe_lease: Callable[[float], None] = lambda _: None,
) -> FastAPI:
    """The application on the stores the settings name (default: those of the environment).

    On SQLite its lifespan keeps the views up to the events and large orders going; a server that
    runs no lifespan leaves that to others. On DynamoDB others do it, unless `deliver` makes a
    delivery to be run in the lifespan. `sequences` and `observe_lease` as in `open_event_store`,
    `observe` as in `create_app`.

    Raises
    ------
    Misconfigured
        Who is let in can't be told from the settings.
    """
    settings = settings or Settings()
    access = access_from_settings(settings)
    ledger = open_ledger(settings, sequences=sequences, observe_lease=observe_lease)
    projections = open_from_settings(ledger.recorder, settings)
    delivery, wait = _delivery(settings, ledger, projections, deliver)
    if delivery is not None:
        ledger.listen(delivery.notify)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if delivery is not None:
            delivery.start()
        try:
            yield
        finally:
            if delivery is not None:
                await run_in_threadpool(delivery.stop)
            projections.close()
            ledger.close()

    return create_app(
        ledger,
        projections.stock_levels,
        projections.orders,
        cursor_secret=_cursor_secret(settings),
        wait=wait,
        idempotency_ttl_seconds=settings.idempotency_ttl_seconds,
        lifespan=lifespan,
        access=access,
        observe=observe,
    )


def _delivery(
    settings: Settings,
    ledger: Ledger,
    projections: Projections,
    deliver: Callable[[Ledger], Delivery] | None,
) -> tuple[Delivery | None, Wait | None]:
    """The delivery of this process, and how it is waited for (None: by looking at the view)."""
    if settings.sqlite_path is None:
        return (None if deliver is None else deliver(ledger)), None
    embedded = open_delivery(projections, ledger.recorder, ledger, settings)
    return embedded, partial(embedded.wait_for, projections.stock_levels_view)


def _cursor_secret(settings: Settings) -> bytes:
    """The configured secret, or one that lasts as long as this process."""
    if settings.cursor_secret is None:
        return secrets.token_bytes(32)
    return settings.cursor_secret.get_secret_value().encode()
