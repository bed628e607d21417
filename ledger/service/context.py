"""Who asks, under which idempotency key, and on which version they insist."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key for one request; records are kept per principal and route.

    `ttl_seconds` None keeps the record for ever.
    """

    route: str
    key: str
    ttl_seconds: int | None = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Context:
    """What a command carries besides its content.

    `expected_version` is the version of the order or position the client saw (`If-Match`).
    """

    actor: str = "system"
    idempotency: Idempotency | None = None
    expected_version: int | None = None
