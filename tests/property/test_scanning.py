"""A scan shows every event once, each stream in order, and goes on from the end of any page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.scanning import ScannedPage, scan_events, scan_pages, scan_segment
from tests.support.engines import Engines
from tests.support.event_stores import ENGINES, event_tables

LENGTHS = {"a": 12, "b": 1, "order:1": 3, "order:2": 101, "stock:A@main": 7, "stock:B@main": 2}
EVENTS = {
    (stream, version): StoredEvent(stream, version, "T", f"{stream} {version}".encode())
    for stream, length in LENGTHS.items()
    for version in range(1, length + 1)
}
segment_counts = st.integers(1, 6)
page_sizes = st.none() | st.integers(1, 9)


@pytest.fixture(scope="module", params=["moto", *ENGINES])
def recorder(request: pytest.FixtureRequest, engines: Engines) -> Iterator[DynamoDBLedgerRecorder]:
    """A table of streams that are longer than nine events, and shorter."""
    with event_tables(request.param, engines) as tables:
        recorder = tables.open()
        events = list(EVENTS.values())
        for start in range(0, len(events), 50):
            recorder.insert_events(events[start : start + 50])
        yield recorder


def by_stream(events: Iterable[StoredEvent]) -> dict[str, list[int]]:
    """The versions of each stream in the order they came."""
    found: dict[str, list[int]] = defaultdict(list)
    for event in events:
        assert event == EVENTS[str(event.originator_id), event.originator_version]
        found[str(event.originator_id)].append(event.originator_version)
    return found


def flat(pages: Iterable[ScannedPage]) -> list[StoredEvent]:
    return [event for page in pages for event in page.events]


few = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@few
@given(segments=segment_counts, page_items=page_sizes)
def test_every_event_once_and_each_stream_in_order(
    recorder: DynamoDBLedgerRecorder, segments: int, page_items: int | None
) -> None:
    found = by_stream(scan_events(recorder.tables, segments, page_items=page_items))
    assert found == {name: list(range(1, length + 1)) for name, length in LENGTHS.items()}


@few
@given(data=st.data(), segments=segment_counts, page_items=st.integers(1, 9))
def test_a_segment_goes_on_behind_any_page(
    recorder: DynamoDBLedgerRecorder, data: st.DataObject, segments: int, page_items: int
) -> None:
    segment = data.draw(st.integers(0, segments - 1))
    tables = recorder.tables
    whole = list(scan_segment(tables, segment, segments, page_items=page_items))
    assert [page.resume is None for page in whole] == [False] * (len(whole) - 1) + [True]
    cut = data.draw(st.integers(1, len(whole)))
    resume = whole[cut - 1].resume
    if resume is not None:
        size = data.draw(page_sizes)
        rest = scan_segment(tables, segment, segments, resume=resume, page_items=size)
        assert flat(rest) == flat(whole[cut:])


@few
@given(data=st.data(), segments=segment_counts, page_items=st.integers(1, 9))
def test_all_segments_go_on_behind_the_pages_that_were_dealt_with(
    recorder: DynamoDBLedgerRecorder, data: st.DataObject, segments: int, page_items: int
) -> None:
    tables = recorder.tables
    whole = list(scan_pages(tables, segments, page_items=page_items))
    done = whole[: data.draw(st.integers(0, len(whole)))]
    after = {page.segment: page.resume for page in done}
    rest = scan_pages(tables, segments, after=after, page_items=page_items)
    found = flat([*done, *rest])
    assert len(found) == len(EVENTS)
    assert {name: sorted(v) for name, v in by_stream(found).items()} == {
        name: list(range(1, length + 1)) for name, length in LENGTHS.items()
    }
