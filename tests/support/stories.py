"""A view that tells which events it was folded from, and events for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eventsourcing.persistence import StoredEvent
from typing_extensions import override

from ledger.codec import CorruptEvent, Recorded, Stamp, encode
from ledger.domain.balance import EMPTY
from ledger.domain.events import StockReceived
from projections.store.base import Checkpoint, ViewStore
from projections.views.base import Key, View
from tests.support.view_stores import Around

A, B, C = "stock:A@main", "stock:B@main", "stock:C@main"
NAMELESS = "stock:@main"


@dataclass(frozen=True, slots=True)
class Story:
    """The versions a row was folded from."""

    stream: str
    told: str
    version: int


class Stories(View[Story]):
    """Tells every event of its streams; fails where it is told to."""

    row = Story
    key_fields = ("stream",)
    order = ("stream",)

    def __init__(self, base: str, *, newest_wins: bool = False) -> None:
        super().__init__(base)
        self.newest_wins = newest_wins
        self.bad: set[tuple[str, int]] = set()
        self.seen: list[Recorded] = []

    @override
    def feeds(self, stream: str) -> bool:
        return stream != C

    @override
    def key(self, stream: str) -> Key:
        if stream == NAMELESS:
            raise ValueError("there is no row of that name")
        return (stream,)

    @override
    def fold(self, row: Story | None, recorded: Recorded) -> Story:
        self.seen.append(recorded)
        if (recorded.stream, recorded.version) in self.bad:
            raise CorruptEvent(recorded.stream, recorded.version, "bad")
        told = "" if row is None else row.told
        return Story(recorded.stream, f"{told}{recorded.version}", recorded.version)


class Noting(Around):
    """Notes what is written."""

    def __init__(self, inner: ViewStore) -> None:
        super().__init__(inner)
        self.saved: list[tuple[str, int]] = []

    @override
    def save(
        self, view: View[Any], rows: Sequence[Any], checkpoint: Checkpoint | None = None
    ) -> None:
        self.saved += [(row.stream, row.version) for row in rows]
        super().save(view, rows, checkpoint)


class Refusing(Around):
    """Writes no row of one view."""

    def __init__(self, inner: ViewStore, refused: View[Any]) -> None:
        super().__init__(inner)
        self._refused = refused

    @override
    def save(
        self, view: View[Any], rows: Sequence[Any], checkpoint: Checkpoint | None = None
    ) -> None:
        if view == self._refused:
            raise OSError("full")
        super().save(view, rows, checkpoint)


def made(stream: str, version: int) -> tuple[Recorded, StoredEvent]:
    stamp = Stamp(f"2026-01-01T00:00:00.{version:06}Z", "command", "tester", "local", 1)
    event = StockReceived(quantity=1, balance=EMPTY)
    return encode(stream, version, event, event_id="id", stamp=stamp, prev="")


def events(stream: str, *versions: int) -> list[StoredEvent]:
    return [made(stream, version)[1] for version in versions]


def told(store: ViewStore, view: Stories) -> dict[str, str]:
    return {row.stream: row.told for row in store.each(view)}
