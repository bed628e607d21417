"""What every event store owes the ledger, beyond the library's published cases."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.errors import CommandRecorded, VersionConflict
from ledger.store.base import CommandRecord, LedgerRecorder
from tests.support.event_stores import ATOMIC, Store, all_events


def event(stream: str, version: int, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(stream, version, "Something", state)


def versions(events: Sequence[StoredEvent]) -> list[int]:
    return [stored.originator_version for stored in events]


def record(key: str, *, expires_at: int | None = None) -> CommandRecord:
    return CommandRecord(key, "f" * 64, (("stock:A@main", 1), ("order:1", 1)), expires_at)


def test_bytes_and_string_ids_come_back_as_they_went_in(recorder: LedgerRecorder) -> None:
    state = bytes(range(256))
    recorder.insert_events([event("stock:Ä-1@main", 1, state)])
    assert recorder.select_events("stock:Ä-1@main") == [event("stock:Ä-1@main", 1, state)]


def test_a_commit_of_many_streams_is_all_or_nothing(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("b", 1)])
    with pytest.raises(VersionConflict):
        recorder.insert_events([event("a", 1), event("b", 1), event("c", 1)], command=record("key"))
    assert recorder.select_events("a") == recorder.select_events("c") == []
    assert recorder.find_command("key") is None


@pytest.mark.parametrize("wanted", [2, 3])
def test_a_conflict_names_the_stream_with_an_event_as_new_as_the_one_wanted(
    recorder: LedgerRecorder, wanted: int
) -> None:
    """It need not be the newest; what was not stored is no news."""
    stored = [event("a", version, b"%d" % version) for version in (1, 2, 3)]
    recorder.insert_events(stored)
    mine, other = event("a", wanted, b"mine"), event("b", 1)
    for commit in ([mine, other], [other, mine], [mine, event("a", wanted + 1), other]):
        with pytest.raises(VersionConflict) as caught:
            recorder.insert_events(commit)
        assert list(caught.value.newest) == ["a"]
        told = caught.value.newest["a"]
        assert told in stored
        assert told.originator_version >= wanted


def test_a_conflict_names_every_stream_whose_version_was_taken(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1), event("b", 1), event("c", 1)])
    with pytest.raises(VersionConflict) as caught:
        recorder.insert_events([event("a", 1), event("b", 2), event("c", 1), event("d", 1)])
    assert {"a", "c"} <= caught.value.newest.keys() <= {"a", "b", "c"}
    assert caught.value.newest["a"] == event("a", 1)


def test_versions_twice_in_one_commit_are_a_conflict(recorder: LedgerRecorder) -> None:
    with pytest.raises(VersionConflict):
        recorder.insert_events([event("a", 1), event("b", 1), event("a", 1, b"other")])
    assert all_events(recorder) == []


def test_newest_events_of_many_streams(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1), event("a", 2), event("b", 1)])
    newest = recorder.select_newest(["a", "b", "never"])
    assert {stream: stored.originator_version for stream, stored in newest.items()} == {
        "a": 2,
        "b": 1,
    }


def test_selecting_by_version_order_and_limit(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", version) for version in range(1, 31)])
    assert versions(recorder.select_events("a", gt=3, lte=6)) == [4, 5, 6]
    assert versions(recorder.select_events("a", desc=True, limit=1)) == [30]
    assert versions(recorder.select_events("a", gt=10, limit=2)) == [11, 12]
    assert versions(recorder.select_events("a", lte=10, desc=True, limit=2)) == [10, 9]


def test_a_stream_larger_than_any_page_is_read_whole(recorder: LedgerRecorder) -> None:
    state = b"x" * 100_000
    for version in range(1, 31):
        recorder.insert_events([event("a", version, state)])
    assert versions(recorder.select_events("a")) == list(range(1, 31))
    assert versions(recorder.select_events("a", desc=True, limit=3)) == [30, 29, 28]


def test_an_argument_it_does_not_know_is_refused(recorder: LedgerRecorder) -> None:
    with pytest.raises(TypeError, match="idempotency_key"):
        recorder.insert_events([event("a", 1)], idempotency_key="k")
    assert recorder.select_events("a") == []


def test_a_command_is_recorded_with_its_events(recorder: LedgerRecorder) -> None:
    mine = record("key", expires_at=int(time.time()) + 60)
    recorder.insert_events([event("a", 1)], command=mine)
    assert recorder.find_command("key") == mine
    assert recorder.find_command("other") is None


def test_a_recorded_command_outranks_a_conflict(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1)], command=record("key"))
    with pytest.raises(CommandRecorded) as caught:
        recorder.insert_events([event("a", 1), event("b", 1)], command=record("key"))
    assert caught.value.record == record("key")
    assert recorder.select_events("b") == []


def test_an_expired_record_counts_as_gone_before_it_is_deleted(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1)], command=record("key", expires_at=1))
    assert recorder.find_command("key") is None
    anew = record("key", expires_at=int(time.time()) + 60)
    recorder.insert_events([event("a", 2)], command=anew)
    assert recorder.find_command("key") == anew


def test_purging_deletes_only_expired_records(recorder: LedgerRecorder) -> None:
    kept = [record("ever"), record("live", expires_at=int(time.time()) + 60)]
    for version, command in enumerate([*kept, record("dead", expires_at=1)], 1):
        recorder.insert_events([event("a", version)], command=command)
    recorder.purge_commands()
    assert [recorder.find_command(key) for key in ("ever", "live", "dead")] == [*kept, None]


@pytest.mark.parametrize("store", ATOMIC, indirect=True)
@pytest.mark.parametrize("writers", [2, 8])
def test_of_writers_racing_for_one_version_exactly_one_wins(store: Store, writers: int) -> None:
    """Each writer also writes a stream and a record of its own: a loser leaves nothing of them."""
    rounds = 15
    recorders = [store.open() for _ in range(writers)]
    barrier = threading.Barrier(writers, timeout=60)

    def write(writer: int, version: int) -> bool:
        """Whether it won; a conflict that names nobody says nothing of who did."""
        name = f"{writer}-{version}"
        commit = [event(f"own-{name}", 1), event("hot", version, name.encode())]
        while True:
            try:
                recorders[writer].insert_events(commit, command=record(name))
            except VersionConflict as conflict:
                if conflict.newest:
                    return False
            else:
                return True

    def race(writer: int) -> list[int]:
        won = []
        for version in range(1, rounds + 1):
            barrier.wait()
            if write(writer, version):
                won.append(version)
        return won

    with ThreadPoolExecutor(writers) as pool:
        wins = list(pool.map(race, range(writers)))
    winners = {version: writer for writer, won in enumerate(wins) for version in won}
    assert sorted(version for won in wins for version in won) == list(range(1, rounds + 1))
    names = {f"{winners[version]}-{version}" for version in winners}
    assert {e.originator_id for e in all_events(recorders[0])} == {"hot"} | {
        f"own-{n}" for n in names
    }
    hot = recorders[0].select_events("hot")
    assert {f"{winners[e.originator_version]}-{e.originator_version}" for e in hot} == names
    assert {e.state.decode() for e in hot} == names
    for writer in range(writers):
        for version in range(1, rounds + 1):
            name = f"{writer}-{version}"
            assert (recorders[0].find_command(name) is not None) is (name in names)
