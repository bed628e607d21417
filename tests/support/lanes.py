"""All lanes of a position, by what is free on each."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain.balance import Balance, Lanes
from ledger.domain.position import Position


def lanes(
    *free: int,
    count: int | None = None,
    gathered: bool = False,
    threshold: int | None = None,
    backordered: int = 0,
) -> list[Position]:
    """Lane 0 has the policy and the queue; each has 3 units reserved."""
    split = Lanes(count=count or len(free), streams=len(free), gathered=gathered)
    return [
        Position(
            "A",
            "main",
            7,
            Balance(
                on_hand=units + 3,
                reserved=3,
                lanes=split,
                escrowed=0,
                low_stock_threshold=None if n else threshold,
                backordered=0 if n else backordered,
            ),
            n,
        )
        for n, units in enumerate(free)
    ]


def free(lanes: Sequence[Position]) -> list[int]:
    return [lane.balance.free for lane in lanes]
