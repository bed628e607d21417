"""Processes that write to one file get their turns in order, whatever happens to one of them."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import VersionConflict
from ledger.service import Context, Ledger, ReceiptLine, ReceiveStock
from ledger.store.sqlite import SQLiteLedgerRecorder, open_recorder
from ledger.store.sqlite_connections import Datastore
from ledger.store.sqlite_queue import ProcessQueue
from tests.support.auditing import Auditor

PATIENCE = 60.0


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "ledger.db"
    path.touch()
    return str(path)


def waiting() -> int:
    """How many threads stand in line."""
    return sum(thread.name == "process queue" for thread in threading.enumerate())


def until_somebody_waits(file: str) -> None:
    """Until the first in line is there: it keeps `-queue` until it has its turn."""
    with Path(f"{file}-queue").open("rb") as queue:
        while True:
            try:
                fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(queue, fcntl.LOCK_UN)
            threading.Event().wait(0.001)


@given(turns=st.lists(st.integers(1, 8), min_size=2, max_size=5), outrun=st.sets(st.integers(0, 4)))
@settings(max_examples=25, deadline=None)
def test_one_at_a_time_and_everybody_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, turns: list[int], outrun: set[int]
) -> None:
    """Whoever of them is always outrun, and whether or not it comes back for that."""
    file = tmp_path_factory.mktemp("queue") / "ledger.db"
    file.touch()
    inside = threading.Lock()

    def write(writer: int) -> int:
        queue = ProcessQueue(str(file))
        for _ in range(turns[writer]):
            assert queue.enter(PATIENCE)
            assert inside.acquire(blocking=False), "somebody else is writing"
            queue.settled(outrun=int(writer in outrun), among=1)
            inside.release()
            queue.leave()
        return turns[writer]

    with ThreadPoolExecutor(len(turns)) as pool:
        assert list(pool.map(write, range(len(turns)))) == turns


def test_nobody_has_two_turns_while_another_waits(file: str) -> None:
    """However fast it comes again: it would, if it took the lock as soon as it is free."""
    order: list[str] = []
    over = threading.Event()

    def wait_again_and_again() -> None:
        queue = ProcessQueue(file)
        while not over.is_set():
            assert queue.enter(PATIENCE)
            order.append("waiting")
            queue.leave()

    busy = ProcessQueue(file)
    assert busy.enter(PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(wait_again_and_again)
        for _ in range(100):
            order.append("busy")
            until_somebody_waits(file)
            busy.leave()
            assert busy.enter(PATIENCE)
        over.set()
        busy.leave()
        done.result()
    assert [pair for pair in pairwise(order) if pair == ("busy", "busy")] == []


def test_whoever_was_outrun_comes_back_before_those_who_wait(file: str) -> None:
    one, other = ProcessQueue(file), ProcessQueue(file)
    order: list[str] = []

    def wait() -> None:
        assert other.enter(PATIENCE)
        order.append("other")
        other.leave()

    assert one.enter(PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(wait)
        until_somebody_waits(file)
        one.settled(outrun=1, among=1)
        one.leave()
        assert one.enter(PATIENCE)
        order.append("one again")
        one.settled(outrun=0, among=1)
        one.leave()
        waits.result()
    assert order == ["one again", "other"]


def test_whoever_was_outrun_and_does_not_come_back_is_not_waited_for(file: str) -> None:
    one, other = ProcessQueue(file), ProcessQueue(file)
    assert one.enter(PATIENCE)
    one.settled(outrun=1, among=1)
    one.leave()
    assert other.enter(PATIENCE)
    other.leave()
    assert one.enter(PATIENCE)
    one.leave()


def test_a_queue_that_does_not_move_is_waited_for_once(file: str) -> None:
    """A process that is stopped in its turn holds up nobody for long; SQLite's lock decides."""
    stopped, other = ProcessQueue(file), ProcessQueue(file)
    assert stopped.enter(PATIENCE)
    assert not other.enter(0.01)
    for _ in range(3):
        assert not other.enter(PATIENCE)
        assert waiting() == 1
    stopped.leave()
    while waiting():
        threading.Event().wait(0.001)
    assert other.enter(PATIENCE)
    other.leave()


