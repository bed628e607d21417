"""What a commit, an item and a page can hold."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from eventsourcing.persistence import DataError, StoredEvent

from ledger.errors import CommitTooLarge
from ledger.store import dynamodb_items
from ledger.store.base import CommandRecord
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_items import (
    EXPRESSION_BYTES,
    MAX_ACTIONS,
    MAX_ITEM_BYTES,
    MAX_TRANSACTION_BYTES,
)
from tests.support.api_calls import ApiCalls
from tests.support.event_stores import EVERYWHERE, EventTables, all_events

COMMAND = CommandRecord("key", "f" * 64, (("a", 1),))
FRAME = len("stream" + "a" + "version" + "type" + "T" + "state") + 2
"""Bytes of an item of stream "a" besides its state; a version of one digit counts two."""

anywhere = pytest.mark.parametrize("tables", EVERYWHERE[:1] + EVERYWHERE[2:], indirect=True)


def event(version: int, size: int = 2, stream: str = "a") -> StoredEvent:
    return StoredEvent(stream, version, "T", b"x" * size)


def versions(events: Sequence[StoredEvent]) -> list[int]:
    return [stored.originator_version for stored in events]


@anywhere
@pytest.mark.parametrize(
    ("commit", "command"),
    [
        ([event(n) for n in range(1, MAX_ACTIONS + 2)], None),
        ([event(n) for n in range(1, MAX_ACTIONS + 1)], COMMAND),
        ([event(1), event(2, MAX_ITEM_BYTES)], None),
        ([event(1, MAX_ITEM_BYTES - FRAME + 1)], None),
        ([event(n, 399_000) for n in range(1, 12)], COMMAND),
        ([event(1)], CommandRecord("key", "f", (("a", 1),) * 60_000)),
    ],
    ids=["101-events", "100-events-and-a-record", "item", "item-by-a-byte", "4-MB", "record"],
)
def test_what_is_too_large_is_refused_before_anything_is_sent(
    recorder: DynamoDBLedgerRecorder, commit: list[StoredEvent], command: CommandRecord | None
) -> None:
    api = ApiCalls(recorder)
    with pytest.raises(CommitTooLarge):
        recorder.insert_events(commit, command=command)
    assert (api.calls, api.sent) == ([], 0)
    assert all_events(recorder) == []


@pytest.mark.parametrize(
    ("commit", "command"),
    [
        ([event(n) for n in range(1, MAX_ACTIONS)], COMMAND),
        ([event(1, MAX_ITEM_BYTES - FRAME)], None),
        ([event(n, MAX_TRANSACTION_BYTES // 14) for n in range(1, 11)], COMMAND),
    ],
    ids=["100-actions", "400-KB", "3-MB"],
)
def test_what_just_fits_is_stored(
    recorder: DynamoDBLedgerRecorder, commit: list[StoredEvent], command: CommandRecord | None
) -> None:
    api = ApiCalls(recorder)
    recorder.insert_events(commit, command=command)
    assert api.take() == ["TransactWriteItems"]
    assert recorder.select_events("a") == commit


@pytest.mark.parametrize("tables", ["dynamodb-local"], indirect=True)
def test_the_largest_commit_that_passes_the_check_is_stored(
    recorder: DynamoDBLedgerRecorder,
) -> None:
    """The engine counts conditions into its 4 MB; MiniStack would count the bytes on the wire."""
    sizes = [399_000] * 10
    sizes.append(MAX_TRANSACTION_BYTES - sum(sizes) - 11 * (FRAME + EXPRESSION_BYTES) - 2)
    commit = [event(version, size) for version, size in enumerate(sizes, 1)]
    larger = [*commit[:-1], event(11, sizes[-1] + 1)]
    with pytest.raises(CommitTooLarge):
        recorder.insert_events(larger)
    recorder.insert_events(commit)
    assert recorder.select_events("a") == commit


@pytest.mark.parametrize("tables", ["dynamodb-local"], indirect=True)
def test_the_engine_refuses_what_the_check_would_have_refused(
    recorder: DynamoDBLedgerRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check is not stricter than the service by more than the byte a number may take."""
    monkeypatch.setattr(dynamodb_items, "MAX_ITEM_BYTES", 2 * MAX_ITEM_BYTES)
    with pytest.raises(DataError) as caught:
        recorder.insert_events([event(1, MAX_ITEM_BYTES - FRAME + 2)])
    assert not isinstance(caught.value, CommitTooLarge)
    assert all_events(recorder) == []


@anywhere
def test_a_stream_over_1_mb_is_read_page_by_page_in_both_directions(
    recorder: DynamoDBLedgerRecorder,
) -> None:
    for version in range(1, 13):
        recorder.insert_events([event(version, 300_000)])
    api = ApiCalls(recorder)
    forward = list(range(1, 13))
    for desc, expected in ((False, forward), (True, forward[::-1])):
        assert versions(recorder.select_events("a", desc=desc)) == expected
        assert len(api.take()) >= 3, "a page holds 1 MB"
        assert versions(recorder.select_events("a", desc=desc, limit=7)) == expected[:7]
        assert len(api.take()) >= 2
    assert versions(recorder.select_events("a", gt=2, lte=9)) == list(range(3, 10))


@anywhere
def test_the_newest_event_of_a_long_stream_costs_one_item(recorder: DynamoDBLedgerRecorder) -> None:
    """100 KB read strongly are 25 units of 4 KB, and the item's own names one more."""
    for version in range(1, 31):
        recorder.insert_events([event(version, 100_000)])
    api = ApiCalls(recorder)
    assert recorder.select_newest(["a"])["a"].originator_version == 30
    assert [answer["ScannedCount"] for answer in api.answers] == [1]
    assert api.units() <= 26
    assert api.take() == ["Query"]
    assert versions(recorder.select_events("a", desc=True, limit=3)) == [30, 29, 28]
    assert sum(answer["ScannedCount"] for answer in api.answers) == 3
    assert api.take() == ["Query"]


@anywhere
@pytest.mark.parametrize(("gt", "lte"), [(3, 3), (5, 2), (30, None), (None, 0)])
def test_nothing_is_between(
    recorder: DynamoDBLedgerRecorder, gt: int | None, lte: int | None
) -> None:
    recorder.insert_events([event(version) for version in range(1, 31)])
    assert recorder.select_events("a", gt=gt, lte=lte) == []
    assert recorder.select_events("a", gt=gt, lte=lte, desc=True, limit=1) == []


def test_the_least_that_botocore_is_given_of_a_commit_would_be_refused(tables: EventTables) -> None:
    """It is never sent; if it were, it must not pass for a commit."""
    with pytest.raises(DataError), translated("sending", writing=True):
        tables.client.transact_write_items(TransactItems=[{}])
