"""How many requests a client may send: a sliding window per client, in this process.

The edge has limits for all instances together; this one keeps a single client from taking a whole
instance.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter


@dataclass(frozen=True, slots=True)
class Quota:
    """Where a client stands after a request: `remaining` more until `reset` seconds from now."""

    allowed: bool
    limit: int
    window: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """As headers (draft-ietf-httpapi-ratelimit-headers-10)."""
        headers = {
            "RateLimit-Policy": f'"default";q={self.limit};w={self.window}',
            "RateLimit": f'"default";r={self.remaining};t={self.reset}',
        }
        return headers if self.allowed else {**headers, "Retry-After": str(self.reset)}


class RateLimit:
    """Counts the requests of each client.

    A sliding window counter takes two numbers per client, forgotten after two windows; the
    library's moving window keeps every request, and an entry for each client for ever.

    Parameters
    ----------
    rate
        Such as `600/minute`.
    """

    def __init__(self, rate: str) -> None:
        self._rate = parse(rate)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, client: str) -> Quota:
        """Count one request of a client. A refused request isn't counted."""
        window = self._rate.get_expiry()
        allowed = self._limiter.hit(self._rate, client)
        now = time.time()
        reset, remaining = self._limiter.get_window_stats(self._rate, client)
        # At the very edge of a window the library says "now" and means one window later.
        seconds = math.ceil(reset - now) or window
        left = remaining if allowed else 0
        return Quota(allowed, self._rate.amount, window, left, seconds)
