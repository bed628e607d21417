"""Request bodies: a JSON object that has a name twice is refused, not read by halves.

RFC 8259 leaves open what such an object means, and Python's parser lets the last one win: of
`{"quantity": 5, "quantity": 50}` another program may have read the first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException


class RepeatedName(HTTPException):
    """A name stands twice in one object of a body."""

    def __init__(self, name: str) -> None:
        super().__init__(400)
        self.name = name


class BodyRoute(APIRoute):
    """A route whose body is JSON with every name once."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Handles requests whose body is read by `parsed`."""
        handle = super().get_route_handler()

        async def handle_with_names_once(request: Request) -> Response:
            return await handle(_Request(request.scope, request.receive))

        return handle_with_names_once


class _Request(Request):
    async def json(self) -> Any:
        return parsed(await self.body())


def parsed(body: bytes) -> Any:
    """What a JSON text holds.

    Raises
    ------
    RepeatedName
        A name stands twice in one object.
    ValueError
        It is not JSON in UTF-8.
    """
    return json.loads(body, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedName(Counter(name for name, _ in pairs).most_common(1)[0][0])
    return found
