"""What becomes a fact with which event of an order."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.domain import events as e
from ledger.domain.values import OrderPolicy
from projections.notifications.facts import MAX_SHORTFALLS, Course, order_facts
from projections.notifications.notification import Notification
from tests.support.notifications import recorded

ORDER = "order:O1"


def part(line: int, reserved: int = 0, backordered: int = 0) -> e.Allocation:
    entry = 1 if backordered else None
    return e.Allocation(
        line=line, location="main", reserved=reserved, backordered=backordered, entry=entry
    )


def placed(
    *quantities: int, allocations: Iterable[e.Allocation] = (), unfilled: int = 0
) -> e.OrderPlaced:
    lines = tuple(
        e.OrderLine(line=n, sku=f"S{n}", quantity=quantity)
        for n, quantity in enumerate(quantities, 1)
    )
    return e.OrderPlaced(
        policy=OrderPolicy.BACKORDER,
        line_count=len(lines),
        lines=lines,
        customer="17850",
        allocations=tuple(allocations),
        unfilled=(e.LineQuantity(line=1, quantity=unfilled),) if unfilled else (),
    )


def course(*events: e.Event) -> list[list[str]]:
    """The kinds told of each event of an order."""
    return [[str(fact.kind) for fact in facts] for facts in facts_of(*events)]


def facts_of(*events: e.Event) -> list[tuple[Notification, ...]]:
    state, found = Course.of(ORDER), []
    for version, event in enumerate(events, 1):
        state, facts = order_facts(state, recorded(ORDER, version, event))
        found.append(facts)
    return found


def test_an_order_that_gets_everything_is_confirmed_with_its_first_event() -> None:
    assert course(placed(5, allocations=[part(1, 5)])) == [["order_confirmed"]]


def test_an_order_that_gets_what_there_is_is_confirmed_with_less() -> None:
    ((fact,),) = facts_of(placed(5, allocations=[part(1, 3)], unfilled=2))
    assert fact.kind == "order_confirmed"
    assert fact.data["totals"]["unfilled"] == 2


def test_a_large_order_is_confirmed_once_with_its_last_chunk() -> None:
    assert course(
        placed(5, 4, 3),
        e.OrderAllocated(allocations=(part(1, 5),)),
        e.OrderAllocated(allocations=(part(2, 4),)),
        e.OrderAllocated(allocations=(part(3, 3),)),
    ) == [[], [], [], ["order_confirmed"]]


def test_an_order_waits_and_is_confirmed_when_the_last_unit_came() -> None:
    assert course(
        placed(5, 4, allocations=[part(1, 2, 3), part(2, 4)]),
        e.BackorderAllocated(allocations=(part(1, 1),)),
        e.BackorderAllocated(allocations=(part(1, 2),)),
    ) == [["order_backordered"], [], ["order_confirmed"]]


def test_cancelling_what_waits_confirms_the_rest() -> None:
    assert course(
        placed(5, 4, allocations=[part(1, 2, 3), part(2, 4)]),
        e.OrderCancelled(released=(part(1, 2, 3),)),
        e.OrderCancelled(released=(part(2, 4),)),
    ) == [["order_backordered"], ["order_confirmed", "order_cancelled"], ["order_cancelled"]]


def test_a_cancellation_in_chunks_is_told_once_and_confirms_nothing_on_the_way() -> None:
    found = facts_of(
        placed(5, 4, allocations=[part(1, 0, 5), part(2, 4)]),
        e.CancellationStarted(units=9, reason="changed my mind"),
        e.OrderCancelled(released=(part(1, 0, 5),)),
        e.OrderCancelled(released=(part(2, 4),)),
    )
    assert [[str(f.kind) for f in facts] for facts in found] == [
        ["order_backordered"],
        [],
        [],
        ["order_cancelled"],
    ]
    assert found[-1][0].data["reason"] == "changed my mind"
    assert found[-1][0].data["complete"] is True
    assert found[-1][0].data["status"] == "cancelled"


def test_every_shipment_is_told_and_the_last_is_complete() -> None:
    found = facts_of(
        placed(5, allocations=[part(1, 5)]),
        e.OrderShipped(shipment_id="A", shipped=(part(1, 2),), reference="DHL 1"),
        e.OrderShipped(shipment_id="B", shipped=(part(1, 3),)),
    )
    (first,), (second,) = found[1:]
    assert first.data["shipment"] == {"id": "A", "reference": "DHL 1", "units": 2}
    assert first.data["complete"] is False
    assert first.data["status"] == "partially_shipped"
    assert second.data["shipment"] == {"id": "B", "reference": None, "units": 3}
    assert second.data["complete"] is True


def test_a_large_shipment_is_told_when_its_last_chunk_left() -> None:
    found = facts_of(
        placed(5, 4, allocations=[part(1, 5), part(2, 4)]),
        e.ShipmentStarted(shipment_id="A", reference="DHL 1"),
        e.OrderShipped(shipment_id="A", shipped=(part(1, 5),), reference="DHL 1"),
        e.OrderShipped(shipment_id="A", shipped=(part(2, 4),), reference="DHL 1"),
    )
    assert [len(facts) for facts in found] == [1, 0, 0, 1]
    assert found[3][0].data["shipment"]["units"] == 9


def test_expiry_is_told_when_everything_is_given_back() -> None:
    assert course(placed(5, allocations=[part(1, 0, 5)]), e.OrderExpired(released=(part(1, 0, 5),)))
    assert course(
        placed(5, 4, allocations=[part(1, 0, 5), part(2, 4)]),
        e.ExpiryStarted(),
        e.OrderExpired(released=(part(1, 0, 5),)),
        e.OrderExpired(released=(part(2, 4),)),
    ) == [["order_backordered"], [], [], ["order_expired"]]


SHORT = e.Shortfall(sku="S1", requested=5, available=2, lines=(1,))


def test_a_refused_order_says_what_it_lacked() -> None:
    rejected = e.OrderRejected(
        shortfalls=(SHORT,),
        policy=OrderPolicy.ALL_OR_NOTHING,
        line_count=1,
        lines=(e.OrderLine(line=1, sku="S1", quantity=5),),
    )
    ((fact,),) = facts_of(rejected)
    assert fact.kind == "order_rejected"
    assert fact.data["shortfalls"] == [
        {"sku": "S1", "location": None, "requested": 5, "available": 2}
    ]
    assert fact.data["shortfall_count"] == 1


def test_a_large_order_that_runs_short_is_rejected_once_and_never_confirmed() -> None:
    assert course(
        placed(5, 4, 3),
        e.OrderAllocated(allocations=(part(1, 5),)),
        e.OrderAllocated(allocations=(part(2, 4),)),
        e.OrderDeallocated(released=(part(1, 5),), shortfalls=(SHORT,)),
        e.OrderRejected(released=(part(2, 4),), shortfalls=(SHORT,)),
    ) == [[], [], [], [], ["order_rejected"]]


def test_a_large_order_for_which_there_is_nothing_at_all_is_rejected() -> None:
    whole = e.OrderAllocated(unfilled=(e.LineQuantity(line=1, quantity=5),))
    assert course(placed(5), whole) == [[], ["order_rejected"]]


def test_a_thousand_shortfalls_are_counted_but_not_all_told() -> None:
    rejected = e.OrderRejected(
        shortfalls=(SHORT,) * 1_000,
        policy=OrderPolicy.ALL_OR_NOTHING,
        line_count=1,
        lines=(e.OrderLine(line=1, sku="S1", quantity=5),),
    )
    ((fact,),) = facts_of(rejected)
    assert len(fact.data["shortfalls"]) == MAX_SHORTFALLS
    assert fact.data["shortfall_count"] == 1_000
    assert len(fact.to_json()) < 20_000, "what webhook receivers are advised to accept"
