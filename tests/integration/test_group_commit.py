"""Group commit: one sync for many writers, each alone in its failure, all alone in the group's."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor

from ledger.errors import Contention, UnknownOutcome, VersionConflict
from ledger.store.base import Line, Queued
from ledger.store.sqlite import SQLiteLedgerRecorder, open_recorder
from ledger.store.sqlite_connections import Datastore

WRITERS = 8


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[SQLiteLedgerRecorder]:
    recorder = open_recorder(tmp_path / "ledger.db")
    yield recorder
    recorder.close()


def event(stream: str, version: int = 1) -> StoredEvent:
    return StoredEvent(stream, version, "Something", b"{}")


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many transactions were committed so far, one entry each."""
    counted: list[int] = []
    commit = SQLiteConnection.commit

    def counting(self: SQLiteConnection) -> None:
        commit(self)
        counted.append(1)

    monkeypatch.setattr(SQLiteConnection, "commit", counting)
    return counted


def write_together(recorder: SQLiteLedgerRecorder, streams: list[str]) -> list[Future[Any]]:
    """Writers that all queue while the turn is taken, and then get it."""
    datastore = recorder.datastore
    assert isinstance(datastore, Datastore)
    with ThreadPoolExecutor(len(streams)) as pool, datastore.turn:
        futures = [pool.submit(recorder.insert_events, [event(s)]) for s in streams]
        while len(recorder._group._waiting) < len(streams):
            threading.Event().wait(0.001)
    return futures


def write_in_line(
    recorder: SQLiteLedgerRecorder, streams: list[str], after: tuple[Queued, ...] = ()
) -> tuple[list[Future[Any]], list[Queued]]:
    """Writers that queue one behind the other, each decided on all that are before it."""
    datastore = recorder.datastore
    assert isinstance(datastore, Datastore)
    futures: list[Future[Any]] = []
    queued = list(after)
    with ThreadPoolExecutor(len(streams)) as pool, datastore.turn:
        for stream in streams:
            line, before = Line(tuple(queued), queued.append), len(queued)
            futures.append(pool.submit(recorder.insert_events, [event(stream)], line=line))
            while len(queued) == before:
                threading.Event().wait(0.001)
    return futures, queued


def test_writers_that_wait_together_share_one_transaction(
    recorder: SQLiteLedgerRecorder, commits: list[int]
) -> None:
    futures = write_together(recorder, [f"s{n}" for n in range(WRITERS)])
    assert sorted(f.result()[0] for f in futures) == list(range(1, WRITERS + 1))
    assert len(commits) == 1


def test_one_that_fails_takes_nothing_with_it(
    recorder: SQLiteLedgerRecorder, commits: list[int]
) -> None:
    recorder.insert_events([event("taken")])
    commits.clear()
    futures = write_together(recorder, ["a", "taken", "b", "a"])
    failed = [f.exception() for f in futures if f.exception() is not None]
    assert len(failed) == 2, "the taken version, and the second of the two that want the same"
    assert all(isinstance(error, VersionConflict) for error in failed)
    assert len(recorder.select_events("a")) == len(recorder.select_events("b")) == 1
    assert len(commits) == 1


def test_a_commit_that_fails_fails_for_all_of_the_group(
    recorder: SQLiteLedgerRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for the one that lost against another of the group: what it lost to is not there."""

    def full(self: SQLiteConnection) -> None:
        self.rollback()
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(SQLiteConnection, "commit", full)
        futures = write_together(recorder, ["a", "b", "a"])
    assert [type(f.exception()) for f in futures] == [UnknownOutcome] * 3
    assert recorder.select_events("a") == recorder.select_events("b") == []
    recorder.insert_events([event("a")])


def test_a_full_disk_in_the_middle_fails_for_all_of_the_group(
    recorder: SQLiteLedgerRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = recorder._insert_rows

    def failing(c: SQLiteCursor, rows: Any) -> list[int]:
        if rows[0][0] == "b":
            raise sqlite3.OperationalError("database or disk is full")
        return insert(c, rows)

    monkeypatch.setattr(recorder, "_insert_rows", failing)
    futures = write_together(recorder, ["a", "b", "c"])
    assert all("full" in str(f.exception()) for f in futures)
    assert [recorder.select_events(s) for s in "abc"] == [[], [], []]


def test_what_sqlite_cannot_hold_fails_alone(
    recorder: SQLiteLedgerRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = recorder._insert_rows

    def overflowing(c: SQLiteCursor, rows: Any) -> list[int]:
        return insert(c, [(row[0], 2**63, *row[2:]) if row[0] == "b" else row for row in rows])

    monkeypatch.setattr(recorder, "_insert_rows", overflowing)
    futures = write_together(recorder, ["a", "b", "c"])
    assert isinstance(futures[1].exception(), OverflowError)
    assert [len(recorder.select_events(s)) for s in "abc"] == [1, 0, 1]


class Interrupted(BaseException):
    """What ends a thread from outside."""


def test_who_is_interrupted_while_writing_for_others_leaves_them_an_answer(
    recorder: SQLiteLedgerRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> list[int]:
        raise Interrupted

    with monkeypatch.context() as ending:
        ending.setattr(recorder, "_insert_rows", interrupted)
        futures = write_together(recorder, ["a", "b", "c"])
    ends = sorted(type(f.exception()).__name__ for f in futures)
    assert ends == ["Interrupted", "UnknownOutcome", "UnknownOutcome"]
    assert [recorder.select_events(s) for s in "abc"] == [[], [], []]
    recorder.insert_events([event("a")])


def test_a_file_locked_by_another_process_is_contention(
    recorder: SQLiteLedgerRecorder, tmp_path: Path
) -> None:
    @contextmanager
    def locked() -> Iterator[None]:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()

    with locked(), pytest.raises(Contention):
        recorder.insert_events([event("a")])
    recorder.insert_events([event("a")])


def test_what_was_decided_on_a_commit_stands_with_it(
    recorder: SQLiteLedgerRecorder, commits: list[int]
) -> None:
    futures, queued = write_in_line(recorder, ["a", "b", "c"])
    assert [f.result() for f in futures] == [[1], [2], [3]]
    assert len(commits) == 1
    assert not any(entry.failed for entry in queued)


def test_what_was_decided_on_a_commit_falls_with_it(recorder: SQLiteLedgerRecorder) -> None:
    """Also what was decided on that, and what comes when it has fallen long ago."""
    recorder.insert_events([event("taken")])
    futures, queued = write_in_line(recorder, ["a", "taken", "b", "c"])
    assert futures[0].result() == [2]
    assert [type(f.exception()) for f in futures[1:]] == [VersionConflict] * 3
    late, _ = write_in_line(recorder, ["d"], after=(queued[3],))
    assert isinstance(late[0].exception(), VersionConflict)
    assert [len(recorder.select_events(s)) for s in "abcd"] == [1, 0, 0, 0]


def test_whoever_waits_for_a_commit_finds_it_settled(recorder: SQLiteLedgerRecorder) -> None:
    datastore = recorder.datastore
    assert isinstance(datastore, Datastore)
    entries: list[Queued] = []
    with ThreadPoolExecutor(2) as pool:
        with datastore.turn:
            writer = pool.submit(
                recorder.insert_events, [event("a")], line=Line((), entries.append)
            )
            while not entries:
                threading.Event().wait(0.001)
            waiter = pool.submit(entries[0].wait)
            assert not waiter.done()
        waiter.result()
        assert len(recorder.select_events("a")) == 1
        writer.result()
