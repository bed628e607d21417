"""Commits on the condition that other streams have not moved: how a refusal is proven."""

from __future__ import annotations

from threading import Event

import pytest

from ledger.errors import CommandRecorded, VersionConflict
from ledger.store.base import LedgerRecorder
from tests.contract.test_recorder import event, record
from tests.support.buyers import at_once
from tests.support.event_stores import ATOMIC, Store, all_events


def test_what_has_not_moved_lets_a_commit_pass(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1), event("a", 2)])
    recorder.insert_events([event("b", 1)], command=record("key"), unmoved={"a": 2, "never": 0})
    assert recorder.select_events("b") == [event("b", 1)]
    assert recorder.find_command("key") == record("key")


def test_what_moved_is_named_with_what_moved_it_and_nothing_is_written(
    recorder: LedgerRecorder,
) -> None:
    stored = [event("a", version, b"%d" % version) for version in (1, 2, 3)]
    recorder.insert_events(stored)
    with pytest.raises(VersionConflict) as caught:
        recorder.insert_events([event("b", 1)], command=record("key"), unmoved={"a": 1, "c": 0})
    assert list(caught.value.newest) == ["a"]
    assert caught.value.newest["a"] in stored[1:]
    assert recorder.select_events("b") == []
    assert recorder.find_command("key") is None


def test_a_stream_that_was_not_there_has_moved_when_it_is(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1)])
    with pytest.raises(VersionConflict):
        recorder.insert_events([event("b", 1)], unmoved={"a": 0})


def test_a_stream_that_gets_events_too_is_checked_once(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1)])
    recorder.insert_events([event("a", 2)], unmoved={"a": 1})
    with pytest.raises(VersionConflict):
        recorder.insert_events([event("a", 2), event("b", 1)], unmoved={"a": 1})


def test_without_events_it_proves_and_writes_nothing(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1), event("b", 1)])
    before = all_events(recorder)
    recorder.insert_events((), unmoved={"a": 1, "b": 1, "c": 0})
    recorder.insert_events((), unmoved={})
    with pytest.raises(VersionConflict):
        recorder.insert_events((), unmoved={"a": 1, "b": 0})
    assert all_events(recorder) == before


def test_a_recorded_command_outranks_what_moved(recorder: LedgerRecorder) -> None:
    recorder.insert_events([event("a", 1)], command=record("key"))
    with pytest.raises(CommandRecorded):
        recorder.insert_events([event("b", 1)], command=record("key"), unmoved={"a": 0})


@pytest.mark.parametrize("store", ATOMIC, indirect=True)
def test_what_was_read_at_two_moments_is_never_proven(store: Store) -> None:
    """Two streams move together; whoever saw one before and one after can't prove what it saw."""
    recorders, done = [store.open() for _ in range(4)], Event()

    def move() -> list[tuple[int, int]]:
        for version in range(1, 60):
            recorders[0].insert_events([event("a", version), event("b", version)])
        done.set()
        return []

    def prove(recorder: LedgerRecorder) -> list[tuple[int, int]]:
        proven = []
        while not done.is_set():
            found = [recorder.select_newest([stream]) for stream in ("a", "b")]
            a, b = (next((e.originator_version for e in n.values()), 0) for n in found)
            try:
                recorder.insert_events((), unmoved={"a": a, "b": b})
            except VersionConflict:
                continue
            proven.append((a, b))
        return proven

    deeds = [move, *(lambda mine=mine: prove(mine) for mine in recorders[1:])]
    proven = [pair for pairs in at_once(deeds) for pair in pairs]
    assert all(a == b for a, b in proven)
