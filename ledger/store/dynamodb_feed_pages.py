"""Pages of the feed: which versions of which streams take which positions. Pure.

A page gives contiguous positions, from `first` on, to ranges of versions in the order of its
entries. The next page begins where it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

PARTITION: Final = "events"
"""Key of the one sequence there is."""

MAX_EVENTS: Final = 500
"""Positions of one page at most."""

MAX_BYTES: Final = 380 * 1024
"""Bytes of a page's entries at most; an item holds 400 KB."""


class Entry(NamedTuple):
    """Versions `first` to `last` (inclusive) of a stream, which follow each other."""

    stream: str
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many events it stands for."""
        return self.last - self.first + 1


class Place(NamedTuple):
    """An event's place in the feed; positions count from 1."""

    position: int
    stream: str
    version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Entries whose events have the positions from `first` on."""

    first: int
    entries: tuple[Entry, ...]

    @property
    def count(self) -> int:
        """How many events it holds."""
        return sum(entry.size for entry in self.entries)

    @property
    def last(self) -> int:
        """Position of its last event."""
        return self.first + self.count - 1

    def places(self) -> Iterator[Place]:
        """Its events in their order."""
        position = self.first
        for entry in self.entries:
            for version in range(entry.first, entry.last + 1):
                yield Place(position, entry.stream, version)
                position += 1

    def heads(self) -> dict[str, int]:
        """The newest version it holds of each of its streams."""
        newest: dict[str, int] = {}
        for entry in self.entries:
            newest[entry.stream] = max(entry.last, newest.get(entry.stream, entry.last))
        return newest


NOTHING: Final = Page(1, ())
"""What comes before the first page."""


def fill(first: int, wanted: Iterable[Entry]) -> Page:
    """The next page: as many of the entries as it takes, in their order.

    An entry is cut only if no page could hold it whole: versions that were hinted at together stay
    together.
    """
    entries: list[Entry] = []
    room, space = MAX_EVENTS, MAX_BYTES
    for entry in wanted:
        if entry.size > MAX_EVENTS and not entries:
            entry = Entry(entry.stream, entry.first, entry.first + MAX_EVENTS - 1)
        room -= entry.size
        space -= len(to_json(entry)) + 1
        if room < 0 or space < 0:
            break
        entries.append(entry)
    return Page(first, tuple(entries))


def page_item(page: Page) -> dict[str, Any]:
    """A page as an item: its entries are JSON, ten bytes or so besides the stream's name."""
    return {
        "partition": {"S": PARTITION},
        "position": {"N": str(page.first)},
        "count": {"N": str(page.count)},
        "entries": {"B": to_json(page.entries)},
    }


def page_of(item: Mapping[str, Any]) -> Page:
    """The page of an item."""
    entries: Sequence[tuple[str, int, int]] = from_json(item["entries"]["B"])
    return Page(int(item["position"]["N"]), tuple(Entry(*entry) for entry in entries))
