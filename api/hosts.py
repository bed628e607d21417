"""By which names a server is called, where nobody is asked for a token."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.problems import Problem

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""What clients call a server on loopback."""


def as_host(address: str) -> str:
    """An address as it stands in URLs and in `Host`."""
    return f"[{address}]" if ":" in address else address


class LoopbackNames:
    """Refuses requests that call a server on loopback by any other name.

    Only this machine reaches it, but that includes every page its browsers show. A page whose own
    name was made to point here (DNS rebinding) is of the same origin to them, and may read and
    write; its requests carry that name in `Host`.

    Parameters
    ----------
    address
        The address the server listens on; it is a name as well.
    """

    def __init__(self, app: ASGIApp, address: str) -> None:
        self.app = app
        self._names = LOOPBACK | {as_host(address)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it has one `Host` header, with one of the names."""
        if scope["type"] != "http" or self._is_named(Headers(scope=scope).getlist("host")):
            await self.app(scope, receive, send)
            return
        why = f"this server is called {', '.join(sorted(self._names))}"
        fault = {"detail": why, "header": "Host"}
        problem = Problem(problems.INVALID_PARAMETER, f"Host: {why}", errors=[fault])
        await problem.response()(scope, receive, send)

    def _is_named(self, hosts: list[str]) -> bool:
        return len(hosts) == 1 and _without_port(hosts[0]).lower() in self._names


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and (not port or (port.isascii() and port.isdecimal())) else host
