"""What every request passes, as plain ASGI: response headers, body limit, unexpected errors."""

from __future__ import annotations

import logging
from typing import Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.problems import Problem

MAX_BODY_BYTES: Final = 2_000_000

logger = logging.getLogger("api")


SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
"""The content security policy of an answer that is no page: a browser that shows it loads nothing
for it and runs nothing in it. Pages set their own."""

HSTS: Final = "max-age=63072000; includeSubDomains"


class ResponseHeaders:
    """Adds what every answer carries: what browsers must not do, and how long it may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the response's headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        secure = _came_by_https(scope)
        keep = "private, no-cache" if scope["method"] in {"GET", "HEAD"} else "no-store"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("Content-Security-Policy", NOTHING)
                if secure:
                    headers["Strict-Transport-Security"] = HSTS
                headers.setdefault("Cache-Control", keep)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _came_by_https(scope: Scope) -> bool:
    """Whether the client used https, here or with what passed the request on.

    Who makes the header up gets a header that browsers ignore over http.
    """
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "")
    return "https" in {scope["scheme"], forwarded.partition(",")[0].strip().lower()}


class BodyLimit:
    """Refuses bodies above a size: by `Content-Length` at once, otherwise as they stream in."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as long as its body is within the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self.limit:
            problem = Problem(problems.BODY_TOO_LARGE, problems.BODY_TOO_LARGE.meaning)
            await problem.response()(scope, receive, send)
            return
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > self.limit:
                    raise HTTPException(413)
            return message

        await self.app(scope, receive_within_limit, send)


class Head:
    """Answers HEAD as GET is answered, without the body (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; keep the body of the answer to HEAD."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, send_headers)


class UnexpectedErrors:
    """Answers a defect with a problem that tells nothing but a number to find it in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; log and answer what nobody expected."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            instance = f"urn:uuid:{uuid4()}"
            logger.exception("unexpected error, instance %s", instance)
            detail = "Something went wrong here. The instance is in the log."
            problem = Problem(problems.INTERNAL_ERROR, detail, instance=instance)
            await problem.response()(scope, receive, send)
