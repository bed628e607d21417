"""What becomes a fact with which event of a position."""

from __future__ import annotations

from uuid import UUID, uuid5

import pytest

from ledger.codec import CorruptEvent
from ledger.domain import events as e
from ledger.domain.position import Position
from ledger.domain.values import Disposition
from projections.notifications.facts import (
    Shelf,
    position_facts,
)
from projections.notifications.notification import Notification
from tests.support.notifications import STAMP, recorded

STOCK = "stock:S0@main"


class Told:
    """A position that keeps what is told of each of its events."""

    def __init__(self) -> None:
        self.position = Position("S0", "main")
        self._shelf = Shelf()
        self.last: tuple[Notification, ...] = ()

    def __call__(self, event: e.PositionEvent) -> list[str]:
        self.position = self.position.after(event)
        self._shelf, self.last = position_facts(
            self._shelf, recorded(STOCK, self.position.version, event)
        )
        return [str(fact.kind) for fact in self.last]


@pytest.fixture
def told() -> Told:
    return Told()


def sell(told: Told, quantity: int) -> list[str]:
    return told(told.position.adjust(-quantity, reason="sold"))


def receive(told: Told, quantity: int) -> list[str]:
    return told(told.position.receive(quantity))


def limit(told: Told, threshold: int | None) -> list[str]:
    return told(told.position.set_policy(low_stock_threshold=threshold))


def test_stock_is_low_once_until_it_was_above_the_threshold_again(told: Told) -> None:
    assert receive(told, 10) == []
    assert limit(told, 5) == []
    assert sell(told, 4) == [], "6 are above 5"
    assert sell(told, 1) == ["low_stock"], "5 are not"
    assert sell(told, 1) == []
    assert receive(told, 1) == []
    assert receive(told, 1) == []
    assert sell(told, 1) == ["low_stock"]


def test_without_a_threshold_stock_is_never_low(told: Told) -> None:
    assert receive(told, 1) == []
    assert sell(told, 1) == ["out_of_stock"]


def test_a_policy_alone_can_make_stock_low(told: Told) -> None:
    receive(told, 10)
    assert limit(told, 10) == ["low_stock"]
    assert limit(told, 20) == [], "it is low already"
    assert limit(told, 9) == []
    assert limit(told, None) == []
    assert limit(told, 10) == ["low_stock"]


def test_a_new_position_is_low_once_it_has_a_threshold_but_not_out_of_stock(told: Told) -> None:
    assert limit(told, 5) == ["low_stock"]
    assert receive(told, 3) == [], "the first stock a position ever has is not back"
    assert sell(told, 3) == ["out_of_stock"]


def test_out_of_stock_and_back(told: Told) -> None:
    receive(told, 2)
    limit(told, 2)
    assert sell(told, 2) == ["out_of_stock"], "low it was since the policy"
    assert receive(told, 1) == ["back_in_stock"]
    assert receive(told, 1) == []
    assert sell(told, 2) == ["out_of_stock"]


def test_dropping_below_the_threshold_to_nothing_is_both(told: Told) -> None:
    receive(told, 10)
    limit(told, 5)
    assert sell(told, 10) == ["low_stock", "out_of_stock"]
    low, out = told.last
    assert low.id != out.id
    assert low.data == out.data


def test_it_is_what_is_available_that_counts(told: Told) -> None:
    receive(told, 5)
    assert told(told.position.allocate("O1", reserved=5)) == ["out_of_stock"]
    assert told(told.position.allocate("O2", reserved=0, backordered=4)) == []
    assert receive(told, 4) == [], "the queue has first call on it"
    assert told(told.position.promote("O2", 4, entry=3, waiting=4)) == []
    assert told(told.position.ship("O1", 5)) == []
    assert told(told.position.release("O2", 4)) == ["back_in_stock"]
    damaged = told.position.return_(3, disposition=Disposition.DAMAGED)
    assert told(damaged) == []


def test_a_position_that_only_ever_had_a_queue_is_not_back(told: Told) -> None:
    assert told(told.position.allocate("O1", reserved=0, backordered=4)) == []
    assert receive(told, 4) == []
    assert told(told.position.promote("O1", 4, entry=1, waiting=4)) == []
    assert receive(told, 1) == []
    assert sell(told, 1) == ["out_of_stock"]
    assert receive(told, 1) == ["back_in_stock"]


def test_a_notification_says_what_people_need_and_where_it_came_from(told: Told) -> None:
    receive(told, 10)
    limit(told, 5)
    told(told.position.allocate("O1", reserved=6))

    (low,) = told.last

    assert low.data == {
        "sku": "S0",
        "location": "main",
        "available": 4,
        "threshold": 5,
        "on_hand": 10,
        "reserved": 6,
        "backordered": 0,
        "damaged": 0,
    }
    assert (low.stream, low.version, low.at) == (STOCK, 3, STAMP.at)
    assert low.correlation_id == STAMP.command
    event = recorded(STOCK, 3, e.PositionPolicySet(balance=told.position.balance))
    assert low.id == str(uuid5(UUID(event.id), "low_stock"))


def test_an_order_event_in_a_position_is_corrupt() -> None:
    with pytest.raises(CorruptEvent, match="not a position's event"):
        position_facts(Shelf(), recorded(STOCK, 1, e.ExpiryStarted()))
