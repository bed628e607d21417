"""Who asks. Everyone is `anonymous` until tokens are required; routes know only the principal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: recorded as each event's actor, and the scope of idempotency keys."""

    subject: str


async def principal() -> Principal:
    """The principal of the request."""
    return Principal("anonymous")


CurrentPrincipal = Annotated[Principal, Depends(principal)]
