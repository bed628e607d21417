"""Failovers that don't get to their end: refused, interrupted, given up and taken back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from eventsourcing.persistence import PersistenceError

from ledger.errors import NotTheWriter
from ledger.regions.contents import unreplicated
from ledger.regions.failover import NotReplicated, Patience
from ledger.service import Context, Ledger, ReceiptLine, ReceiveStock
from ledger.store.dynamodb_lease import LeaseMoved
from ledger.store.tables import full_name, manifest
from tests.support.engines import Engines
from tests.support.regions import MELBOURNE, SYDNEY, Region, two_regions
from tests.support.replication import Replication


@pytest.fixture
def regions(engines: Engines) -> Iterator[tuple[Region, Region]]:
    with two_regions(engines.endpoint("ministack")) as regions:
        yield regions


def receive(ledger: Ledger, sku: str) -> None:
    ledger.handle(ReceiveStock((ReceiptLine(sku, "main", 1),)), Context())


def test_the_new_region_does_not_open_before_everything_arrived(
    regions: tuple[Region, Region],
) -> None:
    one, other = regions
    receive(one.ledger(), "A")
    impatient = other.take_over_from(one, Patience(settled=0.7, replicated=0.3, poll=0.1))
    with pytest.raises(NotReplicated):
        impatient.planned()
    for region, writer in ((one, SYDNEY), (other, MELBOURNE)):
        with pytest.raises(NotTheWriter) as refused:
            receive(region.ledger(), "A")
        assert refused.value.region == writer
    with Replication(one.side, other.side):
        assert other.take_over_from(one).planned().epoch == 3
    receive(other.ledger(), "A")
    assert other.take_over_from(one).planned().epoch == 3
    assert len(other.events()) == 2


def test_every_replicated_table_is_compared(regions: tuple[Region, Region]) -> None:
    """Positions and marks of notifications too, in whatever version an item is there."""
    one, other = regions
    tables = {name: table for name, table in manifest().items() if table.replicated}
    assert {"events", "commands", "feed", "notifications"} <= tables.keys()
    for name, table in tables.items():
        keys = {key.name: {key.type: "1"} for key in table.keys}
        newer: Any = {**keys, "value": {"S": "newer"}}
        older: Any = {**keys, "value": {"S": "older"}}
        one.client.put_item(TableName=full_name(one.prefix, name), Item=newer)
        for item, missing in ((None, 1), (older, 1), (newer, 0)):
            if item is not None:
                other.client.put_item(TableName=full_name(other.prefix, name), Item=item)
            found = unreplicated(one.place.tables, other.place.tables, 1)
            of_table = [each.items for each in found if each.table == name and each.key == "1"]
            assert sum(of_table) == missing, (name, item)


def test_a_failover_that_was_given_up_is_taken_back(regions: tuple[Region, Region]) -> None:
    one, other = regions
    receive(one.ledger(), "A")
    with pytest.raises(NotReplicated):
        other.take_over_from(one, Patience(0.0, 0.0)).planned()
    # Without replication: that may be why it was given up.
    taker = one.take_over_from(other)
    halfway = replace(taker, old=other.unreachable())
    with pytest.raises(PersistenceError):
        halfway.planned()
    assert taker.planned().region == MELBOURNE
    receive(one.ledger(), "A")
    with pytest.raises(NotTheWriter) as refused:
        receive(other.ledger(), "A")
    assert refused.value.region == MELBOURNE


def test_taking_back_is_resumed_wherever_it_stopped(
    regions: tuple[Region, Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = regions
    receive(one.ledger(), "A")
    with pytest.raises(NotReplicated):
        other.take_over_from(one, Patience(0.0, 0.0)).planned()
    for table, step in ((other.table, "put"), (one.table, "raise_fence")):
        with monkeypatch.context() as patched:
            patched.setattr(table, step, stop)
            with pytest.raises(KeyboardInterrupt):
                one.take_over_from(other).planned()
    assert one.take_over_from(other, Patience(0.0, 0.0)).planned().region == MELBOURNE
    receive(one.ledger(), "A")


def stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_region_that_opened_is_not_passed_over(regions: tuple[Region, Region]) -> None:
    """The old Region is still `closing` for one that has opened, and written, since."""
    one, other = regions
    with pytest.raises(NotReplicated):
        other.take_over_from(one, Patience(0.0, 0.0)).planned()
    assert other.take_over_from(one.unreachable()).unplanned().region == SYDNEY
    receive(other.ledger(), "A")
    for _ in range(2):
        with pytest.raises(NotReplicated):
            one.take_over_from(other, Patience(0.7, 0.0)).planned()
    with Replication(one.side, other.side):
        assert one.take_over_from(other).planned().region == MELBOURNE
    assert len(one.events()) == 1


def test_tables_that_are_gone_are_a_region_that_is_gone(regions: tuple[Region, Region]) -> None:
    one, other = regions
    one.client.delete_table(TableName=f"{one.prefix}-lease")
    with pytest.raises(PersistenceError):
        other.take_over_from(one).planned()
    assert other.take_over_from(one).unplanned().region == SYDNEY


def test_of_two_operators_one_is_refused(regions: tuple[Region, Region]) -> None:
    one, other = regions
    mover = other.take_over_from(one, Patience(settled=3.0, replicated=5.0))
    refused: list[Exception] = []

    def move() -> None:
        try:
            mover.planned()
        except LeaseMoved as error:
            refused.append(error)

    with Replication(one.side, other.side):
        slow = threading.Thread(target=move)
        slow.start()
        time.sleep(0.1)
        one.take_over_from(other, Patience(settled=0.0, replicated=30.0)).planned()
        slow.join()
    assert len(refused) == 1
    assert one.table.read().held_by(MELBOURNE)
    assert not other.table.read().held_by(SYDNEY)
