"""What a request must pass before it is read, as plain ASGI: the edge's secret, and who asks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.access import Access
from api.auth import ANONYMOUS, Principal, token_required
from api.problems import Problem

ORIGIN_HEADER: Final = "X-Origin-Secret"

OPEN_PATHS: Final = frozenset({"/healthz", "/docs", "/openapi.json"})
"""Open to everyone, as are the files of `/docs`. Every other path wants a token, known or not."""
OPEN_PREFIX: Final = "/docs/assets/"


class OriginSecret:
    """Refuses what did not come through the edge, on every path.

    The edge adds a secret to each request; two are accepted while it is being replaced.
    """

    def __init__(self, app: ASGIApp, secrets: Sequence[str]) -> None:
        self.app = app
        self._digests = [_digest(secret.encode()) for secret in secrets]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it has one of the secrets."""
        if scope["type"] == "http" and not self._came_through_the_edge(Headers(scope=scope)):
            kind = problems.ORIGIN_REQUIRED
            await Problem(kind, kind.meaning).response()(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _came_through_the_edge(self, headers: Headers) -> bool:
        """Compared in constant time, and with all: how long it takes tells nothing."""
        given = headers.getlist(ORIGIN_HEADER)
        digest = _digest("".join(given).encode("latin-1"))
        equal = [hmac.compare_digest(digest, one) for one in self._digests]
        return len(given) == 1 and any(equal)


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


class Authentication:
    """Finds out who asks, and counts their requests, before the body is read.

    The principal is `request.state.principal`. Requests count for the principal; those without
    one (nobody is asked for a token, or the token proves nothing) count for the client's address.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its principal is known and within the limit."""
        if scope["type"] != "http" or is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        client = f"address:{scope['client'][0] if scope.get('client') else 'unknown'}"
        refusal: Problem | None = None
        try:
            who = await self._principal(Headers(scope=scope))
            scope.setdefault("state", {})["principal"] = who
            client = client if who is ANONYMOUS else who.subject
        except Problem as problem:
            refusal = problem
        headers: dict[str, str] = {}
        if self.access.limit is not None:
            quota = self.access.limit.take(client)
            headers = quota.headers
            if not quota.allowed:
                detail = f"More than {quota.limit} requests in {quota.window} seconds."
                refusal = Problem(problems.RATE_LIMITED, detail)
        if refusal is None:
            await self.app(scope, receive, _with(headers, send))
        else:
            refusal.headers |= headers
            await refusal.response()(scope, receive, send)

    async def _principal(self, headers: Headers) -> Principal:
        if self.access.verify is None:
            return ANONYMOUS
        token = _bearer_token(headers)
        # In a thread, since it may have to wait for the issuer's keys.
        return await run_in_threadpool(self.access.verify, token)


def is_open(path: str) -> bool:
    """Whether everyone may ask for a path."""
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIX)


def _bearer_token(headers: Headers) -> str:
    """The token of an `Authorization: Bearer` header (RFC 6750, 2.1)."""
    given = headers.getlist("authorization")
    if len(given) > 1:
        fault = {"detail": "it must be sent once", "header": "Authorization"}
        detail = "Authorization: it must be sent once"
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_request"'}
        raise Problem(problems.INVALID_PARAMETER, detail, errors=[fault], headers=challenge)
    scheme, _, token = "".join(given).partition(" ")
    if scheme.lower() != "bearer":
        raise token_required()
    return token.strip()


def _with(extra: dict[str, str], send: Send) -> Send:
    """`send`, with headers added to the response."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(extra)
        await send(message)

    return send_with_headers if extra else send
