"""Notifications as signed HTTP requests (Standard Webhooks)."""

from __future__ import annotations

import hashlib
import random
import ssl
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from projections.notifications.channels.addresses import (
    HTTPS_PORT,
    Resolver,
    judged,
    parse_target,
    resolve_by_system,
)
from projections.notifications.channels.base import Refused, Unavailable
from projections.notifications.channels.http import Answer, NoAnswer, NoConnection, post
from projections.notifications.channels.signing import signed_headers, signing_key
from projections.notifications.notification import Kind, Notification

BACKOFF_BASE_SECONDS: Final = 0.5
BACKOFF_CAP_SECONDS: Final = 4.0
MAX_ADDRESSES: Final = 3
"""Addresses of one name that are tried if there is no connection."""

TRY_LATER: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Manners:
    """How a webhook is sent. Times are in seconds."""

    attempt: float = 10.0
    """For one attempt, from connecting to the answer's headers."""
    budget: float = 20.0
    """For all attempts at one notification, pauses included. Two of them must fit in a lease."""
    ports: frozenset[int] = frozenset({HTTPS_PORT})
    allow_loopback: bool = False
    """Development only: `http`, any port, and loopback addresses."""
    resolve: Resolver = resolve_by_system
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    """Decides which certificates are trusted (default: the system's)."""
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class WebhookChannel:
    """Posts each notification's JSON to one URL, signed with every key.

    A notification is delivered when the receiver answers 2xx. 5xx, 408, 425, 429 and no answer are
    tried again within the budget, with growing random pauses or as `Retry-After` says; any other
    answer, a redirect too, is a refusal. Every attempt resolves the name anew, judges the
    addresses, and signs with its own timestamp.

    Parameters
    ----------
    secrets
        The current secret first; those being rotated out behind it.
    kinds
        What the receiver wants; empty means everything.

    Raises
    ------
    ValueError
        The URL or a secret can't be used; says why, without the secret.
    """

    def __init__(
        self,
        url: str,
        secrets: Sequence[str],
        kinds: Collection[Kind] = (),
        manners: Manners | None = None,
    ) -> None:
        self._manners = manners or Manners()
        self._target = parse_target(
            url, ports=self._manners.ports, allow_loopback=self._manners.allow_loopback
        )
        if not secrets:
            raise ValueError("a webhook needs a secret")
        self._keys = [signing_key(secret) for secret in secrets]
        self._kinds = frozenset(kinds)
        # Not the URL itself: a path may be a secret, and names are logged.
        digest = hashlib.sha256(url.encode()).hexdigest()[:16]
        self.name = f"webhook-{digest}"

    def wants(self, kind: Kind) -> bool:
        """Whether the receiver asked for this kind."""
        return not self._kinds or kind in self._kinds

    def send(self, notification: Notification) -> None:
        """Post it until it is taken, refused, or the budget is used up."""
        body = notification.to_json()
        deadline = time.monotonic() + self._manners.budget
        longest = BACKOFF_BASE_SECONDS
        while True:
            pause = random.uniform(0, longest)  # noqa: S311 - jitter, not a secret
            try:
                answer = self._attempt(notification.id, body, deadline - time.monotonic())
            except NoAnswer as error:
                why = f"{self._target.host}: {error}"
            else:
                if 200 <= answer.status < 300:
                    return
                why = f"{self._target.host} answered {answer.status}"
                if answer.status not in TRY_LATER and answer.status < 500:
                    raise Refused(f"{why}{_advice(answer.status)}")
                pause = max(pause, _seconds(answer.retry_after))
            if time.monotonic() + pause >= deadline:
                raise Unavailable(why)
            self._manners.sleep(pause)
            longest = min(BACKOFF_CAP_SECONDS, 2 * longest)

    def _attempt(self, message_id: str, body: bytes, left: float) -> Answer:
        """One attempt: at the first address there is a connection to."""
        manners = self._manners
        addresses = judged(self._target, manners.resolve, allow_loopback=manners.allow_loopback)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "inventory-ledger",
            **signed_headers(self._keys, message_id, int(manners.clock()), body),
        }
        tried: NoConnection | None = None
        until = time.monotonic() + max(0.1, min(manners.attempt, left))
        for address in addresses[:MAX_ADDRESSES]:
            try:
                return post(
                    self._target,
                    address,
                    headers,
                    body,
                    context=manners.context,
                    seconds=max(0.1, until - time.monotonic()),
                )
            except NoConnection as error:
                tried = error
        assert tried is not None, "there is at least one address"
        raise tried


def _seconds(retry_after: str | None) -> float:
    """The pause a receiver asks for in seconds; one given as a date is not waited for."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0


def _advice(status: int) -> str:
    if 300 <= status < 400:
        return "; redirects are not followed, configure the final URL"
    return "; it wants no more, remove it from LEDGER_NOTIFY_WEBHOOKS" if status == 410 else ""
