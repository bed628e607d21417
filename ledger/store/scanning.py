"""Reading the whole event table: a segmented scan, in parallel, that can be resumed.

A scan is not a snapshot. What is written while it runs may be seen or not, and of one commit the
events of one stream may be seen and those of another not (`ledger.verify` deals with that). What
is seen of a stream is its beginning, without a gap.

A stream lies in one segment, in one piece. DynamoDB returns its events by version, but promises
that for queries only, and MiniStack sorts versions as text: so `scan_events` puts them in order,
and whoever takes pages must do with any. A page may end anywhere in a stream; the segment's next
one goes on there.

Strongly consistent reads cost one read unit per 4 KB, others half of that.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Final

from eventsourcing.persistence import StoredEvent

from ledger.store.dynamodb_client import MAX_CONNECTIONS
from ledger.store.dynamodb_items import command_record
from ledger.store.dynamodb_tables import DynamoDBTables
from ledger.store.segment_reader import Resume, SegmentReader

SEGMENTS: Final = 4
"""Segments when nobody says how many: enough to keep one core busy decoding."""

MAX_SEGMENTS: Final = MAX_CONNECTIONS
"""Each segment that is read has a connection of its own."""

MAX_HELD: Final = 100_000
"""Events of a stream that wait for an earlier one; then it is taken for missing."""


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One page of a segment. It may be empty though there is more behind it."""

    segment: int
    events: tuple[StoredEvent, ...]
    resume: Resume | None
    """Where to go on behind this page; None at the segment's end."""


def scan_segment(
    tables: DynamoDBTables,
    segment: int,
    segments: int,
    *,
    resume: Resume | None = None,
    page_items: int | None = None,
    consistent: bool = True,
) -> Iterator[ScannedPage]:
    """The pages of one segment, each read when it is asked for.

    Parameters
    ----------
    resume
        The `resume` of the last page that was dealt with; None begins at the beginning.
    page_items
        At most so many items are read for a page (DynamoDB ends it at 1 MB anyway).

    Raises
    ------
    Contention, OperationalError
        DynamoDB was too busy, or did not answer, for `segment_reader.PATIENCE_SECONDS`.
    ProgrammingError
        The table is missing.
    """
    reader = SegmentReader(tables, tables.events, segments, page_items, consistent)
    while True:
        page = _page(reader, segment, resume)
        yield page
        if page.resume is None:
            return
        resume = page.resume


def scan_pages(
    tables: DynamoDBTables,
    segments: int = SEGMENTS,
    *,
    after: Mapping[int, Resume | None] | None = None,
    page_items: int | None = None,
    consistent: bool = True,
) -> Generator[ScannedPage, None, None]:
    """The pages of all segments as they arrive; those of one segment in order.

    While a page is dealt with, the next one of each segment is read, and no more: what is held is
    two pages a segment at most. Closing the iterator stops the reading.

    Parameters
    ----------
    after
        Where each segment goes on; one that is None has come to its end and is left out, one that
        is missing begins at the beginning.

    Raises
    ------
    ValueError
        `segments` is not between 1 and `MAX_SEGMENTS`.
    Contention, OperationalError, ProgrammingError
        As `scan_segment`.
    """
    if not 1 <= segments <= MAX_SEGMENTS:
        msg = f"a scan has 1 to {MAX_SEGMENTS} segments, not {segments}"
        raise ValueError(msg)
    starts = {**dict.fromkeys(range(segments)), **(after or {})}
    ended = {segment for segment, resume in (after or {}).items() if resume is None}
    reader = SegmentReader(tables, tables.events, segments, page_items, consistent)
    with ThreadPoolExecutor(segments, "scan") as pool:
        pending: set[Future[ScannedPage]] = {
            pool.submit(_page, reader, segment, resume)
            for segment, resume in starts.items()
            if segment not in ended
        }
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                pages = [future.result() for future in done]
                pending |= {
                    pool.submit(_page, reader, page.segment, page.resume)
                    for page in pages
                    if page.resume is not None
                }
                yield from pages
        finally:
            reader.stop()


def scan_events(
    tables: DynamoDBTables,
    segments: int = SEGMENTS,
    *,
    page_items: int | None = None,
    consistent: bool = True,
) -> Iterator[StoredEvent]:
    """All events, those of each stream in the order of their versions (see `scan_pages`)."""
    orders = [_InOrder() for _ in range(segments)]
    pages = scan_pages(tables, segments, page_items=page_items, consistent=consistent)
    with closing(pages):
        for page in pages:
            order = orders[page.segment]
            for event in page.events:
                yield from order.take(event)
            if page.resume is None:
                yield from order.flush()


class _InOrder:
    """Brings the events of a segment, one stream after the other, into the order of versions.

    What comes in order passes at once. Only an event that comes before its time is held, until
    its stream is over: some are, on engines that sort versions as text.
    """

    def __init__(self) -> None:
        self._stream: object = None
        self._next = 1
        self._held: dict[int, StoredEvent] = {}

    def take(self, event: StoredEvent) -> Iterator[StoredEvent]:
        if event.originator_id != self._stream or len(self._held) >= MAX_HELD:
            yield from self.flush()
            self._next = 1 if event.originator_id != self._stream else self._next
            self._stream = event.originator_id
        if type(event.originator_version) is not int:
            yield event
            return
        if event.originator_version != self._next:
            self._held[event.originator_version] = event
            return
        due: StoredEvent | None = event
        while due is not None:
            yield due
            self._next += 1
            due = self._held.pop(self._next, None)

    def flush(self) -> Iterator[StoredEvent]:
        """What is held though nothing before it is to come: versions are missing."""
        held, self._held = self._held, {}
        for version in sorted(held):
            yield held[version]
            self._next = version + 1


def scan_commands(
    tables: DynamoDBTables, *, page_items: int | None = None
) -> Iterator[tuple[str, Sequence[tuple[str, int]] | None]]:
    """Key and (stream, version) pairs of every command record; None where it can't be read."""
    reader = SegmentReader(tables, tables.commands, 1, page_items, consistent=True)
    resume: Resume | None = None
    while True:
        items, resume = reader.read(0, resume)
        for item in items:
            try:
                yield item["key"]["S"], command_record(item).events
            except (KeyError, TypeError, ValueError):
                yield item["key"]["S"], None
        if resume is None:
            return


def _page(reader: SegmentReader, segment: int, resume: Resume | None) -> ScannedPage:
    items, resume = reader.read(segment, resume)
    return ScannedPage(segment, tuple(map(_stored, items)), resume)


def _stored(item: Mapping[str, Any]) -> StoredEvent:
    """What an item holds, damaged or not: an audit must come through, and decoding tells."""
    version: Any = item["version"]["N"]
    with suppress(ValueError):  # a number, but no version: it stays the text it is
        version = int(version)
    topic, state = (next(iter(item.get(n, {}).values()), None) for n in ("type", "state"))
    return StoredEvent(item["stream"]["S"], version, topic, state)  # type: ignore[arg-type]
