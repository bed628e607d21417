"""Events: what each moves, what each leaves out means, and that none can be changed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_core import to_json

from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Balance, Lanes, Moves
from ledger.domain.events.base import Event, recorded_as
from ledger.domain.values import Disposition, OrderPolicy
from tests.support.golden import EXAMPLES

HERE: dict[str, Any] = {"balance": EMPTY}
OF: dict[str, Any] = {"order_id": "A-1", **HERE}
SPLIT = Lanes(count=2, streams=2)


@pytest.mark.parametrize(
    ("event", "moves"),
    [
        (e.StockReceived(quantity=3, **HERE), Moves(on_hand=3)),
        (e.StockAdjusted(delta=-3, reason="lost", **HERE), Moves(on_hand=-3)),
        (e.StockReserved(quantity=3, **OF), Moves(reserved=3)),
        (e.StockBackordered(quantity=3, **OF), Moves(backordered=3)),
        (e.StockBackordered(quantity=3, reserved=2, **OF), Moves(backordered=3, reserved=2)),
        (e.BackorderPromoted(quantity=3, entry=1, **OF), Moves(backordered=-3, reserved=3)),
        (e.ReservationReleased(quantity=3, **OF), Moves(reserved=-3)),
        (
            e.ReservationReleased(quantity=3, backordered=2, **OF),
            Moves(reserved=-3, backordered=-2),
        ),
        (
            e.ReservationReleased(quantity=3, escrowed=3, **OF),
            Moves(on_hand=-3, reserved=-3, escrowed=-3),
        ),
        (e.ReservationExpired(quantity=3, **OF), Moves(reserved=-3)),
        (e.StockShipped(quantity=3, **OF), Moves(on_hand=-3, reserved=-3)),
        (e.StockReturned(quantity=3, disposition=Disposition.RESTOCK, **HERE), Moves(on_hand=3)),
        (
            e.StockReturned(quantity=3, disposition=Disposition.DAMAGED, **HERE),
            Moves(on_hand=3, damaged=3),
        ),
        (e.PositionPolicySet(low_stock_threshold=3, **HERE), Moves()),
        (e.StockEscrowed(delta=-3, **HERE), Moves(on_hand=-3, escrowed=-3)),
        (e.PositionLanesSet(delta=3, lanes=SPLIT, **HERE), Moves(on_hand=3, escrowed=3)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_an_event_moves_what_it_says(event: e.PositionEvent, moves: Moves) -> None:
    assert event.moves(event.__dict__) == moves


@pytest.mark.parametrize(
    ("kind", "fields", "moves"),
    [
        (e.StockBackordered, {"quantity": 3}, Moves(backordered=3)),
        (e.ReservationReleased, {"quantity": 3}, Moves(reserved=-3)),
    ],
)
def test_what_is_not_said_does_not_move(
    kind: type[e.PositionEvent], fields: dict[str, int], moves: Moves
) -> None:
    assert kind.moves(fields) == moves


def test_what_a_stored_event_leaves_out_is_nothing() -> None:
    waits = e.StockBackordered.model_validate({"quantity": 1, **OF})
    assert waits.reserved == 0
    released = e.ReservationReleased.model_validate({"quantity": 0, **OF})
    assert (released.quantity, released.backordered, released.escrowed) == (0, 0, None)
    part = e.Allocation.model_validate({"line": 1, "location": "main"})
    assert (part.reserved, part.backordered, part.entry, part.lane) == (0, 0, None, None)
    assert e.Allocation.computed(1, "main", 5).backordered == 0
    placed = e.OrderPlaced(policy=OrderPolicy.PARTIAL, line_count=1, lines=())
    assert (placed.allocations, placed.unfilled) == ((), ())


def test_a_policy_event_may_set_no_threshold() -> None:
    assert e.PositionPolicySet(balance=Balance()).low_stock_threshold is None


def newer(value: Any) -> Any:
    """JSON of an event as a newer version might write it: each object says something more."""
    if isinstance(value, dict):
        return {**{name: newer(part) for name, part in value.items()}, "in_future": {"more": 7}}
    return [newer(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.name)
def test_what_a_newer_version_says_of_any_part_is_kept(event: Event) -> None:
    said = newer(event.model_dump(mode="json", exclude_none=True))
    read = type(event).model_validate_json(to_json(said))
    assert read.model_dump(mode="json", exclude_none=True) == said


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.name)
def test_an_event_can_not_be_changed(event: Event) -> None:
    name = next(iter(type(event).model_fields), "extra")
    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, name, 1)


@pytest.mark.parametrize(
    "part",
    [
        e.OrderLine(line=1, sku="A", quantity=1),
        e.Allocation(line=1, location="main"),
        e.LineQuantity(line=1, quantity=1),
        e.Shortfall(sku="A", requested=2, available=1),
    ],
    ids=lambda part: type(part).__name__,
)
def test_a_part_of_an_event_can_not_be_changed(part: e.OrderLine) -> None:
    name = next(iter(type(part).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(part, name, 1)


def test_an_event_is_known_by_a_name_of_its_own_and_its_schemas_version() -> None:
    assert {kind.name: kind for kind in e.CATALOGUE.values()} == e.CATALOGUE
    assert e.StockReceived.schema_version == 2
    assert {k.schema_version for k in e.CATALOGUE.values() if k is not e.StockReceived} == {1}


def test_two_events_can_not_have_one_name() -> None:
    with pytest.raises(TypeError, match="two events are named StockReceived"):

        @recorded_as("StockReceived")
        class Impostor(Event):
            """Would be read where a receipt was written."""

    assert e.CATALOGUE["StockReceived"] is e.StockReceived
