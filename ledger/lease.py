"""The lease: which Region writes, and how a process knows that it may.

Every Region keeps a *grant* in a table of its own that is not replicated: whether this Region
writes, and if not, which does. Every change of hands has an *epoch*, one higher than all before.
The epoch also goes into a replicated table, the *fence*: a Region that was cut off while the lease
was given away learns of it when replication reaches it, though its own grant still says `open`.

Why it is made like this, and what it can't promise: `docs/adr/0019-one-writing-region.md`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from eventsourcing.persistence import PersistenceError

from ledger.errors import LeaseUnreadable, NotTheWriter

REREAD_SECONDS: Final = 5.0
"""How old a copy may be before it is read again."""

TRUSTED_SECONDS: Final = 15.0
"""How old a copy may be for a write to begin on it, when it can't be read again."""

RETRY_SECONDS: Final = 1.0
"""Pause after a read that failed, while the copy is trusted."""

SENDING_SECONDS: Final = 4.0
"""How long one request may take from its check on: a second to connect, three for the answer. Each
try of the SDK is checked by itself, so the pauses between tries don't count."""

SETTLED_SECONDS: Final = 30.0
"""How long after the lease was closed no write of the old holder arrives: `TRUSTED_SECONDS`, and
`SENDING_SECONDS`, and 11 s for names to be resolved, processes to be scheduled and clocks to run
at slightly different speed."""

State = Literal["open", "closing", "closed"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a Region's own table says. Only `open` lets it write."""

    state: State
    epoch: int
    region: str
    """The Region that writes, or is about to."""
    at: str
    by: str
    """Who made the change, and on what machine."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The newest change of hands that replication has brought."""

    epoch: int
    region: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What one read of a Region's tables shows."""

    grant: Grant | None = None
    fence: Fence | None = None

    @property
    def epoch(self) -> int:
        """The highest epoch this Region has heard of."""
        return max(
            self.grant.epoch if self.grant is not None else 0,
            self.fence.epoch if self.fence is not None else 0,
        )

    @property
    def writer(self) -> str | None:
        """The Region that writes, as far as this Region has heard."""
        if self.fence is not None and (self.grant is None or self.grant.epoch < self.fence.epoch):
            return self.fence.region
        return None if self.grant is None else self.grant.region

    def held_by(self, region: str) -> bool:
        """Whether the lease is the Region's, and nobody has got it since."""
        return (
            self.grant is not None
            and self.grant.state == "open"
            and self.grant.region == region
            and self.grant.epoch == self.epoch
        )


@dataclass(frozen=True, slots=True)
class _Copy:
    standing: Standing
    at: tuple[float, ...]
    """What the clocks showed before it was read."""


class Lease:
    """What one process knows of its Region's lease. Any number of threads may ask.

    Parameters
    ----------
    read
        Reads what the Region's tables say, strongly and within a few seconds.
    region
        The Region of this process.
    clocks
        Seconds. A copy is as old as the clock that went furthest says, and of no use if one went
        back: a monotonic clock stands still while a machine is suspended, and the time of day may
        be set.
    reread, trusted
        Seconds, instead of `REREAD_SECONDS` and `TRUSTED_SECONDS`. Whoever moves the lease waits
        for the trust to end, so all must mean the same.
    observe
        Is told, whenever somebody asks, how many seconds ago the copy was read that the answer
        rests on, or would have to; where none was ever read, how many seconds ago this was made.
        Above `trusted`, there was no answer.
    """

    def __init__(
        self,
        read: Callable[[], Standing],
        region: str,
        *,
        clocks: Sequence[Callable[[], float]] = (time.monotonic, time.time),
        reread: float = REREAD_SECONDS,
        trusted: float = TRUSTED_SECONDS,
        observe: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.region = region
        self._rereading, self._trusting = reread, trusted
        self._read = read
        self._clocks = tuple(clocks)
        self._observe = observe
        self._made_at = self._now()
        self._copy: _Copy | None = None
        self._failed_at: tuple[float, ...] | None = None
        self._reading = threading.Lock()

    def check(self) -> None:
        """Pass if a write may be sent now.

        Raises
        ------
        NotTheWriter
            Another Region writes, or none.
        LeaseUnreadable
            The lease could not be read for `TRUSTED_SECONDS`.
        """
        standing = self._standing()
        if not standing.held_by(self.region):
            raise NotTheWriter(standing.writer)

    def held(self) -> bool:
        """Whether this Region is to act; a no is never remembered, but read.

        So whoever is told of an event after the lease was opened acts on it.

        Raises
        ------
        LeaseUnreadable
            As `check`.
        """
        if self._standing().held_by(self.region):
            return True
        return self._standing(fresh=True).held_by(self.region)

    def epoch(self) -> int:
        """The epoch of what is known now."""
        return self._standing().epoch

    def _standing(self, *, fresh: bool = False) -> Standing:
        """What is known, or that nothing is known well enough; and how old it is, is told."""
        try:
            return self._known(fresh)
        finally:
            copy = self._copy
            self._observe(self._age(self._made_at if copy is None else copy.at))

    def _known(self, fresh: bool) -> Standing:
        """What is known; if it is too old, or a `fresh` answer is asked for, it is read again."""
        asked_at = self._now()
        if fresh or not self._is_within(self._rereading):
            # Whoever has a copy that is good enough needn't wait for the one who is reading.
            wait = fresh or not self._is_within(self._trusting)
            if self._reading.acquire(blocking=wait):
                try:
                    self._reread(asked_at if fresh else None)
                finally:
                    self._reading.release()
        copy = self._copy
        if copy is None or self._age(copy.at) > self._trusting:
            raise LeaseUnreadable(self.region)
        return copy.standing

    def _reread(self, since: tuple[float, ...] | None) -> None:
        """Read, unless somebody did (`since` then, if given).

        A failure leaves the copy that there was, if that is good enough.
        """
        if self._is_within(self._rereading) if since is None else self._was_read(since):
            return
        trusted = since is None and self._is_within(self._trusting)
        failed_at = self._failed_at
        if trusted and failed_at is not None and self._age(failed_at) < RETRY_SECONDS:
            return
        began = self._now()
        try:
            standing = self._read()
        except PersistenceError as error:
            self._failed_at = began
            if since is not None or not self._is_within(self._trusting):
                raise LeaseUnreadable(self.region) from error
            return
        self._failed_at = None
        self._copy = _Copy(standing, began)

    def _is_within(self, seconds: float) -> bool:
        copy = self._copy
        return copy is not None and self._age(copy.at) <= seconds

    def _was_read(self, since: tuple[float, ...]) -> bool:
        """Whether the reading of the copy began after that."""
        copy = self._copy
        return copy is not None and all(a > b for a, b in zip(copy.at, since, strict=True))

    def _now(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)

    def _age(self, then: tuple[float, ...]) -> float:
        passed = [now - past for now, past in zip(self._now(), then, strict=True)]
        return float("inf") if min(passed) < 0 else max(passed)
