"""Past events of a time, a stream, a type."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import Recorded, decode
from ledger.replay import Placed, Selection, of_log, of_scan, of_stream
from ledger.service.clock import later
from ledger.service.history import History
from ledger.store.sqlite import open_recorder
from tests.support.tampering import log, sound

EVENTS = [decode(stored) for stored in log()]
TIMES = sorted({recorded.at for recorded in EVENTS})
instants = st.none() | st.sampled_from(
    [*TIMES, later(TIMES[0], -1), later(TIMES[-1]), "0001-01-01T00:00:00.000000Z"]
)
types = st.none() | st.sampled_from(sorted({recorded.type for recorded in EVENTS}))
streams = st.sampled_from(sorted({recorded.stream for recorded in EVENTS}))


def wanted(
    since: str | None, until: str | None, stream: str | None, type_: str | None
) -> list[tuple[str, int]]:
    """The events a selection means, in log order."""
    return [
        (recorded.stream, recorded.version)
        for recorded in EVENTS
        if (since or "") <= recorded.at < (until or "9999")
        and stream in (None, recorded.stream)
        and type_ in (None, recorded.type)
    ]


def keys(found: list[Placed]) -> list[tuple[str, int]]:
    return [(recorded.stream, recorded.version) for _, recorded in found]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "ledger.db"
    path.write_bytes(sound())
    return path


@given(since=instants, until=instants, type_=types)
def test_the_log_is_replayed_in_its_order(
    path: Path, since: str | None, until: str | None, type_: str | None
) -> None:
    recorder = open_recorder(path)
    found = list(of_log(recorder, Selection(since, until, None, type_)))
    recorder.close()
    assert keys(found) == wanted(since, until, None, type_)
    positions = [position for position, _ in found]
    told = dict(enumerate(EVENTS, 1))
    assert [told[position or 0] for position in positions] == [r for _, r in found]


@given(since=instants, until=instants, stream=streams, type_=types)
def test_a_stream_is_replayed_by_version(
    path: Path, since: str | None, until: str | None, stream: str, type_: str | None
) -> None:
    recorder = open_recorder(path)
    found = list(of_stream(History(recorder), Selection(since, until, stream, type_)))
    recorder.close()
    assert keys(found) == wanted(since, until, stream, type_)
    assert [position for position, _ in found] == [recorded.version for _, recorded in found]


@given(since=instants, until=instants, type_=types, order=st.permutations(log()))
def test_a_scan_is_replayed_as_it_comes(
    since: str | None, until: str | None, type_: str | None, order: list[StoredEvent]
) -> None:
    found = list(of_scan(order, Selection(since, until, None, type_)))
    assert sorted(keys(found)) == sorted(wanted(since, until, None, type_))
    assert {position for position, _ in found} <= {None}


@given(st.sampled_from(TIMES))
def test_spans_that_meet_share_nothing_and_leave_nothing_out(cut: str) -> None:
    before, behind = Selection(until=cut), Selection(since=cut)
    recorded: Recorded
    for recorded in EVENTS:
        assert before.takes(recorded) is not behind.takes(recorded)


def test_a_log_without_events_replays_nothing(tmp_path: Path) -> None:
    recorder = open_recorder(tmp_path / "empty.db")
    assert list(of_log(recorder, Selection())) == []
    recorder.close()
