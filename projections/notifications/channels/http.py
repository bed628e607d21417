"""One HTTP request to one address, within one deadline, of which only the status matters."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from typing import Final, NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from projections.notifications.channels.addresses import Target

CONNECT_SECONDS: Final = 3.0


class Answer(NamedTuple):
    """What a receiver said. Its body is not read: it may be endless."""

    status: int
    retry_after: str | None


class NoAnswer(Exception):
    """The receiver did not answer in time, or not in HTTP. It may have got the request."""


class NoConnection(NoAnswer):
    """There was no connection: the receiver got nothing."""


def post(
    target: Target,
    address: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    context: ssl.SSLContext,
    seconds: float,
) -> Answer:
    """Send a POST to `address`, whose certificate must be that of the target's host.

    Redirects are not followed and proxies of the environment are not used.

    Parameters
    ----------
    seconds
        For all of it. Socket time-outs alone would let a receiver answer a byte at a time.

    Raises
    ------
    NoConnection, NoAnswer
        No answer was had.
    """
    deadline = time.monotonic() + seconds
    connection = _connection(target, address, context, min(seconds, CONNECT_SECONDS))
    with closing(connection), _cut_after(seconds, connection) as expired:
        try:
            connection.connect()
        except (HTTPError, OSError) as error:
            raise NoConnection(f"no connection to {address}: {error}") from error
        connection.timeout = max(0.05, deadline - time.monotonic())
        try:
            connection.request(
                "POST",
                target.path,
                body=body,
                headers={**headers, "Host": target.host_header, "Connection": "close"},
                preload_content=False,
            )
            answer = connection.getresponse()
        except (HTTPError, HTTPException, OSError) as error:
            raise NoAnswer(f"no answer from {address}: {error}") from error
        if expired.is_set():
            raise NoAnswer(f"no answer from {address} within {seconds:g} s")
        return Answer(answer.status, answer.headers.get("retry-after"))


@contextmanager
def _cut_after(seconds: float, connection: HTTPConnection) -> Iterator[threading.Event]:
    """Cut the connection in so many seconds, whatever it is doing; the event says that it was."""
    expired = threading.Event()

    def cut() -> None:
        expired.set()
        held = connection.sock
        if held is not None:
            with suppress(OSError):
                # Not the TLS socket's own method, which would go on in plain text.
                socket.socket.shutdown(held, socket.SHUT_RDWR)

    alarm = threading.Timer(seconds, cut)
    alarm.daemon = True
    alarm.start()
    try:
        yield expired
    finally:
        alarm.cancel()


def _connection(
    target: Target, address: str, context: ssl.SSLContext, seconds: float
) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=seconds)
    # The connection goes to the address; name indication and certificate are the name's.
    return HTTPSConnection(
        address, target.port, timeout=seconds, ssl_context=context, server_hostname=target.host
    )
