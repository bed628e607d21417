"""What the routes work with, put together once by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from api.paging import Cursors
from ledger.service import Ledger
from ledger.service.clock import Clock
from projections.readers import Orders, StockLevels

Wait = Callable[[str, int, float], bool]
"""Waits until the views hold a version of a stream, at most so many seconds; answers whether."""


@dataclass(frozen=True, slots=True)
class Services:
    """The ledger, the readers of the views, and what answers need besides."""

    ledger: Ledger
    stock: StockLevels
    orders: Orders
    cursors: Cursors
    wait: Wait | None
    idempotency_ttl_seconds: int
    clock: Clock


def services_of(request: Request) -> Services:
    """The services of the application that got the request."""
    return cast(Services, request.app.state.services)


async def _services(request: Request) -> Services:
    return services_of(request)


CurrentServices = Annotated[Services, Depends(_services)]
