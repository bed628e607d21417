"""The fold of an order, event by event: what each changes, and what it leaves."""

from __future__ import annotations

import pytest

from ledger.domain import events as e
from ledger.domain.errors import LawBroken
from ledger.domain.folding import apply, fold
from ledger.domain.order import Line, Order, OrderStatus, Place, Shipment, Task, TaskKind
from ledger.domain.values import OrderPolicy
from tests.support.order_events import TWO, asked, part, placed

SHORT = e.Shortfall(sku="A", requested=9, available=1)
OTHER = e.Shortfall(sku="B", requested=2, available=0)


def test_an_order_is_placed_as_it_was_asked_for() -> None:
    event = placed(asked(1, "A", 5), asked(2, "B", 6, "west"), customer="c")
    order = fold("o-1", [event])
    assert order == Order(
        "o-1",
        version=1,
        customer="c",
        policy=OrderPolicy.PARTIAL,
        lines={1: Line(1, "A", 5), 2: Line(2, "B", 6, "west")},
        task=Task(TaskKind.ALLOCATION),
    )
    assert order.status is OrderStatus.ALLOCATING


def test_an_order_knows_when_it_expires() -> None:
    at = "2026-01-01T00:00:00.000000Z"
    assert fold("o-1", [placed(asked(1, "A", 1), expires_at=at)]).expires_at == at


def test_an_order_of_one_commit_is_allocated_as_it_is_placed() -> None:
    order = fold("o-1", [TWO])
    assert order.task is None
    assert order.lines[1].places == {"east": Place(5)}
    assert order.lines[2].places == {"west": Place(3, 2, 0, entry=4, lane=6)}
    assert order.status is OrderStatus.BACKORDERED


def test_what_could_not_be_filled_stays_unfilled() -> None:
    missing = (e.LineQuantity(line=1, quantity=2), e.LineQuantity(line=2, quantity=1))
    order = fold("o-1", [placed(asked(1, "A", 5), asked(2, "B", 1), unfilled=missing)])
    assert [line.unfilled for line in order.lines.values()] == [2, 1]
    assert order.task == Task(TaskKind.ALLOCATION), "3 units of line 1 are pending"
    order = apply(order, e.OrderAllocated(unfilled=(e.LineQuantity(line=1, quantity=3),)))
    assert (order.lines[1].unfilled, order.task, order.version) == (5, None, 2)
    with pytest.raises(LawBroken, match="more units accounted for"):
        apply(order, e.OrderAllocated(unfilled=(e.LineQuantity(line=1, quantity=1),)))


def test_a_large_order_is_allocated_until_no_line_is_pending() -> None:
    first = placed(asked(1, "A", 5))
    more = e.OrderLinesAdded(lines=(asked(2, "B", 5),))
    chunks = [
        e.OrderAllocated(allocations=(part(1, "east", 4, 1, entry=2),)),
        e.OrderAllocated(allocations=(part(2, "west", 5, lane=3),)),
    ]
    orders = [fold("o-1", [first, more, *chunks[:n]]) for n in range(3)]
    assert [order.task for order in orders] == [Task(TaskKind.ALLOCATION)] * 2 + [None]
    assert [order.version for order in orders] == [2, 3, 4]
    assert orders[0].lines == {1: Line(1, "A", 5), 2: Line(2, "B", 5)}
    assert orders[2].lines[1].places == {"east": Place(4, 1, entry=2)}
    assert orders[2].lines[2].places == {"west": Place(5, lane=3)}


def test_a_rejection_that_is_the_first_event_carries_what_was_asked_for() -> None:
    event = e.OrderRejected(
        shortfalls=(SHORT,),
        policy=OrderPolicy.BACKORDER,
        customer="c",
        line_count=1,
        lines=(asked(1, "A", 9),),
    )
    order = fold("o-1", [event])
    assert order == Order(
        "o-1",
        version=1,
        customer="c",
        policy=OrderPolicy.BACKORDER,
        lines={1: Line(1, "A", 9, rejected=9)},
        shortfalls=(SHORT,),
    )
    assert order.status is OrderStatus.REJECTED
    unsaid = event.model_copy(update={"policy": None})
    assert fold("o-1", [unsaid]).policy is OrderPolicy.ALL_OR_NOTHING


def test_a_large_order_that_ran_short_gives_back_what_it_had_and_is_rejected() -> None:
    history = [
        placed(asked(1, "A", 5), asked(2, "B", 5), asked(3, "C", 5), customer="c"),
        e.OrderAllocated(allocations=(part(1, "east", 5), part(2, "west", 5))),
        e.OrderDeallocated(released=(part(1, "east", 5),), shortfalls=(SHORT,)),
    ]
    given_back = fold("o-1", history)
    assert given_back.lines[1] == Line(1, "A", 5, places={"east": Place()}, rejected=5)
    assert given_back.task == Task(TaskKind.DEALLOCATION)
    assert given_back.shortfalls == (SHORT,)

    end = e.OrderRejected(released=(part(2, "west", 5),), shortfalls=(OTHER,))
    rejected = apply(given_back, end)
    assert [line.rejected for line in rejected.lines.values()] == [5, 5, 5]
    assert [line.reserved for line in rejected.lines.values()] == [0, 0, 0]
    assert (rejected.task, rejected.version) == (None, 4)
    assert rejected.shortfalls == (SHORT,), "the first reason is the reason"
    assert (rejected.customer, rejected.policy) == ("c", OrderPolicy.PARTIAL)
    again = apply(given_back, e.OrderDeallocated(released=(), shortfalls=(OTHER,)))
    assert again.shortfalls == (SHORT,)
    without = fold("o-1", [*history[:2], end])
    assert without.shortfalls == (OTHER,)


