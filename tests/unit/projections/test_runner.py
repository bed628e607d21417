"""The runner, event by event: what it folds, skips and reads again, and what it says it did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eventsourcing.popo import POPOApplicationRecorder

from ledger.codec import CorruptEvent
from projections.generations import Generations
from projections.runner import Applied, EventsMissing, Runner
from projections.store.base import Checkpoint
from projections.store.sqlite import SQLiteViewStore
from tests.support.stories import NAMELESS, A, B, C, Noting, Refusing, Stories, events, made, told


@pytest.fixture
def log() -> POPOApplicationRecorder:
    """Five events of A, then three of B."""
    recorder = POPOApplicationRecorder()
    recorder.insert_events(events(A, 1, 2, 3, 4, 5))
    recorder.insert_events(events(B, 1, 2, 3))
    return recorder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Noting]:
    store = Noting(SQLiteViewStore(tmp_path / "views.db"))
    yield store
    store.close()


EACH = Stories("each")
NEWEST = Stories("newest", newest_wins=True)


@pytest.fixture(autouse=True)
def _forget() -> None:
    for view in (EACH, NEWEST):
        view.bad.clear()
        view.seen.clear()


@pytest.mark.parametrize(
    ("before", "batch", "row", "counts"),
    [
        ((), (1,), "1", (1, 0, 0)),
        ((), (3, 1, 2), "123", (3, 0, 0)),
        ((), (1, 1, 2), "12", (2, 0, 0)),
        ((), (2,), "12", (2, 0, 1)),
        ((), (4,), "1234", (4, 0, 3)),
        ((), (1, 4), "1234", (4, 0, 2)),
        ((1, 2), (1, 2), "12", (0, 2, 0)),
        ((1, 2), (1,), "12", (0, 1, 0)),
        ((1, 2), (2, 3), "123", (1, 1, 0)),
        ((1, 2), (5, 3), "12345", (3, 0, 1)),
        ((1, 2), (1, 5), "12345", (3, 1, 2)),
    ],
)
def test_events_are_folded_once_and_in_order_whatever_is_delivered(
    log: POPOApplicationRecorder,
    store: Noting,
    before: tuple[int, ...],
    batch: tuple[int, ...],
    row: str,
    counts: tuple[int, int, int],
) -> None:
    runner = Runner(log, store, [EACH])
    runner.apply(events(A, *before))
    report = runner.apply(events(A, *batch))
    assert told(store, EACH) == {A: row}
    assert (report.applied, report.skipped, report.refilled) == counts
    assert report.failed == {}


def test_where_the_newest_wins_only_the_newest_is_read(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    report = Runner(log, store, [NEWEST]).apply([*events(A, 3, 5, 4), *events(B, 2)])
    assert told(store, NEWEST) == {A: "5", B: "2"}
    assert [(seen.stream, seen.version) for seen in NEWEST.seen] == [(A, 5), (B, 2)]
    assert (report.applied, report.skipped, report.refilled) == (2, 2, 0)


def test_counts_are_over_all_views_and_streams(log: POPOApplicationRecorder, store: Noting) -> None:
    runner = Runner(log, store, [EACH, NEWEST])
    report = runner.apply([*events(A, 1, 2), *events(B, 2)])
    assert (report.applied, report.skipped, report.refilled) == (6, 1, 1)
    report = runner.apply([*events(A, 1, 2, 3), *events(B, 2)])
    assert (report.applied, report.skipped, report.refilled) == (3, 5, 0)


def test_what_changes_nothing_is_not_written(log: POPOApplicationRecorder, store: Noting) -> None:
    runner = Runner(log, store, [EACH])
    runner.apply(events(A, 1, 2))
    runner.apply([*events(A, 2), *events(B, 1)])
    assert store.saved == [(A, 2), (B, 1)]


def test_what_feeds_no_view_is_not_for_it(log: POPOApplicationRecorder, store: Noting) -> None:
    report = Runner(log, store, [EACH, NEWEST]).apply(events(C, 1))
    assert report == Applied()
    assert store.saved == []


def test_an_event_is_decoded_once_for_all_views(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    other = Stories("other")
    Runner(log, store, [EACH, other]).apply(events(A, 1, 2))
    assert [id(seen) for seen in EACH.seen] == [id(seen) for seen in other.seen]


def test_events_that_were_decoded_by_others_are_folded_as_they_are(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    recorded, _ = made(A, 1)
    Runner(log, store, [EACH]).apply([recorded])
    assert EACH.seen[0] is recorded
    assert told(store, EACH) == {A: "1"}


def test_a_generation_that_becomes_live_is_written_at_once(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    runner = Runner(log, store, [EACH])
    runner.apply(events(A, 1))
    second = EACH.at(2)
    store.prepare([second])
    assert store.register(EACH, Generations(), Generations(1, (1, 2), 2))
    report = runner.apply(events(A, 2))
    assert told(store, EACH) == told(store, second) == {A: "12"}
    assert (report.applied, report.refilled) == (3, 1)


def test_a_store_that_fails_fails_every_stream_of_the_view_and_no_other(
    log: POPOApplicationRecorder, tmp_path: Path
) -> None:
    store = Refusing(SQLiteViewStore(tmp_path / "views.db"), EACH)
    report = Runner(log, store, [EACH, NEWEST]).apply([*events(A, 1), *events(B, 1)])
    assert {stream: str(error) for stream, error in report.failed.items()} == {A: "full", B: "full"}
    assert (report.applied, report.skipped, report.refilled) == (2, 0, 0)
    assert told(store, NEWEST) == {A: "1", B: "1"}
    store.close()


@pytest.mark.parametrize("bad", [1, 2, 3])
@pytest.mark.parametrize("view", [EACH, NEWEST], ids=["each", "newest"])
def test_a_stream_that_can_not_be_folded_fails_alone_and_whole(
    log: POPOApplicationRecorder, store: Noting, view: Stories, bad: int
) -> None:
    last = 3 if view is NEWEST else bad
    view.bad.add((A, last))
    report = Runner(log, store, [view]).apply([*events(A, 1, 2, 3), *events(B, 1)])
    assert told(store, view) == {B: "1"}
    assert {stream: str(error) for stream, error in report.failed.items()} == {
        A: f"{A} version {last}: bad"
    }
    assert (report.applied, report.skipped) == (1, 0)


def test_a_stream_whose_name_has_no_row_fails_alone(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    report = Runner(log, store, [EACH]).apply([*events(NAMELESS, 3, 2), *events(B, 1)])
    assert told(store, EACH) == {B: "1"}
    assert {stream: str(error) for stream, error in report.failed.items()} == {
        NAMELESS: f"{NAMELESS} version 2: there is no row of that name"
    }
    assert (report.applied, report.skipped, report.refilled) == (1, 0, 0)


def test_a_gap_that_can_not_be_filled_is_named(log: POPOApplicationRecorder, store: Noting) -> None:
    report = Runner(log, store, [EACH]).apply([*events(B, 5), *events(A, 1)])
    assert told(store, EACH) == {A: "1"}
    error = report.failed[B]
    assert isinstance(error, EventsMissing)
    assert (error.stream, error.version) == (B, 4)
    assert str(error) == f"{B} version 4 is missing from the event store"
    assert (report.applied, report.skipped, report.refilled) == (1, 0, 0)


def test_of_several_failures_the_first_is_raised_and_the_others_are_noted() -> None:
    Applied().check()
    first, second, third = (ValueError(name) for name in ("first", "second", "third"))
    report = Applied(failed={A: first, B: second, C: third})
    with pytest.raises(ValueError, match="first") as caught:
        report.check()
    assert caught.value is first
    assert caught.value.__notes__ == [
        "another stream failed as well: ValueError('second')",
        "another stream failed as well: ValueError('third')",
    ]


def test_the_log_is_caught_up_with_page_by_page(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    runner = Runner(log, store, [EACH, NEWEST])
    pages = []
    while page := runner.catch_up(3):
        pages.append([(event.originator_id, event.originator_version) for event in page])
        checkpoint = store.checkpoint(EACH)
        assert checkpoint == store.checkpoint(NEWEST) == Checkpoint(sum(map(len, pages)))
        assert checkpoint.at == f"2026-01-01T00:00:00.{page[-1].originator_version:06}Z"
    assert pages == [[(A, 1), (A, 2), (A, 3)], [(A, 4), (A, 5), (B, 1)], [(B, 2), (B, 3)]]
    assert told(store, EACH) == {A: "12345", B: "123"}
    assert told(store, NEWEST) == {A: "5", B: "3"}


def test_views_go_on_from_where_each_is_and_the_newest_page_is_answered(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    Runner(log, store, [EACH]).catch_up(4)
    EACH.seen.clear()
    page = Runner(log, store, [EACH, NEWEST]).catch_up(2)
    assert [(event.originator_id, event.originator_version) for event in page] == [(A, 5), (B, 1)]
    assert [store.checkpoint(view).position for view in (EACH, NEWEST)] == [6, 2]
    assert [(seen.stream, seen.version) for seen in EACH.seen] == [(A, 5), (B, 1)]
    assert told(store, NEWEST) == {A: "2"}


def test_views_at_many_places_read_on_from_the_oldest_to_the_newest(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    views = [Stories(f"v{n}") for n in range(1, 8)]
    for n, view in enumerate(views, 1):
        Runner(log, store, [view]).catch_up(n)
    page = Runner(log, store, views[::-1]).catch_up(1)
    assert [(event.originator_id, event.originator_version) for event in page] == [(B, 3)]
    assert [store.checkpoint(view).position for view in views] == [*range(2, 9)]


def test_a_view_that_is_at_the_end_does_not_stop_one_that_is_not(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    Runner(log, store, [EACH]).catch_up()
    assert len(Runner(log, store, [NEWEST, EACH]).catch_up()) == 8
    assert told(store, NEWEST) == {A: "5", B: "3"}


def test_a_view_that_fails_stops_where_it_is_and_is_told_of(
    log: POPOApplicationRecorder, store: Noting
) -> None:
    EACH.bad.add((A, 2))
    runner = Runner(log, store, [EACH, NEWEST])
    with pytest.raises(CorruptEvent, match=f"{A} version 2: bad"):
        runner.catch_up()
    assert [store.checkpoint(view).position for view in (EACH, NEWEST)] == [0, 8]
    assert told(store, EACH) == {B: "123"}
    EACH.bad.clear()
    assert len(runner.catch_up()) == 8
    assert told(store, EACH) == {A: "12345", B: "123"}
