"""A batch is seen by whoever reads streams and command records, and stands as a whole or not."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import BatchLost, CommandRecorded, VersionConflict
from ledger.store.base import CommandRecord
from ledger.store.sqlite import SQLiteLedgerRecorder, open_recorder
from ledger.store.sqlite_batches import open_bulk_recorder

STREAMS = ("a", "b", "c")
STEP = st.sampled_from((0, 0, 0, 0, 0, 1, -1))
"""How far a version is from the one that comes next: mostly it is the next."""

COMMIT = st.tuples(
    st.dictionaries(st.sampled_from(STREAMS), STEP, min_size=1),
    st.none() | st.sampled_from(("k", "l", "m", "n")),
)
Model = dict[str, dict[int, StoredEvent]]
"""Events by stream and version."""


@given(st.lists(st.lists(COMMIT, max_size=5), max_size=4))
def test_batches_do_what_a_model_says(
    batches: list[list[tuple[dict[str, int], str | None]]],
) -> None:
    stood: Model = {stream: {} for stream in STREAMS}
    keys: dict[str, CommandRecord] = {}
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        recorder = open_bulk_recorder(Path(folder) / "ledger.db")
        for batch in batches:
            accepted: Model = {stream: {} for stream in STREAMS}
            records: dict[str, CommandRecord] = {}
            lost = False
            try:
                with recorder.batch():
                    for steps, key in batch:
                        number += 1
                        events = []
                        for stream, step in steps.items():
                            newest = max((*stood[stream], *accepted[stream]), default=0)
                            version = max(1, newest + 1 + step)
                            state = b"%d" % number
                            events.append(StoredEvent(stream, version, "Something", state))
                        pairs = tuple((e.originator_id, e.originator_version) for e in events)
                        record = None if key is None else CommandRecord(key, "f" * 64, pairs)  # type: ignore[arg-type]
                        told: type[Exception] | None = None
                        try:
                            recorder.insert_events(events, command=record)
                        except (CommandRecorded, VersionConflict) as error:
                            told = type(error)
                        if key is not None and key in {**keys, **records}:
                            assert told is CommandRecorded
                            continue
                        if any(
                            max(accepted[str(e.originator_id)], default=0) >= e.originator_version
                            for e in events
                        ):
                            assert told is VersionConflict
                            continue
                        assert told is None
                        for event in events:
                            stream, version = str(event.originator_id), event.originator_version
                            lost |= version in stood[stream]
                            accepted[stream][version] = event
                        if record is not None:
                            records[record.key] = record
                    if not lost:
                        check(recorder, {s: stood[s] | accepted[s] for s in STREAMS})
                        for key, record in (keys | records).items():
                            assert recorder.find_command(key) == record
            except BatchLost:
                assert lost
            else:
                assert not lost
                stood = {s: stood[s] | accepted[s] for s in STREAMS}
                keys |= records
            check(recorder, stood)
            assert all(recorder.find_command(key) == keys.get(key) for key in "klmn")
            assert recorder.max_notification_id() == (sum(map(len, stood.values())) or None)
        recorder.close()


def check(recorder: object, model: Model) -> None:
    assert isinstance(recorder, SQLiteLedgerRecorder)
    newest = {s: events[max(events)] for s, events in model.items() if events}
    assert recorder.select_newest(STREAMS) == newest
    for stream, events in model.items():
        every = [events[version] for version in sorted(events)]
        assert recorder.select_events(stream) == every
        assert recorder.select_events(stream, desc=True, limit=2) == every[::-1][:2]
        assert recorder.select_events(stream, gt=1, lte=3) == [
            event for event in every if 1 < event.originator_version <= 3
        ]
        assert (
            recorder.select_events(stream, gt=1, limit=1)
            == [event for event in every if event.originator_version > 1][:1]
        )


def stored(stream: str, version: int) -> StoredEvent:
    return StoredEvent(stream, version, "Something", b"x")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in which stream `a` has an event."""
    path = tmp_path / "ledger.db"
    with closing(open_recorder(path)) as recorder:
        recorder.insert_events([stored("a", 1)])
    return path


def test_what_a_commit_of_a_batch_rests_on_has_not_moved(file: Path) -> None:
    with closing(open_bulk_recorder(file)) as recorder:
        with recorder.batch():
            recorder.insert_events([stored("b", 1)], unmoved={"a": 1, "b": 0, "never": 0})
            recorder.insert_events([stored("c", 1)], unmoved={"b": 1})
            recorder.insert_events([stored("a", 2)])
            with pytest.raises(VersionConflict) as caught:
                recorder.insert_events([stored("d", 1)], unmoved={"a": 1})
            assert caught.value.newest == {"a": stored("a", 2)}
            recorder.insert_events((), unmoved={"a": 2})
        assert [len(recorder.select_events(s)) for s in "abcd"] == [2, 1, 1, 0]


@pytest.mark.parametrize("events", [[], [stored("b", 1)]])
def test_what_others_moved_meanwhile_loses_the_batch(file: Path, events: list[StoredEvent]) -> None:
    with (
        closing(open_recorder(file)) as other,
        closing(open_bulk_recorder(file)) as recorder,
    ):

        def rest_on_what_moves() -> None:
            with recorder.batch():
                recorder.insert_events(events, unmoved={"a": 1})
                other.insert_events([stored("a", 2)])

        with pytest.raises(BatchLost):
            rest_on_what_moves()
        assert recorder.select_events("b") == []
