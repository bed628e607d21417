"""One line of the log per change: what a client can quote, joined with what was recorded.

Every answer carries `X-Correlation-Id`: the client's own, if it sent a well-formed one, or a new
one. The line of a request that may change something names it as `request_id`, and as
`correlation_id` the command whose commit it recorded, or had recorded before: everything that
follows from that commit, in whatever process, is logged with the same `correlation_id`.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Any, Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.service import Outcome

HEADER: Final = "X-Correlation-Id"
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._:=@-]{1,128}")
_noted: ContextVar[list[Outcome] | None] = ContextVar("noted", default=None)

logger = logging.getLogger("api")


def note(outcome: Outcome) -> None:
    """Let the line of the present request say what was recorded."""
    noted = _noted.get()
    if noted is not None:
        noted.append(outcome)


class Correlation:
    """Gives every request an id to quote, and logs those that may change something."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the response's headers, and log how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        noted: list[Outcome] = []
        status = 500

        async def send_with_header(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        token = _noted.set(noted)
        try:
            await self.app(scope, receive, send_with_header)
        finally:
            _noted.reset(token)
            if scope["method"] not in READING:
                _log(scope, status, request_id, noted)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).getlist(HEADER)
    if len(given) == 1 and _WELL_FORMED.fullmatch(given[0]):
        return given[0]
    return str(uuid4())


def _log(scope: Scope, status: int, request_id: str, noted: list[Outcome]) -> None:
    commands = [event.command for outcome in noted for event in outcome.events[:1]]
    fields: dict[str, Any] = {
        "request_id": request_id,
        "correlation_id": commands[0] if commands else None,
        "replayed": any(outcome.replayed for outcome in noted),
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
    }
    text = "%(method)s %(path)s %(status)s, request %(request_id)s, command %(correlation_id)s"
    logger.info(text, fields, extra=fields)
