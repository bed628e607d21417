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


class ResponseHeaders:
    """Adds what every answer carries: no sniffing of types, and how long it may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the response's headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        keep = "private, no-cache" if scope["method"] in {"GET", "HEAD"} else "no-store"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", keep)
            await send(message)

        await self.app(scope, receive, send_with_headers)


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
