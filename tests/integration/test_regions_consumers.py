"""Who acts on events acts in one Region; the other one catches up when it takes the lease."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.domain.values import OrderPolicy
from ledger.errors import LeaseUnreadable, NotTheWriter
from ledger.service import Context, OrderRequestLine, PlaceOrder, ReceiptLine, ReceiveStock
from ledger.settings import Settings
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_sweeps import SweepTable
from projections.delivery.consumers import CONSUMERS, Parts, make_consumers
from projections.delivery.meters import Totals
from projections.notifications.dynamodb_marks import DynamoDBMarks
from projections.notifications.marks import Advance
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


def parts(region: Region, **options: Any) -> Parts:
    settings = Settings(
        _env_file=None,
        store=f"dynamodb:{region.prefix}",
        region=region.name,
        lease=True,
        notify_log=True,
    )
    return Parts(settings, region.ledger(), lambda _: Totals(), **options)


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


def test_a_sweep_goes_on_with_the_next_call_where_time_is_up(
    regions: tuple[Region, Region], caplog: pytest.LogCaptureFixture
) -> None:
    """Each call of an invocation that has no time left deals with one page, here the only one."""
    caplog.set_level(logging.INFO)
    one, _ = regions
    trade(one)
    hurried = parts(one, seconds_left=lambda: 0.0)
    for name in ("notifications", "sequencer"):
        table = SweepTable(one.client, one.prefix, name)
        (consumer,) = make_consumers(hurried, [name])
        consumer(SWEEP)
        stored = table.read()
        assert stored.epoch == 1
        assert stored.parts is not None
        assert all(progress.is_done for progress in stored.parts.values())
        consumer(SWEEP)
        assert table.read().parts is None
    news = told(caplog)
    assert news != []
    assert set(feed(one)) == set(one.events())
    (consumer,) = make_consumers(hurried, ["notifications"])
    assert failures(consumer(batch(one))) == []
    assert told(caplog) == news


def test_the_sweep_of_the_notifications_passes_over_what_is_too_old_to_be_told(
    regions: tuple[Region, Region],
) -> None:
    """Not even its mark is read."""
    one, _ = regions
    trade(one)
    there = parts(one)
    there.settings.notify_max_age_seconds = 0
    (consumer,) = make_consumers(there, ["notifications"])
    consumer(SWEEP)
    assert SweepTable(one.client, one.prefix, "notifications").read().parts is None
    assert one.side.items("notifications") == []


def test_who_lost_the_lease_ends_what_it_began_to_tell_and_begins_nothing(
    regions: tuple[Region, Region],
) -> None:
    one, other = regions
    tables = one.recorder().tables
    marks = DynamoDBMarks(tables.client, one.prefix, "log", leased=tables.leased)
    claim = marks.claim("A")
    assert claim is not None
    other.take_over_from(one).unplanned()
    with pytest.raises(NotTheWriter):
        marks.claim("B")
    with pytest.raises(NotTheWriter):
        marks.advance([Advance("C", 0, 1)])
    marks.mark(claim, 1, release=True)
    assert marks.versions("ABC") == {"A": 1, "B": 0, "C": 0}


def test_the_notifications_begin_nothing_without_the_lease(
    regions: tuple[Region, Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease may go while a long batch is being told."""
    one, other = regions
    trade(one)
    there = parts(one)
    tables = there.recorder.tables
    assert tables.lease is not None
    assert tables.lease.held()
    other.take_over_from(one).unplanned()
    monkeypatch.setattr(tables.lease, "held", lambda: True)
    (consumer,) = make_consumers(there, ["notifications"])
    assert len(failures(consumer(batch(one)))) > 0
    assert one.side.items("notifications") == []


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
