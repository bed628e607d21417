"""Reading from the event store what a stream's missing notifications are derived from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Final, NamedTuple, Protocol

from ledger.codec import Recorded
from ledger.domain.streams import is_order, is_stock, lane_of
from ledger.service.history import balance_of
from projections.notifications.facts import (
    Course,
    Shelf,
    order_facts,
    position_facts,
)
from projections.notifications.notification import Notification
from projections.runner import EventsMissing

PAGE: Final = 500
"""Events of a position read at a time."""


class Told(NamedTuple):
    """One event and the facts that are to be told of it."""

    event: Recorded
    facts: tuple[Notification, ...]


class Events(Protocol):
    """What is asked of the event store; `ledger.service.history.History` answers it."""

    def events(
        self,
        stream: str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        limit: int | None = None,
    ) -> list[Recorded]:
        """Events of a stream by version, read strongly."""


def tells(stream: str) -> bool:
    """Whether there can be anything to tell of a stream; of a position, lane 0 tells."""
    return is_order(stream) or (is_stock(stream) and not lane_of(stream))


def facts_between(events: Events, stream: str, after: int, upto: int) -> list[Told]:
    """The events after version `after` up to `upto` that are a fact of something, in order.

    Raises
    ------
    EventsMissing
        The event store doesn't have one of them.
    CorruptEvent, LawBroken
        One of them can't be read.
    """
    if is_order(stream):
        return _of_order(events, stream, after, upto)
    return _of_position(events, stream, after, upto)


def _of_order(events: Events, stream: str, after: int, upto: int) -> list[Told]:
    """An order is folded from its beginning: its streams are short."""
    course, found = Course.of(stream), []
    for recorded in _contiguous(events, stream, 1, upto):
        course, facts = order_facts(course, recorded)
        if facts and recorded.version > after:
            found.append(Told(recorded, facts))
    return found


def _of_position(events: Events, stream: str, after: int, upto: int) -> list[Told]:
    """A position's state is in its newest event, so one event before the first is enough."""
    shelf, found = Shelf(), []
    history = _contiguous(events, stream, max(after, 1), upto)
    if after:
        balance = balance_of(history[0])
        history = history[1:]
        stocked = balance.available > 0
        # Read back only if it matters: units came, and none were there before.
        if not stocked and any(balance_of(recorded).available for recorded in history):
            stocked = _was_stocked(events, stream, after)
        shelf = Shelf(balance, stocked)
    for recorded in history:
        shelf, facts = position_facts(shelf, recorded)
        if facts:
            found.append(Told(recorded, facts))
    return found


def _was_stocked(events: Events, stream: str, upto: int) -> bool:
    """Whether a position had units available at some version; most had with their first event."""
    read = 0
    for limit in chain((5,), repeat(PAGE)):
        page = events.events(stream, gt=read, lte=upto, limit=limit)
        if any(balance_of(recorded).available for recorded in page):
            return True
        if len(page) < limit:
            return False
        read = page[-1].version
    raise AssertionError("unreachable")


def _contiguous(events: Events, stream: str, first: int, last: int) -> Sequence[Recorded]:
    """Every version from `first` to `last`."""
    found = events.events(stream, gt=first - 1, lte=last)
    there = {recorded.version for recorded in found}
    for version in range(first, last + 1):
        if version not in there:
            raise EventsMissing(stream, version)
    return found