def test_units_that_were_waited_for_become_reserved() -> None:
    served = e.BackorderAllocated(allocations=(part(2, "west", 1),))
    order = fold("o-1", [TWO, served])
    assert order.lines[2].places == {"west": Place(4, 1, 0, entry=4, lane=6)}
    assert order.lines[1] == fold("o-1", [TWO]).lines[1]
    assert order.task is None
    with pytest.raises(LawBroken, match="less than nothing"):
        fold("o-1", [TWO, served, served, served])


def test_a_shipment_of_one_commit_is_one_shipment() -> None:
    event = e.OrderShipped(shipment_id="s", shipped=(part(1, "east", 2),), reference="DHL")
    order = fold("o-1", [TWO, event])
    assert order.lines[1].places == {"east": Place(3, 0, 2)}
    assert order.shipments == (Shipment("s", 2, "DHL"),)
    assert order.task is None
    again = apply(order, event.model_copy(update={"shipment_id": "s2"}))
    assert again.shipments == (Shipment("s", 2, "DHL"), Shipment("s2", 2, "DHL"))


def test_a_large_shipment_takes_what_it_said_and_ends_when_nothing_of_it_is_left() -> None:
    some = (e.LineQuantity(line=1, quantity=4), e.LineQuantity(line=2, quantity=3))
    started = fold("o-1", [TWO, e.ShipmentStarted(shipment_id="s", lines=some, reference="DHL")])
    remaining = {(1, "east"): (4, 0), (2, "west"): (3, 0)}
    assert started.task == Task(TaskKind.SHIPMENT, remaining, "s", "DHL")
    assert started.shipments == ()

    chunks = [part(1, "east", 4), part(2, "west", 3)]
    half = apply(started, e.OrderShipped(shipment_id="s", shipped=(chunks[0],), reference="DHL"))
    assert half.task == Task(TaskKind.SHIPMENT, {(2, "west"): (3, 0)}, "s", "DHL")
    whole = apply(half, e.OrderShipped(shipment_id="s", shipped=(chunks[1],), reference="DHL"))
    assert whole.task is None
    assert whole.shipments == (Shipment("s", 7, "DHL"),)


def test_a_shipment_that_names_no_lines_is_of_all_that_is_reserved() -> None:
    waits = placed(
        asked(1, "A", 5),
        asked(2, "B", 5),
        allocations=(part(1, "east", 5), part(2, "west", 0, 5, entry=1)),
    )
    order = fold("o-1", [waits, e.ShipmentStarted(shipment_id="s")])
    assert order.task == Task(TaskKind.SHIPMENT, {(1, "east"): (5, 0)}, "s", None)


def test_what_is_cancelled_or_expired_is_given_back_and_told_apart() -> None:
    released = (part(1, "east", 2), part(2, "west", 1, 2))
    for event, fate in (
        (e.OrderCancelled(released=released, reason="changed my mind"), "cancelled"),
        (e.OrderExpired(released=released), "expired"),
    ):
        order = fold("o-1", [TWO, event])
        assert order.lines[1].places == {"east": Place(3)}
        assert order.lines[2].places == {"west": Place(2, 0, 0, entry=4, lane=6)}
        for name in ("cancelled", "expired", "rejected", "unfilled"):
            told = [getattr(line, name) for line in order.lines.values()]
            assert told == ([2, 3] if name == fate else [0, 0])
        assert order.task is None
        assert apply(order, event.model_copy(update={"released": released[:1]})).version == 3


def test_a_large_cancellation_is_of_the_lines_it_names() -> None:
    start = e.CancellationStarted(units=5, lines=(2,), reason="late")
    started = fold("o-1", [TWO, start])
    assert started.task == Task(TaskKind.CANCELLATION, {(2, "west"): (3, 2)}, None, "late")
    every = fold("o-1", [TWO, start.model_copy(update={"lines": None})])
    assert every.task is not None
    assert every.task.remaining == {(1, "east"): (5, 0), (2, "west"): (3, 2)}
    done = apply(started, e.OrderCancelled(released=(part(2, "west", 3, 2),)))
    assert (done.task, done.lines[2].cancelled) == (None, 5)


def test_a_large_expiry_is_of_all_that_is_open() -> None:
    started = fold("o-1", [TWO, e.ExpiryStarted()])
    assert started.task == Task(TaskKind.EXPIRY, {(1, "east"): (5, 0), (2, "west"): (3, 2)})
    half = apply(started, e.OrderExpired(released=(part(1, "east", 5),)))
    assert half.task == Task(TaskKind.EXPIRY, {(2, "west"): (3, 2)})
    assert apply(half, e.OrderExpired(released=(part(2, "west", 3, 2),))).task is None
