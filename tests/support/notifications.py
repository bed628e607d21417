"""Channels that remember, marks that die, and events that were never stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from uuid import UUID

from typing_extensions import override

from ledger.codec import Recorded, Stamp, encode
from ledger.domain import events as e
from projections.notifications.channels.base import Undelivered
from projections.notifications.marks import Advance, Claim, Marks
from projections.notifications.notification import Kind, Notification

STAMP = Stamp(
    at="2026-11-22T09:39:56.123456Z",
    command="01a202b7-55b7-7024-b8d6-c58ccd19bb7e",
    actor="anna@example.com",
    region="local",
    size=1,
)


def recorded(
    stream: str, version: int, event: e.Event, *, number: int | None = None, stamp: Stamp = STAMP
) -> Recorded:
    """An event as if it were in history; its id ends with `number` (default: its version)."""
    event_id = str(UUID(int=(7 << 76) | (2 << 62) | (number or version)))
    return encode(stream, version, event, event_id=event_id, stamp=stamp, prev="")[0]


class Recording:
    """A channel that keeps what it is sent.

    `plan` is asked before every sending: an error it answers is raised, after the sending if
    `lost` says that only the answer was lost.
    """

    def __init__(
        self,
        name: str = "recording",
        kinds: Collection[Kind] = tuple(Kind),
        plan: Callable[[Notification], Undelivered | None] = lambda _: None,
    ) -> None:
        self.name = name
        self.kinds = kinds
        self.plan = plan
        self.sent: list[Notification] = []
        self.tried: list[Notification] = []
        self.lost = False

    def wants(self, kind: Kind) -> bool:
        return kind in self.kinds

    def send(self, notification: Notification) -> None:
        self.tried.append(notification)
        error = self.plan(notification)
        if error is None or self.lost:
            self.sent.append(notification)
        if error is not None:
            raise error

    @property
    def ids(self) -> list[str]:
        """What was sent, in order."""
        return [notification.id for notification in self.sent]


class Crash(BaseException):
    """The process died here: nothing after it was done, no cleaning up either."""


class Dying(Marks):
    """Passes everything on until mark number `at`, which it dies before, for good."""

    def __init__(self, inner: Marks, at: int) -> None:
        self._inner = inner
        self._left = at

    @override
    def versions(self, streams: Iterable[str]) -> dict[str, int]:
        return self._inner.versions(streams)

    @override
    def advance(self, moves: Sequence[Advance]) -> set[str]:
        return self._inner.advance(moves)

    @override
    def claim(self, stream: str) -> Claim | None:
        return self._inner.claim(stream)

    @override
    def mark(self, claim: Claim, version: int, *, release: bool = False) -> None:
        if not self._left:
            raise Crash
        self._left -= 1
        self._inner.mark(claim, version, release=release)

    @override
    def release(self, claim: Claim) -> None:
        if not self._left:
            raise Crash
        self._inner.release(claim)
