"""What every store of marks must do, whoever else is writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from moto import mock_aws

from ledger.store.dynamodb_client import make_client
from ledger.store.tables import create_table_request
from projections.notifications.dynamodb_marks import TABLE, DynamoDBMarks
from projections.notifications.marks import Advance, ClaimLost, Marks
from projections.notifications.marks_file import MarksFile
from projections.notifications.sqlite_marks import SQLiteMarks
from tests.support.engines import Engines
from tests.support.event_stores import ATOMIC, EVERYWHERE

S, T = "stock:S0@main", "order:O1"
LEASE = 60.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


Open = Callable[[str], Marks]


@contextmanager
def opened(kind: str, folder: Path, engines: Engines, clock: Clock) -> Iterator[Open]:
    """Opens the marks of a channel; those of one name share nothing but the data."""
    with ExitStack() as stack:
        if kind == "sqlite":

            def open_sqlite(channel: str) -> Marks:
                file = MarksFile(folder / "ledger.db")
                stack.callback(file.close)
                return SQLiteMarks(file, channel, lease=LEASE, clock=clock)

            yield open_sqlite
            return
        if kind == "moto":
            stack.enter_context(mock_aws())
        prefix = f"test-{uuid4().hex}"
        client = make_client(None if kind == "moto" else engines.endpoint(kind), read_timeout=60)  # type: ignore[arg-type]
        stack.callback(client.close)
        client.create_table(**create_table_request(prefix, TABLE))
        yield lambda channel: DynamoDBMarks(client, prefix, channel, lease=LEASE, clock=clock)
        client.delete_table(TableName=f"{prefix}-{TABLE}")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=EVERYWHERE)
def opener(
    request: pytest.FixtureRequest, tmp_path: Path, engines: Engines, clock: Clock
) -> Iterator[Open]:
    with opened(request.param, tmp_path, engines, clock) as opener:
        yield opener


@pytest.fixture
def marks(opener: Open) -> Marks:
    return opener("log")


def test_a_stream_nothing_was_told_of_is_marked_0(marks: Marks) -> None:
    assert marks.versions([S, T]) == {S: 0, T: 0}
    assert marks.versions([]) == {}


def test_a_mark_advances_only_from_where_it_was_seen(marks: Marks) -> None:
    assert marks.advance([]) == set()
    assert marks.advance([Advance(S, 0, 3), Advance(T, 1, 4)]) == {T}
    assert marks.versions([S, T]) == {S: 3, T: 0}
    assert marks.advance([Advance(S, 0, 9)]) == {S}
    assert marks.advance([Advance(S, 2, 9)]) == {S}
    assert marks.advance([Advance(S, 3, 5), Advance(T, 0, 1)]) == set()
    assert marks.versions([S, T]) == {S: 5, T: 1}


def test_a_claim_tells_the_mark_and_keeps_everybody_else_away(marks: Marks) -> None:
    marks.advance([Advance(S, 0, 3)])
    claim = marks.claim(S)
    assert claim is not None
    assert claim.version == 3

    assert marks.claim(S) is None
    assert marks.advance([Advance(S, 3, 4)]) == {S}
    other = marks.claim(T)
    assert other is not None
    assert other.version == 0
    assert marks.advance([Advance(T, 0, 4)]) == {T}


def test_the_holder_marks_and_renews_until_it_gives_the_claim_back(
    marks: Marks, clock: Clock
) -> None:
    claim = marks.claim(S)
    assert claim is not None
    clock.now += LEASE - 1
    marks.mark(claim, 2)
    clock.now += LEASE - 1
    assert marks.claim(S) is None, "marking renewed the lease"
    assert marks.versions([S]) == {S: 2}

    marks.mark(claim, 5, release=True)

    assert marks.versions([S]) == {S: 5}
    again = marks.claim(S)
    assert again is not None
    assert again.version == 5


def test_a_mark_never_moves_back(marks: Marks) -> None:
    claim = marks.claim(S)
    assert claim is not None
    marks.mark(claim, 5)
    for version in (5, 4):
        with pytest.raises(ClaimLost):
            marks.mark(claim, version)
    assert marks.versions([S]) == {S: 5}


def test_a_claim_that_is_given_back_leaves_the_mark(marks: Marks) -> None:
    claim = marks.claim(S)
    assert claim is not None
    marks.release(claim)
    marks.release(claim)
    assert marks.versions([S]) == {S: 0}
    assert marks.advance([Advance(S, 0, 1)]) == set(), "a claim without a mark left nothing behind"


def test_a_claim_runs_out(marks: Marks, clock: Clock) -> None:
    dead = marks.claim(S)
    assert dead is not None
    clock.now += LEASE
    heir = marks.claim(S)
    assert heir is not None

    with pytest.raises(ClaimLost):
        marks.mark(dead, 7)
    marks.release(dead)
    assert marks.claim(S) is None, "the dead one's release didn't free the heir's claim"
    marks.mark(heir, 1, release=True)
    assert marks.versions([S]) == {S: 1}


def test_a_mark_also_advances_over_a_claim_that_ran_out(marks: Marks, clock: Clock) -> None:
    dead = marks.claim(S)
    assert dead is not None
    clock.now += LEASE
    assert marks.advance([Advance(S, 0, 2)]) == set()
    with pytest.raises(ClaimLost):
        marks.mark(dead, 7)
    assert marks.versions([S]) == {S: 2}


def test_channels_know_nothing_of_each_other(opener: Open) -> None:
    log, hook = opener("log"), opener("webhook-1")
    assert log.claim(S) is not None
    log.advance([Advance(T, 0, 9)])

    assert hook.versions([S, T]) == {S: 0, T: 0}
    assert hook.claim(S) is not None


def test_what_one_process_marks_another_sees(opener: Open) -> None:
    one, other = opener("log"), opener("log")
    claim = one.claim(S)
    assert claim is not None
    assert other.claim(S) is None
    one.mark(claim, 3, release=True)
    assert other.versions([S]) == {S: 3}


@pytest.mark.parametrize("opener", ATOMIC, indirect=True)
def test_of_many_that_claim_at_once_one_gets_it(opener: Open) -> None:
    racers = [opener("log") for _ in range(6)]
    start = Barrier(len(racers))

    def race(marks: Marks) -> object:
        start.wait()
        return marks.claim(S)

    with ThreadPoolExecutor(len(racers)) as pool:
        for _ in range(5):
            won = [claim for claim in pool.map(race, racers) if claim is not None]
            assert len(won) == 1
            racers[0].release(won[0])  # type: ignore[arg-type]


@pytest.mark.parametrize("opener", ATOMIC, indirect=True)
def test_of_many_that_advance_at_once_one_does(opener: Open) -> None:
    racers = [opener("log") for _ in range(6)]
    start = Barrier(len(racers))

    def race(marks: Marks, seen: int) -> int:
        start.wait()
        return len(marks.advance([Advance(S, seen, seen + 1)]))

    with ThreadPoolExecutor(len(racers)) as pool:
        for seen in range(5):
            refused = list(pool.map(race, racers, [seen] * len(racers)))
            assert sum(refused) == len(racers) - 1
    assert racers[0].versions([S]) == {S: 5}
