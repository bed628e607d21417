"""What makes several lanes one position to whoever uses the ledger: gathering, proven refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.domain.balance import Balance, Lanes
from ledger.domain.errors import InsufficientStock, VersionMismatch
from ledger.domain.lanes import MAX_LANES
from ledger.domain.streams import lane_stream
from ledger.domain.values import OrderPolicy
from ledger.service import (
    AdjustmentLine,
    AdjustStock,
    CancelOrder,
    Context,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    SetLanes,
    SetPositionPolicy,
)
from ledger.service.history import Level, balance_of
from ledger.service.session import Session
from ledger.store.sqlite import open_recorder
from tests.support.event_stores import verified
from tests.support.lost_answers import LosingRecorder

STREAM = "stock:A@main"


class Meanwhile(LosingRecorder):
    """A store in which something happens between two reads of one decision."""

    deed: Callable[[], object] | None = None

    def select_newest(
        self, streams: Iterable[str], *, strong: bool = True
    ) -> dict[str, StoredEvent]:
        """Read, but lane 1 only after the deed."""
        streams = list(streams)
        if lane_stream(STREAM, 1) in streams and self.deed is not None:
            deed, self.deed = self.deed, None
            deed()
        return super().select_newest(streams, strong=strong)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Meanwhile]:
    recorder = Meanwhile(open_recorder(tmp_path / "ledger.db"))
    yield recorder
    report = verified(recorder)
    assert report.ok, report.findings
    recorder.close()


def shop(store: Meanwhile, *, home: int = 0, cache_size: int = 50_000) -> Ledger:
    ledger = Ledger(store, locations=("main",), cache_size=cache_size)
    ledger._appender._home = home
    return ledger


def stocked(store: Meanwhile, count: int, quantity: int) -> Ledger:
    ledger = shop(store)
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", quantity),)), Context())
    ledger.handle(SetLanes("A", "main", count), Context())
    return ledger


def order(ledger: Ledger, quantity: int, order_id: str, policy: str = "all_or_nothing") -> str:
    command = PlaceOrder((OrderRequestLine("A", quantity),), order_id, policy=OrderPolicy(policy))
    outcome = ledger.handle(command, Context())
    assert outcome.order is not None
    return outcome.order.status.value


def level(ledger: Ledger) -> Level:
    found = ledger.history.position(STREAM)
    assert found is not None
    return found


def lane(ledger: Ledger, number: int) -> Balance:
    newest = ledger.history.newest(lane_stream(STREAM, number))
    assert newest is not None
    return balance_of(newest)


@pytest.mark.parametrize("proven", [True, False])
@pytest.mark.parametrize("kind", ["order", "adjustment"])
def test_a_refusal_whose_reads_missed_what_moved_is_no_refusal(
    store: Meanwhile, proven: bool, kind: str
) -> None:
    """Lane 0 is read, then lane 1 gives to lane 0, then lane 1 is read: units seem to be gone."""
    stocked(store, 2, 40)
    other = shop(store, home=0)
    order(other, 19, "empties-0")
    other.handle(CancelOrder("empties-0"), Context())
    before = [lane(other, n).free for n in (0, 1)]
    assert before == [20, 20]

    def move() -> None:
        order(shop(store), 30, "moves")
        shop(store).handle(CancelOrder("moves"), Context())

    buyer = shop(store, home=0, cache_size=0)
    store.deed = move
    doubted = patch.object(Session, "insist_on", lambda *_: None)

    def ask() -> str:
        if kind == "order":
            return order(buyer, 38, "wants-38")
        lost = AdjustStock((AdjustmentLine("A", "main", -38, "lost"),))
        try:
            buyer.handle(lost, Context())
        except InsufficientStock:
            return "rejected"
        return "allocated"

    if proven:
        assert ask() == "allocated"
    else:
        with doubted:
            assert ask() == "rejected", "or this test tests nothing"


def test_a_dry_lane_takes_half_of_the_richest_in_the_orders_commit(store: Meanwhile) -> None:
    ledger = stocked(store, 2, 40)
    order(ledger, 20, "empties-0")
    outcome = ledger.handle(PlaceOrder((OrderRequestLine("A", 2),), "next"), Context())
    told = [(e.stream, e.type) for e in outcome.events[1:]]
    here, there = STREAM, lane_stream(STREAM, 1)
    assert told == [(here, "StockEscrowed"), (there, "StockEscrowed"), (here, "StockReserved")]
    assert (lane(ledger, 0).free, lane(ledger, 1).free) == (8, 10)


def test_an_order_on_its_lane_costs_what_an_order_costs(store: Meanwhile) -> None:
    stocked(store, 4, 400)
    buyer = shop(store, home=3)
    order(buyer, 1, "first")
    with patch.object(Meanwhile, "select_newest", side_effect=AssertionError("it read")):
        outcome = buyer.handle(PlaceOrder((OrderRequestLine("A", 1),), "second"), Context())
    assert [e.stream for e in outcome.events] == ["order:second", lane_stream(STREAM, 3)]


def test_who_must_wait_gathers_the_lanes_and_cannot_be_overtaken_on_any(store: Meanwhile) -> None:
    ledger = stocked(store, 4, 40)
    held = shop(store, home=3)
    order(held, 10, "holds-lane-3")
    assert order(ledger, 35, "waits", "backorder") == "backordered"
    assert [lane(ledger, n).free for n in range(4)] == [0, 0, 0, 0]
    held.handle(CancelOrder("holds-lane-3"), Context())
    assert lane(ledger, 0).free == 10, "what came free on a closed lane is at lane 0"
    assert order(held, 6, "overtakes") == "rejected"
    assert order(held, 5, "takes-the-rest") == "allocated"
    assert ledger.promote(STREAM) == 5
    assert level(ledger).balance.backordered == 0


def test_whoever_takes_the_last_unit_takes_it_from_lane_0(store: Meanwhile) -> None:
    """Each process sells what its own lane has: together they must not empty lanes unseen."""
    stocked(store, 2, 4)
    for n in range(4):
        assert order(shop(store, home=n // 2), 1, f"o{n}") == "allocated"
    split = lane(shop(store), 0).lanes
    assert split == Lanes(count=2, streams=2, gathered=True)


@pytest.mark.parametrize(("delta", "gathered"), [(-36, False), (-37, True), (-40, True)])
def test_a_correction_that_leaves_next_to_nothing_gathers_the_lanes(
    store: Meanwhile, delta: int, gathered: bool
) -> None:
    ledger = stocked(store, 4, 40)
    ledger.handle(AdjustStock((AdjustmentLine("A", "main", delta, "fire"),)), Context())
    assert lane(ledger, 0).lanes == Lanes(count=4, streams=4, gathered=gathered)
    assert level(ledger).balance.available == 40 + delta


def test_a_correction_that_takes_nothing_moves_nothing(store: Meanwhile) -> None:
    ledger = stocked(store, 2, 40)
    order(ledger, 19, "all-but-one")
    for delta in (0, 1):
        line = AdjustmentLine("A", "main", delta, "counted")
        outcome = ledger.handle(AdjustStock((line,)), Context())
        assert [event.type for event in outcome.events] == ["StockAdjusted"]


def test_gathered_lanes_open_again_when_there_is_enough(store: Meanwhile) -> None:
    ledger = stocked(store, 4, 12)
    assert order(ledger, 10, "most") == "allocated"
    assert lane(ledger, 0).lanes == Lanes(count=4, streams=4, gathered=True)
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 20),)), Context())
    assert order(shop(store, home=2), 2, "opens") == "allocated"
    assert [lane(ledger, n).free for n in range(4)] == [5, 5, 5, 5]
    assert lane(ledger, 2).reserved == 2


def test_who_is_refused_on_empty_lanes_spares_others_the_looking(store: Meanwhile) -> None:
    ledger = stocked(store, 4, 12)
    for n in range(12):
        assert order(ledger, 1, f"o{n}") == "allocated"
    assert order(ledger, 1, "refused") == "rejected"
    outcome = shop(store).handle(PlaceOrder((OrderRequestLine("A", 1),), "too"), Context())
    assert [e.type for e in outcome.events] == ["OrderRejected"]


def test_a_position_mended_is_one_stream_again(store: Meanwhile) -> None:
    ledger = stocked(store, 4, 40)
    order(shop(store, home=3), 4, "on-lane-3")
    ledger.handle(SetLanes("A", "main", 1), Context())
    assert level(ledger).balance.available == lane(ledger, 0).available == 36
    assert ledger.handle(SetLanes("A", "main", 1), Context()).events == ()
    assert order(shop(store, home=3), 36, "all") == "allocated"
    ledger.handle(CancelOrder("on-lane-3"), Context())
    assert lane(ledger, 0).available == level(ledger).balance.available == 4


def test_a_policy_meant_for_another_version_is_refused_whatever_is_remembered_of_lanes(
    store: Meanwhile,
) -> None:
    """What is remembered of lanes may sum up to the version of another moment."""
    clerk = stocked(store, 2, 40)
    other = shop(store, home=1)
    order(other, 1, "unseen-by-the-clerk-1")
    order(other, 1, "unseen-by-the-clerk-2")
    seen = level(other).version
    other.handle(SetPositionPolicy("A", "main", 5), Context())
    clerk.handle(ReceiveStock((ReceiptLine("A", "main", 1),)), Context())
    with pytest.raises(VersionMismatch):
        clerk.handle(SetPositionPolicy("A", "main", 9), Context(expected_version=seen))
    assert lane(clerk, 0).low_stock_threshold == 5
    meant = Context(expected_version=level(other).version)
    clerk.handle(SetPositionPolicy("A", "main", 9), meant)
    assert lane(clerk, 0).low_stock_threshold == 9


def test_a_position_is_looked_at_as_a_whole(store: Meanwhile) -> None:
    ledger = stocked(store, 4, 40)
    order(shop(store, home=3), 4, "on-lane-3")
    for remembered in (True, False):
        found = ledger.positions([STREAM, "stock:B@main"], remembered=remembered)
        assert (found[STREAM].balance.available, found[STREAM].version) == (36, 6)
        assert found["stock:B@main"].version == 0


def test_the_past_of_a_position_is_that_of_all_its_lanes(store: Meanwhile) -> None:
    ledger = stocked(store, MAX_LANES, 320)
    expected = {}
    for n in range(12):
        order(shop(store, home=n), 1 + n, f"o{n}")
        now = level(ledger)
        expected[now.at] = (now.version, now.balance.available)
    for at, told in expected.items():
        then = ledger.history.position(STREAM, at)
        assert then is not None
        assert (then.version, then.balance.available) == told
