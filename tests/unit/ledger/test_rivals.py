"""How contended streams have been lately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger.service import rivals
from ledger.service.attempts import Retry
from ledger.service.rivals import LATELY, Rivals

START = datetime(2026, 3, 1, tzinfo=UTC)


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def seen(watch: Watch) -> Rivals:
    return Rivals(Retry(base=0.005, cap=0.25), watch)


def test_nobody_is_a_rival_at_first(seen: Rivals) -> None:
    seen.won(["a"])
    assert seen.among(["a", "b"]) == {}


def test_a_level_rises_with_conflicts_and_falls_with_commits(seen: Rivals) -> None:
    assert [seen.lost(["a"]) for _ in range(3)] == [0, 1, 2]
    seen.won(["a"])
    assert seen.among(["a", "b"]) == {"a": 1}
    for _ in range(3):
        seen.won(["a"])
    assert seen.among(["a"]) == {"a": 0}
    assert seen.lost(["a"]) == 1, "it is contended still, only not by much"


def test_a_crowd_is_four_more_that_were_lost_than_won(seen: Rivals) -> None:
    crowds = []
    for _ in range(4):
        seen.lost(["a"])
        crowds.append(seen.crowd("a"))
    seen.won(["a"])
    assert [*crowds, seen.crowd("a"), seen.crowd("b")] == [False, False, False, True, False, False]


def test_what_is_forgotten_was_never_contended(seen: Rivals) -> None:
    seen.forget(["a"])
    for stream in "aab":
        seen.lost([stream])
    seen.forget(["a", "c"])
    assert seen.among("abc") == {"b": 0}


def test_the_most_contended_of_several_counts(seen: Rivals) -> None:
    seen.lost(["a"])
    seen.lost(["a"])
    assert seen.lost(["a", "b"]) == 2
    assert seen.among(["a", "b"]) == {"a": 2, "b": 0}


def test_no_level_is_higher_than_the_longest_pause(seen: Rivals) -> None:
    """Or it would take as many commits again to come down."""
    assert max(seen.lost(["a"]) for _ in range(100)) == 6
    assert 0.005 * 2**5 < 0.25 < 0.005 * 2**6


def test_what_was_long_ago_is_forgotten(seen: Rivals, watch: Watch) -> None:
    seen.lost(["a"])
    seen.lost(["a"])
    watch.now += LATELY
    assert seen.among(["a"]) == {}
    assert seen.lost(["a"]) == 0


def test_a_commit_does_not_prolong_it(seen: Rivals, watch: Watch) -> None:
    seen.lost(["a"])
    watch.now += LATELY - timedelta(microseconds=1)
    seen.won(["a"])
    assert seen.among(["a"]) == {"a": 0}
    watch.now += timedelta(microseconds=1)
    assert seen.among(["a"]) == {}


def test_a_clock_that_is_set_back_does_not_prolong_it(seen: Rivals, watch: Watch) -> None:
    seen.lost(["a"])
    watch.now -= timedelta(seconds=1)
    assert seen.among(["a"]) == {}


def test_only_so_many_are_remembered(seen: Rivals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "MOST", 2)
    for stream in "abac":
        seen.lost([stream])
    assert seen.among(["a", "b", "c"]) == {"a": 1, "c": 0}
