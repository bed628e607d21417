"""A history of one SKU at one location, told to the laws event by event."""

from __future__ import annotations

from typing import Any

from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Lanes
from ledger.domain.laws import Laws
from ledger.domain.position import Position
from ledger.domain.values import OrderPolicy

A = "stock:A@main"


def part(reserved: int, backordered: int = 0, *, entry: int | None = None) -> e.Allocation:
    """What line 1 got at the location."""
    return e.Allocation(
        line=1, location="main", reserved=reserved, backordered=backordered, entry=entry
    )


class Told:
    """Tells what the domain decides."""

    def __init__(self) -> None:
        self.laws = Laws()
        self._positions: dict[str, Position] = {}

    def move(self, movement: str, *args: Any, lane: int = 0, **fields: Any) -> None:
        """What a position's method decides happens to it."""
        stream = f"{A}#{lane}" if lane else A
        position = self._positions.get(stream) or Position.of(stream, 0, EMPTY)
        event = getattr(position, movement)(*args, **fields)
        self._positions[stream] = position.after(event)
        self.laws.see(stream, event)

    def split(self, lanes: Lanes, *deltas: int) -> None:
        """All lanes are told how the position is split."""
        for lane, delta in enumerate(deltas):
            self.move("set_lanes", lanes, delta, lane=lane)

    def place(self, units: int, allocation: e.Allocation, order_id: str = "o-1") -> None:
        """An order of one line, allocated in its first event."""
        line = e.OrderLine(line=1, sku="A", quantity=units)
        policy = OrderPolicy.BACKORDER
        event = e.OrderPlaced(policy=policy, line_count=1, lines=(line,), allocations=(allocation,))
        self.laws.see(f"order:{order_id}", event)

    def ship(self, units: int, order_id: str = "o-1") -> None:
        """The order says what it shipped."""
        event = e.OrderShipped(shipment_id="s", shipped=(part(units),))
        self.laws.see(f"order:{order_id}", event)

    @property
    def found(self) -> list[tuple[str, str]]:
        """What the whole breaks."""
        return list(self.laws.conclude())
