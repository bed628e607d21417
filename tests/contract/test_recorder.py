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
from tests.contract.conftest import Store


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


def test_a_conflict_carries_the_newest_event_of_the_stream(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1, b"old"), event("a", 2, b"new")])
    with pytest.raises(VersionConflict) as caught:
        recorder.insert_events([event("a", 2, b"mine"), event("b", 1)])
    assert caught.value.newest == {"a": event("a", 2, b"new")}
    with pytest.raises(VersionConflict) as caught:
        recorder.insert_events([event("b", 1), event("a", 2, b"mine")])
    assert caught.value.newest == {"a": event("a", 2, b"new")}, "what was not stored is no news"


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


@pytest.mark.parametrize("writers", [2, 8])
def test_of_writers_racing_for_one_version_exactly_one_wins(store: Store, writers: int) -> None:
    """Each writer also writes a stream and a record of its own: a loser leaves nothing of them."""
    rounds = 15
    recorders = [store.open() for _ in range(writers)]
    barrier = threading.Barrier(writers)

    def race(writer: int) -> list[int]:
        won = []
        for version in range(1, rounds + 1):
            barrier.wait()
            name = f"{writer}-{version}"
            try:
                recorders[writer].insert_events(
                    [event(f"own-{name}", 1), event("hot", version, name.encode())],
                    command=record(name),
                )
            except VersionConflict:
                continue
            won.append(version)
        return won

    with ThreadPoolExecutor(writers) as pool:
        wins = list(pool.map(race, range(writers)))
    assert sorted(version for won in wins for version in won) == list(range(1, rounds + 1))
    for writer, won in enumerate(wins):
        for version in range(1, rounds + 1):
            name = f"{writer}-{version}"
            there = version in won
            assert bool(recorders[0].select_events(f"own-{name}")) is there
            assert (recorders[0].find_command(name) is not None) is there
    for stored in recorders[0].select_events("hot"):
        assert stored.state.startswith(
            f"{[v in w for w in wins for v in [stored.originator_version]].index(True)}-".encode()
        )
