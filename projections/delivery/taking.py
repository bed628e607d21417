"""What is done once when a Region takes the lease: what the one before left undone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Final

from eventsourcing.persistence import StoredEvent

from ledger.lease import Lease
from ledger.store.dynamodb_sweeps import Progress, Sweep, SweepMoved, SweepTable
from ledger.store.dynamodb_tables import DynamoDBTables
from ledger.store.scanning import scan_segment

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 45.0
"""How long one call goes on beginning with pages: it ends before the next minute's sweep begins."""

MARGIN_SECONDS: Final = 15.0
"""How long before the invocation's end no page is begun any more: for what a page may take."""

PAGE_ITEMS: Final = 500
"""Events that are read, and dealt with, at a time."""

MAX_LEFT: Final = 500
"""Streams that may be put aside because they failed; with more of them the scan doesn't go on."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one lot of streams."""

    failed: Collection[str] = ()
    """Streams that were tried in vain."""
    untried: Collection[str] = ()
    """Streams that were not tried, since it is of no use now."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the things a sweep does, with a scan and a progress of its own.

    Parameters
    ----------
    do
        Does what is to do for streams up to versions, unless it was done.
    concerns
        Whether there can be anything to do for an event. What it says no to is passed over.
    """

    name: str
    do: Callable[[Mapping[str, int]], Done]
    concerns: Callable[[StoredEvent], bool] = lambda _: True


class OnTaking:
    """Sweeps once in each epoch in which this Region acts, whichever process comes to it first.

    While a Region doesn't act, its consumers let events pass. Everything that passed them was
    stored before the lease was opened here, and events are never removed: so one scan that begins
    afterwards sees it, however often it is interrupted. What is stored while it is under way, here
    or by replication, is in this Region's own stream and comes to the consumers, which act on it,
    since `Lease.held` never remembers a no. So the scan needn't be a snapshot, and one is enough.

    It goes through all of history: nothing that is ordered by time tells how far the Region before
    had come with streams that stand still. But it holds one page at a time, ends before its time
    does, and goes on behind the last page that was dealt with. A page that was interrupted is dealt
    with again: `do` finds what was done. If two are at the same page, the one that says so first
    goes on. Streams that fail are put aside, and tried again with every call once the others
    are done: one that can never be dealt with holds nobody up, though the sweep is never done.

    Parameters
    ----------
    seconds_left
        How long the invocation under way may still take. A page is begun even with no time left,
        so that there is progress in any case.
    """

    def __init__(
        self,
        tables: DynamoDBTables,
        lease: Lease,
        name: str,
        parts: Sequence[Part],
        *,
        seconds_left: Callable[[], float] = lambda: inf,
        page_items: int = PAGE_ITEMS,
    ) -> None:
        self._tables = tables
        self._lease = lease
        self._name = name
        self._parts = parts
        self._seconds_left = seconds_left
        self._page_items = page_items
        self._table = SweepTable(tables.client, tables.prefix, name)
        self._swept = 0

    def __call__(self) -> None:
        """Sweep, or go on with it, if this Region acts and it was not done in this epoch."""
        if not self._tables.acting():
            return
        epoch = self._lease.epoch()
        if self._swept >= epoch:
            return
        stored = self._table.read()
        if stored.epoch == epoch and stored.parts is None:
            self._swept = epoch
        elif stored.epoch <= epoch:
            with suppress(SweepMoved):
                self._go_on(stored, epoch)

    def _go_on(self, stored: Sweep, epoch: int) -> None:
        """Sweep until all is done, time is up, or the lease is gone; store every step."""
        until = time.monotonic() + min(SWEEP_SECONDS, self._seconds_left() - MARGIN_SECONDS)
        if stored.epoch < epoch:
            log.info("%s: this Region took the lease (epoch %s): sweeping", self._name, epoch)
            stored = self._table.put(stored.begun(epoch), after=stored)
        progress = {part.name: _of(stored, part) for part in self._parts}
        # The one that was moved last comes last: one that takes all the time holds nobody up.
        turns = list(stored.parts or ())
        for part in sorted(
            self._parts, key=lambda p: turns.index(p.name) if p.name in turns else -1
        ):
            for step in self._steps(part, progress[part.name]):
                progress[part.name] = step
                stored = self._table.put(stored.moved(part.name, step), after=stored)
                if time.monotonic() >= until or not self._is_ours(epoch):
                    return
        if all(each.is_done for each in progress.values()):
            self._table.put(stored.done(), after=stored)
            self._swept = epoch
            log.info("%s: swept (epoch %s)", self._name, epoch)

    def _steps(self, part: Part, progress: Progress) -> Iterator[Progress]:
        """How far it has come after each step: page after page, then once more what failed.

        It ends early where it is of no use to go on; the page is tried again with the next call.
        """
        after, left = progress.after, progress.left
        while not progress.scanned:
            read = scan_segment(self._tables, 0, 1, resume=after, page_items=self._page_items)
            page = next(read)
            newest = _newest(filter(part.concerns, page.events))
            left = {stream: max(v, newest.get(stream, v)) for stream, v in left.items()}
            wanted = {stream: v for stream, v in newest.items() if stream not in left}
            done = part.do(wanted) if wanted else Done()
            left |= {stream: newest[stream] for stream in done.failed}
            if len(left) > MAX_LEFT:
                log.error("%s: %s fails on %s streams", self._name, part.name, len(left))
                return
            if done.untried:
                yield Progress(after, False, left)
                return
            after = page.resume
            progress = Progress(after, after is None, left)
            yield progress
        if left:
            done = part.do(left)
            # Those that were tried go to the end: all have their turn, whatever comes of it.
            again = (done.untried, done.failed)
            yield Progress(None, True, {s: left[s] for among in again for s in left if s in among})

    def _is_ours(self, epoch: int) -> bool:
        return self._tables.acting() and self._lease.epoch() == epoch


def _of(sweep: Sweep, part: Part) -> Progress:
    return (sweep.parts or {}).get(part.name, Progress())


def _newest(events: Iterator[StoredEvent]) -> dict[str, int]:
    """The newest version of each stream. What has no number for a version is no event."""
    newest: dict[str, int] = {}
    for event in events:
        if type(event.originator_version) is int:
            stream, version = str(event.originator_id), event.originator_version
            newest[stream] = max(version, newest.get(stream, version))
    return newest
