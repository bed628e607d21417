"""Reading your own writes from a view: wait until it holds the version the client saw."""

from __future__ import annotations

import time
from typing import Final

from api import problems
from api.problems import Problem
from api.services import Services
from ledger.domain.streams import parse_stock, stock_stream
from ledger.service.history import Level
from projections.readers import StockLevel

WAIT_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.05


def stock_level(
    services: Services, sku: str, location: str, min_version: int | None
) -> StockLevel | None:
    """A position from the view, at `min_version` or newer; None if the view doesn't have it.

    Only a version that is recorded is waited for. The version of a position in lanes is a sum that
    doesn't tell which lane's events a view lacks, so the lanes themselves are read for it.

    Raises
    ------
    Problem
        The view didn't get there in time, or there is no such version yet.
    """
    level = services.stock.get(sku, location)
    if min_version is None:
        return level
    if level is not None and level.version >= min_version and not level.in_lanes:
        return level
    newest = services.ledger.history.position(stock_stream(sku, location))
    if newest is None:
        return None
    if newest.version < min_version:
        raise _behind(f"version {min_version} is not recorded; the newest is {newest.version}")
    if newest.in_lanes:
        return _read(newest)
    level = _awaited(services, sku, location, min_version)
    if level is None or level.version < min_version:
        raise _behind(f"the view has not reached version {min_version} yet")
    return level


def _read(level: Level) -> StockLevel:
    """A level as the view would show it."""
    sku, location = parse_stock(level.stream)
    balance = level.balance
    return StockLevel(
        sku=sku,
        location=location,
        on_hand=balance.on_hand,
        reserved=balance.reserved,
        backordered=balance.backordered,
        damaged=balance.damaged,
        available=balance.available,
        low_stock_threshold=balance.low_stock_threshold,
        version=level.version,
        as_of=level.at,
        in_lanes=level.in_lanes,
    )


def _awaited(services: Services, sku: str, location: str, version: int) -> StockLevel | None:
    if services.wait is not None:
        services.wait(stock_stream(sku, location), version, WAIT_SECONDS)
        return services.stock.get(sku, location)
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        level = services.stock.get(sku, location)
        if (level is not None and level.version >= version) or time.monotonic() > deadline:
            return level
        time.sleep(POLL_SECONDS)


def _behind(why: str) -> Problem:
    fault = {"detail": why, "parameter": "min_version"}
    return Problem(
        problems.VIEW_BEHIND, f"min_version: {why}", errors=[fault], headers={"Retry-After": "1"}
    )
