"""What the books keep of orders and positions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

Spot = tuple[str, str]
"""SKU and location."""

CONSERVED: Final = "1: on hand follows from the movements"
POSITIVE: Final = "2: nothing is negative, nothing is oversold"
RESERVED: Final = "3: reserved is what orders hold"
ONE_FATE: Final = "4: every reserved unit has one fate"
ACCOUNTED: Final = "5: every ordered unit has one fate"
ESCROWED: Final = "13: what one lane escrows another has, in one commit"
ONE_SHAPE: Final = "14: all lanes of a position say the same, and closed ones have nothing free"
FIFO: Final = "5: backorders are served first come, first served"


@dataclass
class Line:
    """One line of an order, and where its units are."""

    sku: str
    quantity: int
    location: str | None
    reserved: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)

    @property
    def pending(self) -> int:
        """Units that nothing was decided on yet."""
        placed = self.reserved.total() + self.waiting.total()
        return self.quantity - placed - self.fates.total()


@dataclass
class Order:
    """One order. `task_left` is what a large order's task has yet to do, None if there is none."""

    order_id: str
    placed_at: str
    lines: dict[int, Line] = field(default_factory=dict)
    line_count: int = 0
    policy: str = "all_or_nothing"
    customer: str | None = None
    expires_at: str | None = None
    updated_at: str = ""
    version: int = 0
    under_way: Counter[str] = field(default_factory=Counter)
    """Units that a task under way will still move, by the fate it brings them."""

    def units(self, fate: str) -> int:
        """Units of all lines that came to a fate."""
        return sum(line.fates[fate] for line in self.lines.values())

    @property
    def reserved(self) -> int:
        """Units held."""
        return sum(line.reserved.total() for line in self.lines.values())

    @property
    def waiting(self) -> int:
        """Units awaited."""
        return sum(line.waiting.total() for line in self.lines.values())

    @property
    def pending(self) -> int:
        """Units that nothing was decided on yet."""
        return sum(line.pending for line in self.lines.values())


@dataclass
class Entry:
    """One place in a position's queue: the version that made it, and what each line awaits."""

    version: int
    order_id: str
    lines: Counter[int]


@dataclass
class Stock:
    """A position, counted from its movements alone, and its queue, from the orders' lines."""

    on_hand: int = 0
    reserved: int = 0
    backordered: int = 0
    damaged: int = 0
    threshold: int | None = None
    queue_from: int | None = None
    queue: list[Entry] = field(default_factory=list)
    version: int = 0
    at: str = ""
    escrowed: int | None = None
    split: dict[str, Any] | None = None

    @property
    def free(self) -> int:
        """Units fit for sale and promised to nobody."""
        return self.on_hand - self.reserved - self.damaged

    @property
    def available(self) -> int:
        """Units that a new order may have."""
        return max(0, self.free - self.backordered)
