"""Who acts on events acts in one Region; the other one catches up when it takes the lease."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from ledger.domain.values import OrderPolicy
from ledger.errors import LeaseUnreadable
from ledger.service import Context, OrderRequestLine, PlaceOrder, ReceiptLine, ReceiveStock
from ledger.settings import Settings
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from projections.delivery.consumers import CONSUMERS, Parts, make_consumers
from projections.delivery.meters import Totals
from tests.support.delivery import failures, message, queue_event
from tests.support.engines import Engines
from tests.support.regions import Region, two_regions
from tests.support.replication import Replication

SWEEP = {"sweep": True}
ACTING = ("order_processor", "notifications", "sequencer")


@pytest.fixture
def regions(engines: Engines) -> Iterator[tuple[Region, Region]]:
    with two_regions(engines.endpoint("ministack")) as regions:
        yield regions


def parts(region: Region) -> Parts:
    settings = Settings(
        _env_file=None,
        store=f"dynamodb:{region.prefix}",
        region=region.name,
        lease=True,
        notify_log=True,
    )
    return Parts(settings, region.ledger(), lambda _: Totals())


def trade(region: Region) -> None:
    """An order that waits for stock, which then comes: the order processor has work to do."""
    ledger = region.ledger()
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 1),)), Context())
    lines = (OrderRequestLine("A", 3),)
    ledger.handle(PlaceOrder(lines, "O-1", policy=OrderPolicy.BACKORDER), Context())
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 5),)), Context())


def batch(region: Region) -> dict[str, object]:
    return queue_event(*(message(event) for event in region.events().values()))


def feed(region: Region) -> list[tuple[str, int]]:
    recorder = DynamoDBLedgerRecorder(region.place.tables, sequences=False)
    found = recorder.select_notifications(1, 100)
    return [(str(n.originator_id), n.originator_version) for n in found]


def test_a_passive_region_acts_on_nothing_and_makes_up_for_it_when_it_takes_over(
    regions: tuple[Region, Region], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    one, other = regions
    trade(one)
    replication = Replication(one.side, other.side)
    replication.carry(1.0)
    there = parts(other)
    acting = dict(zip(ACTING, make_consumers(there, ACTING), strict=True))
    views = make_consumers(there, [name for name in CONSUMERS if name not in ACTING])
    before = other.events()

    for consumer in [*acting.values(), *views]:
        assert failures(consumer(batch(other))) == []
    for consumer in acting.values():
        consumer(SWEEP)
    assert other.events() == before
    assert feed(other) == []
    assert told(caplog) == []

    other.take_over_from(one).unplanned()
    for consumer in acting.values():
        consumer(SWEEP)
    kinds = [event.topic for place, event in other.events().items() if place not in before]
    assert sorted(kinds) == ["BackorderAllocated", "BackorderPromoted"]
    assert set(before) <= set(feed(other))
    assert told(caplog) != []

    # Once in an epoch, whichever process it is.
    news = len(told(caplog))
    restarted = make_consumers(there, ACTING)
    for consumer in restarted:
        consumer(SWEEP)
    sweeps = [r for r in caplog.records if "took the lease" in r.getMessage()]
    assert [r.args[0] for r in sweeps if r.args] == ["notifications", "sequencer"]  # type: ignore[index]
    assert len(told(caplog)) == news

    one_again = make_consumers(parts(one), ACTING)
    for consumer in one_again:
        assert failures(consumer(batch(one))) == []
        consumer(SWEEP)
    assert {event.topic for event in one.events().values()} == {
        event.topic for event in before.values()
    }


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "ledger.notifications"]


def test_reading_the_feed_of_a_passive_region_sequences_nothing(
    regions: tuple[Region, Region],
) -> None:
    one, other = regions
    trade(one)
    replication = Replication(one.side, other.side)
    replication.carry(1.0)
    assert list(other.recorder().select_notifications(1, 10)) == []
    sequenced = one.recorder().select_notifications(1, 10)
    assert len(sequenced) == len(one.events())
    replication.carry(1.0)
    assert other.recorder().select_notifications(1, 10) == sequenced


def test_messages_come_again_while_nobody_knows_whether_to_act(
    regions: tuple[Region, Region],
) -> None:
    one, _ = regions
    trade(one)

    def unreadable() -> None:
        raise LeaseUnreadable(one.name)

    there = parts(one)
    lease = there.recorder.tables.lease
    assert lease is not None
    lease._read = unreadable  # type: ignore[assignment]
    for consumer in make_consumers(there, ACTING):
        assert len(failures(consumer(batch(one)))) == len(one.events())
