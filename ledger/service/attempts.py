"""What is tried, how patiently, and what one attempt teaches the next."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.service.sealing import Commit, Draft
from ledger.service.session import Session

Decide = Callable[[Session], list[Draft]]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently a contended command is tried again.

    The first conflict is answered by the store with the newer state, so the second try is
    immediate; after that, a pause of up to `base * 2**level` seconds, at most `cap` (full
    jitter).

    Raises
    ------
    ValueError
        There is no attempt, or `base` is not positive, or `cap` is smaller or infinite.
    """

    attempts: int = 12
    base: float = 0.005
    cap: float = 0.25

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}; there has to be at least 1")
        if not 0 < self.base <= self.cap < math.inf:
            raise ValueError(
                f"base is {self.base} s and cap {self.cap} s; base has to be more than 0, and cap"
                " as much or more, and finite"
            )

    @property
    def top(self) -> int:
        """The level from which on pauses don't grow any more."""
        return max(1, math.ceil(math.log2(self.cap / self.base)))

    def pause(self, level: int) -> float:
        """Seconds to wait at a level of contention; none at level 0."""
        if level < 1:
            return 0.0
        return random.uniform(0, min(self.cap, self.base * 2**level))  # noqa: S311


@dataclass(frozen=True, slots=True)
class Command:
    """A decision to be made and recorded once.

    `key` and `fingerprint` name it for the command record (None: it needs no record, because what
    it would do again is nothing); `ttl_seconds` is how long the record lives (None: for ever).
    """

    decide: Decide
    actor: str
    key: str | None = None
    fingerprint: str = ""
    ttl_seconds: int | None = None


@dataclass(slots=True)
class Knowledge:
    """What earlier attempts of one command taught."""

    fresh: bool = False
    stale: frozenset[str] = frozenset()
    conflicts: int = 0
    existing: frozenset[str] = frozenset()
    lost: list[tuple[Commit, Session]] = field(default_factory=list)
    """Commits whose answer was lost and that were not seen to stand (yet)."""
