"""Shortfalls as answers show them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from ledger.domain.events import Shortfall


class ShortfallOut(TypedDict):
    """What was asked for and what was there at that moment."""

    sku: str
    location: Annotated[str | None, Field(description="The location the lines named, if any.")]
    requested: int
    available: int
    lines: Annotated[list[int], Field(description="Numbers of the order's lines it is about.")]


def shortfall_out(shortfall: Shortfall) -> ShortfallOut:
    """A shortfall on the wire."""
    return {
        "sku": shortfall.sku,
        "location": shortfall.location,
        "requested": shortfall.requested,
        "available": shortfall.available,
        "lines": list(shortfall.lines),
    }
