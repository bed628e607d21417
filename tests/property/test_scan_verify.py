"""Verifying a scan while others write: never a false alarm, and damage is found all the same.

A scan is played here: it reads the streams in any order, each at a moment of its own, while
commits are stored between those moments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from tempfile import TemporaryDirectory

from eventsourcing.persistence import StoredEvent
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.codec import decode
from ledger.service.clock import later
from ledger.verify import Report, verify_scan
from tests.support.histories import Move, World, moves
from tests.support.tampering import key_of, log

Commit = tuple[StoredEvent, ...]


def commits_of(events: Iterable[StoredEvent]) -> list[Commit]:
    """Commits in the order they were stored."""
    return [tuple(group) for _, group in groupby(events, key=lambda e: decode(e).command)]


def played(history: Sequence[Move]) -> list[Commit]:
    with TemporaryDirectory() as folder:
        world = World(folder)
        world.play(history)
        commits = commits_of(world.log())
        world.recorder.close()
    return commits


def at_of(commit: Commit) -> str:
    return decode(commit[0]).at


@dataclass
class Scans:
    """Scans of a store that commits arrive in: `stored` of them are there, more come."""

    commits: list[Commit]
    draw: Callable[[st.SearchStrategy[int]], int]
    stored: int
    gone: set[tuple[str, int]] = field(default_factory=set)
    """Events that somebody deleted."""
    by_then: list[int] = field(default_factory=list)
    """How many commits are stored when a scan begins, whatever else."""

    def __call__(self) -> Iterator[StoredEvent]:
        if self.by_then:
            self.stored = max(self.stored, self.by_then.pop(0))
        streams = {str(event.originator_id) for commit in self.commits for event in commit}
        order = sorted(streams)
        while order:
            stream = order.pop(self.draw(st.integers(0, len(order) - 1)))
            self.stored += min(self.draw(st.integers(0, 2)), len(self.commits) - self.stored)
            yield from self._stream(stream)

    def _stream(self, stream: str) -> list[StoredEvent]:
        return [
            event
            for commit in self.commits[: self.stored]
            for event in commit
            if event.originator_id == stream and (stream, event.originator_version) not in self.gone
        ]


def verified(scans: Scans, cut: int) -> Report:
    """What is found with the cut at the time of one commit; the second scan sees all up to it."""
    scans.by_then = [scans.stored, cut + 1]
    return verify_scan(scans, until=max(map(at_of, scans.commits[: cut + 1])))


@given(moves, st.data())
def test_commits_that_arrive_meanwhile_are_no_finding(
    history: Sequence[Move], data: st.DataObject
) -> None:
    commits = played(history)
    cut = data.draw(st.integers(0, len(commits) - 1))
    # Commits up to the cut may still be on their way when the first scan begins.
    begun = data.draw(st.integers(max(0, cut - 3), len(commits)))
    scans = Scans(commits, data.draw, begun)
    report = verified(scans, cut)
    assert report.findings == []
    if begun > cut:
        assert report.withdrawn == [], "what is settled needs no second look"
    whole = sum(map(len, commits[: cut + 1]))
    assert report.later == max(0, report.events - whole) or report.withdrawn


@given(moves, st.data())
def test_a_lost_event_is_found_while_commits_arrive(
    history: Sequence[Move], data: st.DataObject
) -> None:
    commits = played(history)
    several = [n for n, commit in enumerate(commits) if len(commit) > 1]
    assume(several)
    damaged = data.draw(st.sampled_from(several))
    lost = data.draw(st.sampled_from(commits[damaged]))
    cut = data.draw(st.integers(damaged, len(commits) - 1))
    scans = Scans(commits, data.draw, cut + 1)
    scans.gone.add(key_of(lost))
    assert verified(scans, cut).findings


@given(st.data())
def test_a_torn_commit_is_named(data: st.DataObject) -> None:
    commits = commits_of(log())
    damaged = data.draw(st.sampled_from([n for n, c in enumerate(commits) if len(c) > 1]))
    lost = data.draw(st.sampled_from(commits[damaged]))
    scans = Scans(commits, data.draw, len(commits))
    scans.gone.add(key_of(lost))
    size, command = len(commits[damaged]), decode(lost).command
    torn = f"commit {command}: {size - 1} events of {size} are there: it is torn"
    assert torn in verified(scans, len(commits) - 1).findings


def test_a_torn_commit_behind_the_cut_is_not_judged_yet() -> None:
    commits = commits_of(log())
    newest = max((n for n, c in enumerate(commits) if len(c) > 1), key=lambda n: at_of(commits[n]))
    scans = Scans(commits, lambda _: 0, len(commits))
    ends = {str(event.originator_id): event.originator_version for event in log()}
    # Nothing follows it: only its commit tells.
    scans.gone.add(next(key for key in map(key_of, commits[newest]) if ends[key[0]] == key[1]))
    at = at_of(commits[newest])
    assert verify_scan(scans, until=later(at, -1)).findings == []
    assert verify_scan(scans, until=at).findings
