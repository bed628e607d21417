"""Events of orders, in few words."""

from __future__ import annotations

from typing import Any

from ledger.domain import events as e
from ledger.domain.values import OrderPolicy


def part(line: int, location: str, reserved: int, backordered: int = 0, **of: int) -> e.Allocation:
    return e.Allocation(
        line=line, location=location, reserved=reserved, backordered=backordered, **of
    )


def asked(line: int, sku: str, quantity: int, location: str | None = None) -> e.OrderLine:
    return e.OrderLine(line=line, sku=sku, quantity=quantity, location=location)


def placed(*lines: e.OrderLine, **fields: Any) -> e.OrderPlaced:
    return e.OrderPlaced(policy=OrderPolicy.PARTIAL, line_count=len(lines), lines=lines, **fields)


TWO = placed(
    asked(1, "A", 5),
    asked(2, "B", 5, "west"),
    allocations=(part(1, "east", 5), part(2, "west", 3, 2, entry=4, lane=6)),
)
"""Two lines, allocated: one waits for 2 units of lane 6."""
