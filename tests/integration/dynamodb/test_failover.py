"""Moving the lease between two Regions while clients write and replication lags."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest

from ledger.codec import decode
from ledger.domain.values import OrderPolicy
from ledger.errors import Contention, LeaseUnreadable, NotTheWriter, UnknownOutcome
from ledger.lease import Standing
from ledger.regions.failover import FailoverRefused
from ledger.service import (
    Command,
    Context,
    Ledger,
    OrderRequestLine,
    Outcome,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
)
from ledger.service.context import Idempotency
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.scanning import scan_commands
from tests.support.engines import Engines
from tests.support.event_stores import verified
from tests.support.regions import MELBOURNE, QUICK, SYDNEY, Region, two_regions
from tests.support.replication import Replication

CLIENTS, WISHES, SKUS = 4, 30, ("A", "B", "C")


@pytest.fixture
def regions(engines: Engines) -> Iterator[tuple[Region, Region]]:
    with two_regions(engines.endpoint("ministack")) as regions:
        yield regions


def wish(client: int, n: int) -> Command:
    if n % 2:
        lines = tuple(OrderRequestLine(sku, 1) for sku in SKUS)
        return PlaceOrder(lines, f"{client}-{n}", policy=OrderPolicy.BACKORDER)
    return ReceiveStock(tuple(ReceiptLine(sku, "main", 2) for sku in SKUS))


@dataclass
class Clients:
    """Clients who send each wish, with its key, until it is acknowledged somewhere."""

    ledgers: dict[str, Ledger]
    acknowledged: list[Outcome] = field(default_factory=list)
    moves: int = 0
    failures: list[Exception] = field(default_factory=list)

    def run(self, client: int) -> None:
        region = MELBOURNE
        try:
            for n in range(WISHES):
                region = self._insist(wish(client, n), f"{client}-{n}", region)
        except Exception as error:
            self.failures.append(error)

    def _insist(self, command: Command, key: str, region: str) -> str:
        context = Context("buyer", Idempotency("wish", key))
        while True:
            try:
                self.acknowledged.append(self.ledgers[region].handle(command, context))
            except NotTheWriter as refused:
                # A Region that never wrote may not have heard who does.
                writer = refused.region or MELBOURNE
                self.moves += writer != region
                region = writer
                time.sleep(0.05)
            except (Contention, UnknownOutcome):
                continue
            else:
                return region


def test_planned_with_writes_in_flight_loses_and_doubles_nothing(
    regions: tuple[Region, Region],
) -> None:
    one, other = regions
    clients = Clients({region.name: region.ledger() for region in regions})
    threads = [threading.Thread(target=clients.run, args=(n,)) for n in range(CLIENTS)]
    # Slower than the wait: the fence may well arrive before what was written before it.
    with Replication(one.side, other.side, longest=6.0) as replication:
        for thread in threads:
            thread.start()
        while len(clients.acknowledged) < CLIENTS * WISHES / 4:
            time.sleep(0.02)
        granted = other.take_over_from(one).planned()
        for thread in threads:
            thread.join()
        replication.settle()
    assert clients.failures == []
    assert (granted.region, granted.state, granted.epoch) == (SYDNEY, "open", 2)
    assert clients.moves >= CLIENTS

    there = {place: decode(event) for place, event in other.events().items()}
    regional = Counter(event.region for event in there.values())
    assert min(regional[MELBOURNE], regional[SYDNEY]) > 0
    assert len(clients.acknowledged) == CLIENTS * WISHES
    for outcome in clients.acknowledged:
        for event in outcome.events:
            assert there[event.stream, event.version].hash == event.hash
    kinds = Counter(event.type for event in there.values())
    assert kinds["OrderPlaced"] == CLIENTS * WISHES / 2
    assert kinds["StockReceived"] == CLIENTS * WISHES / 2 * len(SKUS)
    assert len({event.command for event in there.values()}) == CLIENTS * WISHES
    assert verified(other.recorder()).findings == []
    fence = dict(scan_commands(other.place.tables))["lease#fence"]
    assert fence == (), "an audit of command records takes the fence for one without events"


def receive(ledger: Ledger, *skus: str) -> Outcome:
    return ledger.handle(ReceiveStock(tuple(ReceiptLine(s, "main", 1) for s in skus)), Context())


def test_a_write_that_was_sent_just_in_time_is_waited_for(regions: tuple[Region, Region]) -> None:
    one, other = regions
    ledger = one.ledger()
    receive(ledger, "A")
    recorder = ledger.recorder
    assert isinstance(recorder, DynamoDBLedgerRecorder)
    sending = threading.Event()

    def slow(request: AWSPreparedRequest, **_: Any) -> None:
        if b"TransactWriteItems" in request.headers["X-Amz-Target"]:
            sending.set()
            time.sleep(QUICK.settled - 0.5)

    hooks: Any = recorder.tables.client.meta.events
    hooks.register_last("before-send.dynamodb", slow)
    acknowledged: list[Outcome] = []
    writer = threading.Thread(target=lambda: acknowledged.append(receive(ledger, "A", "B")))
    with Replication(one.side, other.side, longest=0.1) as replication:
        replication.settle()
        writer.start()
        assert sending.wait(10)
        other.take_over_from(one).planned()
        at_opening = other.events()
        writer.join()
    (outcome,) = acknowledged
    assert len(outcome.events) == 2
    assert {(event.stream, event.version) for event in outcome.events} <= at_opening.keys()


def receive_for(seconds: float, ledger: Ledger) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        receive(ledger, "A")


def test_a_third_region_s_lease_is_not_moved(regions: tuple[Region, Region]) -> None:
    one, other = regions
    third = Region("eu-west-1", one.endpoint, one.prefix)
    with Replication(one.side, other.side) as replication:
        replication.settle()
    with third.stack, pytest.raises(FailoverRefused, match="ap-southeast-4 writes"):
        third.take_over_from(other).planned()


def test_the_old_writer_stops_when_its_lease_can_not_be_read(
    regions: tuple[Region, Region],
) -> None:
    one, _ = regions
    gone = threading.Event()

    def read() -> Standing:
        if gone.is_set():
            raise LeaseUnreadable("nobody answers")
        return one.table.read()

    ledger = one.ledger(one.lease(read))
    receive(ledger, "A")
    gone.set()
    with pytest.raises(LeaseUnreadable):
        receive_for(2, ledger)


def test_a_region_that_was_cut_off_stops_when_it_hears_of_the_other(
    regions: tuple[Region, Region],
) -> None:
    one, other = regions
    with Replication(one.side, other.side, longest=0.3) as replication:
        ledger = one.ledger()
        receive(ledger, "A")
        replication.settle()
        replication.cut()
        before = one.table.read().grant
        # The operator can't reach the old Region: neither its lease nor its writers.
        other.take_over_from(one.unreachable()).unplanned()
        receive(ledger, "A")
        assert one.table.read().grant == before
        replication.mend()
        with pytest.raises(NotTheWriter) as refused:
            receive_for(10, ledger)
    assert refused.value.region == SYDNEY
    waits: list[float] = []
    closing = replace(other.take_over_from(one), sleep=waits.append)
    assert closing.close_old()
    assert waits == [QUICK.settled], "what its writers still send belongs in the report"
    assert not closing.close_old()
