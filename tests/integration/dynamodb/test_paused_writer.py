"""A process that stops for long between deciding and sending must not send on an old lease."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError
from eventsourcing.persistence import StoredEvent
from typing_extensions import override

from ledger.errors import NotTheWriter, UnknownOutcome
from ledger.lease import TRUSTED_SECONDS
from ledger.regions.failover import Patience
from ledger.service import Context, Ledger, ReceiptLine, ReceiveStock
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from tests.support.engines import Engines
from tests.support.regions import Region, two_regions

RECEIPT = ReceiveStock((ReceiptLine("A", "main", 1),))


class Clock:
    """The machine's monotonic clock, and what it is ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class PausedRecorder(DynamoDBLedgerRecorder):
    """Stops the process just before it appends, as SIGSTOP would, and goes on much later."""

    pause: Any = None

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        if self.pause is not None:
            self.pause()
        return super().insert_events(stored_events, **kwargs)


@pytest.fixture
def regions(engines: Engines) -> Iterator[tuple[Region, Region]]:
    with two_regions(engines.endpoint("ministack")) as regions:
        yield regions


def fail_over(one: Region, other: Region, clock: Clock) -> None:
    other.take_over_from(one, Patience(settled=0.0)).unplanned()
    clock.ahead += TRUSTED_SECONDS + 0.1


def test_a_paused_writer_does_not_send(regions: tuple[Region, Region]) -> None:
    one, other = regions
    clock = Clock()
    lease = one.lease(clocks=(clock,), trusted=TRUSTED_SECONDS)
    recorder = PausedRecorder(one.recorder(lease).tables)
    ledger = Ledger(recorder, region=one.name)
    ledger.handle(RECEIPT, Context())
    recorder.pause = lambda: fail_over(one, other, clock)
    with pytest.raises(NotTheWriter) as refused:
        ledger.handle(RECEIPT, Context())
    assert refused.value.region == other.name
    assert len(one.events()) == 1


def test_a_paused_writer_does_not_send_again(regions: tuple[Region, Region]) -> None:
    one, other = regions
    clock, sent = Clock(), 0
    ledger = one.ledger(one.lease(clocks=(clock,), trusted=TRUSTED_SECONDS))
    ledger.handle(RECEIPT, Context())
    recorder = ledger.recorder
    assert isinstance(recorder, DynamoDBLedgerRecorder)

    def lose(request: AWSPreparedRequest, **_: Any) -> None:
        nonlocal sent
        if b"TransactWriteItems" not in request.headers["X-Amz-Target"]:
            return
        sent += 1
        fail_over(one, other, clock)
        raise ReadTimeoutError(endpoint_url="http://dynamodb")

    hooks: Any = recorder.tables.client.meta.events
    hooks.register_last("before-send.dynamodb", lose)
    with pytest.raises(UnknownOutcome):
        ledger.handle(RECEIPT, Context())
    assert sent == 1
    assert len(one.events()) == 1
