"""Backorders are served first come, first served, from what is free, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import Recorded
from ledger.domain import events as e
from ledger.domain.errors import Refusal
from ledger.domain.values import OrderPolicy
from ledger.service import (
    AdjustmentLine,
    AdjustStock,
    CancelOrder,
    Command,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ShipOrder,
)
from tests.support.faults import Crash
from tests.support.large_orders import SKUS, small_site
from tests.support.processes import Process, new_site

STREAM = "stock:A@main"
ORDERS = ("o1", "o2", "o3", "o4", "o5")

quantities = st.integers(1, 5)
deeds: st.SearchStrategy[Command | None] = st.one_of(
    st.none(),
    st.none(),
    st.builds(
        PlaceOrder,
        st.lists(st.builds(OrderRequestLine, st.just("A"), quantities), min_size=1, max_size=3)
        .map(tuple),
        st.sampled_from(ORDERS),
        policy=st.just(OrderPolicy.BACKORDER),
    ),
    quantities.map(lambda units: ReceiveStock((ReceiptLine("A", "main", units),))),
    st.builds(
        CancelOrder,
        st.sampled_from(ORDERS),
        st.none() | st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple),
    ),
    st.builds(ShipOrder, st.sampled_from(ORDERS)),
    quantities.map(lambda n: AdjustStock((AdjustmentLine("A", "main", -n, "lost"),))),
)  # fmt: skip
"""None: the queue is served."""


class Queue:
    """Who waits, in the order they came, read from the position's stream alone."""

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[str, int]] = {}
        self.free = 0

    def follow(self, stream: Iterable[Recorded]) -> None:
        """Judge the events of the stream, oldest first."""
        for recorded in stream:
            event = recorded.event
            assert isinstance(event, e.PositionEvent)
            if isinstance(event, e.StockBackordered):
                self.waiting[recorded.version] = (event.order_id, event.quantity)
            elif isinstance(event, e.BackorderPromoted):
                assert event.entry == min(self.waiting), "the head of the queue, and nobody else"
                self._leave(event.entry, event.order_id, event.quantity)
                assert event.quantity <= self.free
            elif isinstance(event, e.ReservationReleased) and event.backordered:
                (entry,) = (v for v, (order, _) in self.waiting.items() if order == event.order_id)
                self._leave(entry, event.order_id, event.backordered)
            elif isinstance(event, e.StockReserved):
                assert event.quantity <= self.free - self.units, "what the queue waits for"
            assert event.balance.backordered == self.units
            self.free = event.balance.free

    def _leave(self, entry: int, order_id: str, quantity: int) -> None:
        order, units = self.waiting.pop(entry)
        assert (order, units >= quantity) == (order_id, True)
        if units > quantity:
            self.waiting[entry] = (order, units - quantity)

    @property
    def units(self) -> int:
        """Units that are waited for."""
        return sum(units for _, units in self.waiting.values())


@given(st.lists(deeds, min_size=10, max_size=30))
def test_the_queue_is_served_in_order_and_never_beyond_what_is_free(
    story: list[Command | None],
) -> None:
    with new_site(("main",)) as site:
        processes = [site.start(), site.start(cache_size=0)]
        for n, deed in enumerate(story):
            process = processes[n % 2]
            if deed is None:
                serve(process)
            else:
                with suppress(Refusal):
                    process.send(deed)
        site.auditor.catch_up()
        Queue().follow(processes[0].ledger.history.walk(STREAM))


def serve(process: Process) -> None:
    """Promote; afterwards nobody waits or nothing is free."""
    newest = process.ledger.history.newest(STREAM)
    promoted = process.ledger.promote(STREAM)
    after = process.ledger.history.newest(STREAM)
    if newest is None or after is None:
        assert promoted == 0
        return
    before_event, after_event = newest.event, after.event
    assert isinstance(before_event, e.PositionEvent)
    assert isinstance(after_event, e.PositionEvent)
    before, now = before_event.balance, after_event.balance
    assert promoted == min(before.free, before.backordered)
    assert now.backordered == before.backordered - promoted
    assert now.reserved == before.reserved + promoted
    assert process.ledger.promote(STREAM) == 0, "once more finds nothing to do"


def ordered(units: int, order_id: str) -> PlaceOrder:
    return PlaceOrder((OrderRequestLine("A", units),), order_id, policy=OrderPolicy.BACKORDER)


def test_a_head_that_cannot_be_served_whole_is_served_in_part_and_stays_the_head() -> None:
    with new_site(("main",)) as site:
        process = site.start()
        process.send(ordered(5, "first"))
        process.send(ordered(1, "second"))
        process.send(ReceiveStock((ReceiptLine("A", "main", 3),)))
        assert process.ledger.promote(STREAM) == 3
        assert totals(process, "first") == (3, 2)
        assert totals(process, "second") == (0, 1), "though one unit would have done"
        process.send(ReceiveStock((ReceiptLine("A", "main", 3),)))
        assert process.ledger.promote(STREAM) == 3
        assert (totals(process, "first"), totals(process, "second")) == ((5, 0), (1, 0))


def test_a_cancelled_head_is_passed_over() -> None:
    with new_site(("main",)) as site:
        process = site.start()
        for order_id in ("first", "second", "third"):
            process.send(ordered(2, order_id))
        process.send(CancelOrder("first"))
        process.send(ReceiveStock((ReceiptLine("A", "main", 3),)))
        assert process.ledger.promote(STREAM) == 3
        assert (totals(process, "second"), totals(process, "third")) == ((2, 0), (1, 1))


def test_a_new_order_does_not_take_what_the_queue_waits_for() -> None:
    with new_site(("main",)) as site:
        process = site.start()
        process.send(ordered(2, "first"))
        process.send(ReceiveStock((ReceiptLine("A", "main", 3),)))
        process.send(ordered(2, "second"))
        assert totals(process, "second") == (1, 1), "3 came, 2 of them are the first's"
        process.ledger.promote(STREAM)
        assert (totals(process, "first"), totals(process, "second")) == ((2, 0), (1, 1))


def totals(process: Process, order_id: str) -> tuple[int, int]:
    """Reserved and waiting units of an order."""
    order = process.ledger.history.order(order_id)
    assert order is not None
    return order.totals.reserved, order.totals.backordered


@given(st.sampled_from(SKUS), st.integers(1, 4))
def test_an_order_that_comes_between_two_chunks_is_ahead_where_it_was_first_and_only_there(
    sku: str, units: int
) -> None:
    with small_site({("A", "west"): 1}) as site:
        process, other = site.start(crash=(2, "before")), site.start()
        lines = tuple(OrderRequestLine(name, units, "east") for name in SKUS)
        process.send(PlaceOrder(lines, "large", policy=OrderPolicy.BACKORDER))
        with suppress(Crash):
            process.ledger.advance("large")
        between = (OrderRequestLine(sku, 1, "east"),)
        other.send(PlaceOrder(between, "between", policy=OrderPolicy.BACKORDER))
        other.ledger.advance("large")
        other.send(ReceiveStock((ReceiptLine(sku, "east", units),)))
        assert other.ledger.promote(f"stock:{sku}@east") == units
        ahead = sku == SKUS[-1]
        assert totals(other, "between") == ((1, 0) if ahead else (0, 1))
        assert totals(other, "large")[0] == units - ahead
