"""Checking every try of a request just before it is sent.

The SDK sends a request again on its own, seconds later. What was allowed when the first try was
sent may not be any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ledger.errors import LeaseUnreadable, NotTheWriter, UnknownOutcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class _Tries:
    """The tries of one request: each is checked, and all but the first may have had one before."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._sent = 0

    def __call__(self) -> None:
        try:
            self._check()
        except (NotTheWriter, LeaseUnreadable) as error:
            if self._sent:
                raise UnknownOutcome(f"the answer was lost, and then {error}") from error
            raise
        self._sent += 1


_tries: ContextVar[_Tries | None] = ContextVar("_tries", default=None)


def check_each_try(client: DynamoDBClient) -> None:
    """Let what `sending_under` names check the requests of this client."""
    client.meta.events.register_last("before-send.dynamodb", _check, unique_id="ledger-lease")


@contextmanager
def sending_under(check: Callable[[], None]) -> Iterator[None]:
    """Check every try of the one request that is made within, in this thread.

    The error of a check that fails is raised out of the request; from the second try on it is
    `UnknownOutcome`, because an earlier try may have been carried out.
    """
    token = _tries.set(_Tries(check))
    try:
        yield
    finally:
        _tries.reset(token)


def _check(**_: Any) -> None:
    tries = _tries.get()
    if tries is not None:
        tries()