def test_a_process_that_can_start_no_thread_goes_without(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit stands by then: nothing may be raised."""
    one, other = ProcessQueue(file), ProcessQueue(file)
    assert one.enter(PATIENCE)
    one.settled(outrun=1, among=1)
    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", lambda _: raise_no_thread())
        assert not other.enter(PATIENCE)
        one.leave()
    assert other.enter(PATIENCE)
    other.leave()


def raise_no_thread() -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("place", [":memory:", "nowhere/ledger.db"])
def test_where_nobody_can_stand_in_line_nobody_does(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not ProcessQueue(place).enter(PATIENCE)
    assert list(tmp_path.iterdir()) == []


HOLDER = """
import sys, time
from ledger.store.sqlite_queue import ProcessQueue
queue = ProcessQueue(sys.argv[1])
assert queue.enter(60)
print("in", flush=True)
time.sleep(600)
"""


def test_a_process_that_is_killed_in_its_turn_gives_it_back(file: str) -> None:
    command = [sys.executable, "-c", HOLDER, file]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in\n"
        queue = ProcessQueue(file)
        turn = pool.submit(queue.enter, PATIENCE)
        until_somebody_waits(file)
        assert not turn.done()
        holder.kill()
        assert turn.result()
        queue.leave()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[SQLiteLedgerRecorder]:
    recorder = open_recorder(tmp_path / "ledger.db")
    yield recorder
    recorder.close()


def event(stream: str, version: int = 1) -> StoredEvent:
    return StoredEvent(stream, version, "Something", b"{}")


def test_those_who_come_while_their_process_waits_share_its_transaction(
    recorder: SQLiteLedgerRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    commit = SQLiteConnection.commit

    def counting(self: SQLiteConnection) -> None:
        commits.append(1)
        commit(self)

    monkeypatch.setattr(SQLiteConnection, "commit", counting)
    other = ProcessQueue(str((tmp_path / "ledger.db").resolve()))
    assert other.enter(PATIENCE)
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(recorder.insert_events, [event(s)]) for s in "abcd"]
        while len(recorder._group._waiting) < 4:
            threading.Event().wait(0.001)
        other.leave()
        numbers = [writer.result() for writer in writers]
    assert all(numbers)
    assert len(commits) == 1


def test_readers_do_not_stand_in_line(recorder: SQLiteLedgerRecorder, tmp_path: Path) -> None:
    recorder.insert_events([event("a")])
    other = ProcessQueue(str((tmp_path / "ledger.db").resolve()))
    assert other.enter(PATIENCE)
    assert len(recorder.select_notifications(None, 10)) == 1
    assert len(recorder.select_events("a")) == 1
    other.leave()


def test_what_fails_in_its_turn_leaves_it(
    recorder: SQLiteLedgerRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datastore = recorder.datastore
    assert isinstance(datastore, Datastore)
    recorder.insert_events([event("a")])
    with pytest.raises(VersionConflict):
        recorder.insert_events([event("a")])
    with pytest.raises(ZeroDivisionError), datastore.transaction(commit=True):
        raise ZeroDivisionError

    def broken(self: SQLiteConnection) -> None:
        self.rollback()
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(SQLiteConnection, "commit", broken)
        with pytest.raises(Exception, match="disk"):
            recorder.insert_events([event("b")])
    other = ProcessQueue(str((tmp_path / "ledger.db").resolve()))
    assert other.enter(PATIENCE)
    other.leave()


def test_processes_on_one_position_sell_about_as_much_each(tmp_path: Path) -> None:
    """By count: the race ends with the stock. Without a queue one of them has nearly nothing."""
    stock, processes = 400, 4
    ledger = Ledger(open_recorder(tmp_path / "ledger.db"))
    ledger.handle(ReceiveStock((ReceiptLine("HOT", "main", stock),)), Context())
    command = [sys.executable, "-m", "tests.support.racers", str(tmp_path / "ledger.db"), "HOT"]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for racer in running:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in running:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    sold = sorted(int(racer.communicate()[0]) for racer in running)
    assert sum(sold) == stock
    assert sold[0] >= stock / processes / 4, sold
    Auditor(ledger.recorder).catch_up()
    ledger.close()
