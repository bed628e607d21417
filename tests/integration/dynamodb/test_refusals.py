"""What the service may answer instead of "done", and what the ledger makes of it."""

from __future__ import annotations

import pytest
from eventsourcing.persistence import (
    DataError,
    InterfaceError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
    StoredEvent,
)

from ledger.errors import Contention, UnknownOutcome, VersionConflict
from ledger.service import Context, Idempotency, Ledger, ReceiptLine, ReceiveStock
from ledger.store.base import CommandRecord
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from tests.support.api_calls import WRITE, ApiCalls, Refused, Watched
from tests.support.event_stores import EventTables, all_events

# Not on moto: it does what it is asked even when another hook answers in its place.
pytestmark = pytest.mark.parametrize("tables", ["ministack"], indirect=True)
COMMIT = [StoredEvent("a", 1, "T", b"{}"), StoredEvent("b", 1, "T", b"{}")]
RECORD = CommandRecord("key", "f" * 64, (("a", 1),))
RECEIVE = ReceiveStock((ReceiptLine("A", "main", 1),))


def cancelled(*reasons: str) -> Refused:
    return Refused("TransactionCanceledException", reasons)


@pytest.fixture
def hasty(tables: EventTables) -> DynamoDBLedgerRecorder:
    """A recorder whose SDK never asks again."""
    return tables.open(retries={"total_max_attempts": 1})


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (Refused("ThrottlingException"), Contention),
        (Refused("ProvisionedThroughputExceededException"), Contention),
        (Refused("RequestLimitExceeded"), Contention),
        (cancelled("None", "ThrottlingError", "None"), Contention),
        (cancelled("ProvisionedThroughputExceeded", "None", "None"), Contention),
        (cancelled("None", "TransactionConflict", "None"), VersionConflict),
        (cancelled("TransactionConflict", "ThrottlingError", "None"), VersionConflict),
        (cancelled("None", "None", "TransactionConflict"), VersionConflict),
        (cancelled("ValidationError", "None", "None"), DataError),
        (cancelled("ItemCollectionSizeLimitExceeded", "None", "None"), DataError),
        (cancelled("None", "None", "SomethingNew"), UnknownOutcome),
        (Refused("TransactionCanceledException"), UnknownOutcome),
        (Refused("TransactionInProgressException"), UnknownOutcome),
        (Refused("InternalServerError", status=500), UnknownOutcome),
        (Refused("ServiceUnavailable", status=503), UnknownOutcome),
        (Refused("ResourceNotFoundException"), ProgrammingError),
        (Refused("AccessDeniedException"), InterfaceError),
        (Refused("ExpiredTokenException"), InterfaceError),
        (Refused("ValidationException"), DataError),
        (Refused("SerializationException"), DataError),
        (Refused("NeverHeardOfException"), OperationalError),
    ],
    ids=lambda p: f"{p.body['__type'].rpartition('#')[2]}" if isinstance(p, Refused) else "",
)
def test_each_refusal_is_an_error_of_the_library(
    hasty: DynamoDBLedgerRecorder, refused: Refused, expected: type[PersistenceError]
) -> None:
    ApiCalls(hasty).refusals = [refused]
    with pytest.raises(PersistenceError) as caught:
        hasty.insert_events(COMMIT, command=RECORD)
    assert type(caught.value) is expected
    if expected is VersionConflict:
        assert caught.value.newest == {}  # type: ignore[attr-defined]
    else:
        assert "appending a version 1, b version 1" in str(caught.value)
    assert all_events(hasty) == []


def test_the_sdk_waits_out_a_short_throttling(tables: EventTables) -> None:
    recorder = tables.open(retries={"mode": "standard", "total_max_attempts": 3})
    api = ApiCalls(recorder)
    api.refusals = [Refused("ThrottlingException"), Refused("InternalServerError", status=500)]
    recorder.insert_events(COMMIT, command=RECORD)
    assert (api.take(), api.refusals) == ([WRITE], [])
    assert all_events(recorder) == COMMIT


def test_a_cancelled_transaction_is_not_repeated_by_the_sdk(tables: EventTables) -> None:
    recorder = tables.open()
    api = ApiCalls(recorder)
    api.refusals = [cancelled("TransactionConflict", "None", "None")]
    with pytest.raises(VersionConflict):
        recorder.insert_events(COMMIT, command=RECORD)
    assert api.sent == 1


@pytest.mark.parametrize("times", [1, 3])
def test_transactions_that_met_are_tried_again(hasty: DynamoDBLedgerRecorder, times: int) -> None:
    """Nothing can be learned of them, so the state is read again."""
    api = ApiCalls(hasty)
    api.refusals = [cancelled("TransactionConflict", "None") for _ in range(times)]
    outcome = Ledger(hasty).handle(RECEIVE, Context("ann", Idempotency("r", "1")))
    assert not outcome.replayed
    assert api.calls.count(WRITE) == times + 1
    assert [e.originator_version for e in all_events(hasty)] == [1]


def test_transactions_that_met_are_waited_out_where_nothing_was_written_yet(
    hasty: DynamoDBLedgerRecorder,
) -> None:
    """Such a conflict names no event, and the position has none."""
    ApiCalls(hasty).refusals = [cancelled("TransactionConflict", "None")] * 3
    retry = Watched(base=0.001)
    Ledger(hasty, retry=retry).handle(RECEIVE, Context("ann", Idempotency("receipts", "1")))
    assert retry.asked == [0, 1, 2]


def test_a_throttled_command_leaves_nothing_and_may_be_sent_again(
    hasty: DynamoDBLedgerRecorder,
) -> None:
    ledger, context = Ledger(hasty), Context("ann", Idempotency("r", "1"))
    ApiCalls(hasty).refusals = [cancelled("ThrottlingError", "None")]
    with pytest.raises(Contention):
        ledger.handle(RECEIVE, context)
    assert all_events(hasty) == []
    assert not ledger.handle(RECEIVE, context).replayed
    assert ledger.handle(RECEIVE, context).replayed
    assert len(all_events(hasty)) == 1


def test_tables_that_are_missing_are_named(tables: EventTables) -> None:
    recorder = DynamoDBLedgerRecorder(DynamoDBTables(tables.client, "elsewhere"), uuids=False)
    for ask in (
        lambda: recorder.insert_events(COMMIT),
        lambda: recorder.select_events("a"),
        lambda: recorder.find_command("a"),
    ):
        with pytest.raises(ProgrammingError, match="ledger tables create"):
            ask()
