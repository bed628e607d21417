"""Removing what was recorded fails verification, but for what no log can show alone."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import decode
from tests.support.tampering import HERE, key_of, log, rows, verified


def commits() -> list[list[int]]:
    """Rows of the log, commit by commit."""
    numbered = [(decode(stored).command, row) for row, stored in enumerate(log())]
    return [[row for _, row in part] for _, part in groupby(numbered, key=lambda item: item[0])]


some_rows = st.sets(rows, min_size=1)
some_commits = st.deferred(
    lambda: st.sets(st.sampled_from(range(len(commits()))), min_size=1, max_size=4)
)
last_commits = st.deferred(lambda: st.integers(1, len(commits())))
deletions = st.one_of(
    some_rows,
    some_commits.map(lambda chosen: {row for n in chosen for row in commits()[n]}),
    last_commits.map(lambda last: {row for commit in commits()[-last:] for row in commit}),
)


@given(deletions)
def test_deletions_are_found_unless_they_are_whole_commits_that_nothing_followed_in_any_stream(
    gone: set[int],
) -> None:
    """So the log alone can't show that its newest commits are gone: the views' audit can."""
    whole = all(set(commit) <= gone or not set(commit) & gone for commit in commits())
    newest = all(
        later in gone
        for row in gone
        for later in range(row, len(log()))
        if key_of(log()[later])[0] == key_of(log()[row])[0]
    )
    delete = f"DELETE FROM stored_events WHERE {HERE}"
    report = verified(*((delete, key_of(log()[row])) for row in sorted(gone)))
    assert report.ok == (whole and newest)


def test_the_newest_receipt_can_be_deleted_without_the_log_showing_it() -> None:
    delete = f"DELETE FROM stored_events WHERE {HERE}"
    assert key_of(log()[-1]) == ("stock:C@west", 1)
    assert verified((delete, ("stock:C@west", 1))).ok
    assert not verified((delete, ("stock:B@east", 2))).ok
