"""Who asks, and what they may do: the principal of a request and the scopes of operations.

`api.gates.Authentication` finds out who asks, before anything of the request is read; an operation
says which scope it wants, and so it stands in the API's description.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api import problems
from api.problems import Problem

INVENTORY_READ: Final = "inventory:read"
ORDERS_WRITE: Final = "orders:write"
STOCK_WRITE: Final = "stock:write"
ADMIN: Final = "admin"

SCOPES: Final = {
    INVENTORY_READ: "read stock, orders and events",
    ORDERS_WRITE: "place, ship and cancel orders",
    STOCK_WRITE: "record receipts, adjustments and returns, and set policies",
    ADMIN: "all of it",
}
"""Every scope and what it allows. None implies another, except `admin`, which implies all."""

ACTOR_PREFIX: Final = "sub:"
"""What the actor of a token begins with. The names of the system itself (`system`, `import`) and
`anonymous` have no colon, so no token can be taken for one of them, whatever its issuer allows."""

_REALM: Final = 'realm="inventory-ledger"'


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: recorded as each event's actor, and the scope of idempotency keys."""

    subject: str
    scopes: frozenset[str] = field(default_factory=frozenset)

    def may(self, scope: str) -> bool:
        """Whether this principal was given a scope, or `admin`."""
        return scope in self.scopes or ADMIN in self.scopes


ANONYMOUS: Final = Principal("anonymous", frozenset({ADMIN}))
"""Everyone, where no tokens are asked for."""


def token_required() -> Problem:
    """Nobody said who asks (RFC 6750, 3.1: then the challenge has no error code)."""
    kind = problems.TOKEN_REQUIRED
    return Problem(kind, kind.meaning, headers={"WWW-Authenticate": f"Bearer {_REALM}"})


def invalid_token(why: str) -> Problem:
    """The token proves nothing. `why` is a sentence without quotes or backslashes."""
    challenge = f'Bearer {_REALM}, error="invalid_token", error_description="{why}"'
    return Problem(problems.INVALID_TOKEN, why, headers={"WWW-Authenticate": challenge})


def _insufficient_scope(scope: str) -> Problem:
    challenge = f'Bearer {_REALM}, error="insufficient_scope", scope="{scope}"'
    detail = f"The token lacks the scope {scope}."
    headers = {"WWW-Authenticate": challenge}
    return Problem(problems.INSUFFICIENT_SCOPE, detail, headers=headers)


_bearer: Final = HTTPBearer(
    bearerFormat="JWT",
    scheme_name="bearer",
    description="An access token of the configured issuer. Scopes: "
    + "; ".join(f"`{scope}`: {allows}" for scope, allows in SCOPES.items())
    + ". A server that asks for no tokens, on loopback only, accepts everyone.",
    auto_error=False,
)


async def principal(
    request: Request,
    wanted: SecurityScopes,
    _described: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """The principal of the request, who has the scopes the operation wants.

    Raises
    ------
    Problem
        The principal lacks one of them.
    """
    who: Principal = request.state.principal
    for scope in wanted.scopes:
        if not who.may(scope):
            raise _insufficient_scope(scope)
    return who


CurrentPrincipal = Annotated[Principal, Depends(principal)]

READS: Final = Security(principal, scopes=[INVENTORY_READ])
"""The dependency of an operation that only reads."""
