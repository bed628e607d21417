"""Marks: up to which version of each stream a channel has told everything.

At most one sender works on a stream of a channel at a time. It holds a *claim*, a lease that ends
by itself, so that a sender that died keeps nobody away for long. A mark only moves forward, and
while a claim lives only its holder moves it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from projections.failures import Passing

LEASE_SECONDS: Final = 60.0
"""How long a claim lives unless it is renewed. It must outlast the slowest sending of one event's
facts, or a second sender may send them as well."""


class ClaimLost(Passing):
    """The claim ran out and somebody else took the stream: whether it is told is theirs now."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        super().__init__(f"{stream}: the claim ran out and another sender has it")


class Claimed(Passing):
    """Another sender is at work on the stream (or died less than a lease ago): try again."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        super().__init__(f"{stream}: another sender is at work on it")


class Advance(NamedTuple):
    """A mark to be moved from the version it was seen at."""

    stream: str
    seen: int
    to: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to tell a stream; `version` is the mark when it was claimed (0: none)."""

    stream: str
    token: str
    version: int


class Marks(ABC):
    """The marks of one channel. Safe for many senders in many processes."""

    @abstractmethod
    def versions(self, streams: Iterable[str]) -> dict[str, int]:
        """The mark of every given stream, read strongly; 0 if it has none."""

    @abstractmethod
    def advance(self, moves: Sequence[Advance]) -> set[str]:
        """Move marks over events there is nothing to tell of; answers the streams refused.

        A move is refused, and the others are not, if the mark is no longer where it was seen or
        the stream is claimed.
        """

    @abstractmethod
    def claim(self, stream: str) -> Claim | None:
        """Claim a stream for a lease; None if somebody else's claim lives."""

    @abstractmethod
    def mark(self, claim: Claim, version: int, *, release: bool = False) -> None:
        """Move the mark to `version`; the claim is renewed for a lease, or given back.

        Raises
        ------
        ClaimLost
            The claim is not this sender's any more, or the mark is there already.
        """

    @abstractmethod
    def release(self, claim: Claim) -> None:
        """Give a claim back; harmless if it was lost."""
