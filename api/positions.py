"""One position as of a moment: from the view, from its stream, or as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from api import problems as p
from api.freshness import stock_level
from api.instants import PATTERN, past_instant
from api.paging import Decimal, Truth
from api.problems import Problem
from api.schemas.stock import StockLevelOut, level_out, recorded_level
from api.services import Services
from ledger.domain.streams import stock_stream
from ledger.domain.values import MAX_BALANCE


@dataclass(frozen=True, slots=True)
class Reading:
    """Which moment of a position is asked for; at most one of these."""

    consistent: bool
    as_of: str | None
    min_version: int | None


async def reading(
    consistent: Annotated[
        bool, Truth, Query(description="Read the events themselves: never stale.")
    ] = False,
    as_of: Annotated[
        str | None,
        Query(
            pattern=PATTERN,
            max_length=40,
            description="The level at an instant at least 10 seconds past (RFC 3339 with its "
            "offset). The answer never changes.",
            examples=["2026-01-31T12:00:00Z"],
        ),
    ] = None,
    min_version: Annotated[
        int | None,
        Decimal,
        Query(
            ge=1,
            le=MAX_BALANCE,
            description="Wait up to 2 s for the view to hold this version or a newer one.",
        ),
    ] = None,
) -> Reading:
    """The moment a request asks for.

    Raises
    ------
    Problem
        It asks for more than one.
    """
    if consistent + (as_of is not None) + (min_version is not None) > 1:
        detail = "consistent, as_of and min_version exclude each other"
        names = ("consistent", "as_of", "min_version")
        errors = [{"detail": detail, "parameter": name} for name in names]
        raise Problem(p.INVALID_PARAMETER, detail, errors=errors)
    return Reading(consistent, as_of, min_version)


Moment = Annotated[Reading, Depends(reading)]


def read_position(services: Services, sku: str, location: str, moment: Reading) -> StockLevelOut:
    """A position as of a moment.

    Raises
    ------
    Problem
        Nothing was recorded there (by then), or the view is behind.
    """
    if not moment.consistent and moment.as_of is None:
        level = stock_level(services, sku, location, moment.min_version)
        if level is not None:
            return level_out(level)
        raise Problem(p.POSITION_NOT_FOUND, f"The view has nothing for {sku} at {location}.")
    stream, history = stock_stream(sku, location), services.ledger.history
    as_of = None if moment.as_of is None else past_instant(moment.as_of, services.clock)
    recorded = history.position(stream) if as_of is None else history.position(stream, as_of)
    if recorded is None:
        by = f" by {as_of}" if as_of else ""
        raise Problem(p.POSITION_NOT_FOUND, f"Nothing was recorded for {sku} at {location}{by}.")
    return recorded_level(recorded)
