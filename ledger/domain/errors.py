"""Why the domain says no. Nothing here knows of HTTP; `api.problems` maps each to a problem.

::

    Refusal
    ├── InsufficientStock       a movement would take more than is free
    ├── OrderExists             the order id is taken
    ├── OrderNotFound           no such order
    ├── OrderNotOpen            nothing of the order (or line) is left to ship or cancel
    ├── OrderBusy               a large order's step is still under way
    ├── LineNotFound            the order has no such line
    ├── LineExceeded            more than the line has reserved or open
    ├── VersionMismatch         the caller expected another version of the stream
    └── BalanceLimitExceeded    a counter would exceed what JSON readers keep exact
    LawBroken                   history contradicts a law: a defect or a corruption, never a refusal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.events import Shortfall


class LawBroken(Exception):
    """A law of the ledger does not hold."""


class Refusal(Exception):
    """A command the ledger does not accept; nothing was recorded because of it."""


class InsufficientStock(Refusal):
    """A movement would take more than a position has free."""

    def __init__(self, shortfalls: Sequence[Shortfall]) -> None:
        self.shortfalls = tuple(shortfalls)
        parts = [
            f"{s.sku}{f' at {s.location}' if s.location else ''}: "
            f"{s.requested} requested, {s.available} available"
            for s in self.shortfalls[:5]
        ]
        more = f" and {len(self.shortfalls) - 5} more" if len(self.shortfalls) > 5 else ""
        super().__init__(f"not enough stock: {'; '.join(parts)}{more}")


class OrderExists(Refusal):
    """An order with this id was placed before."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(f"order {order_id} exists already: choose another order_id")


class OrderNotFound(Refusal):
    """No order has this id."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(f"there is no order {order_id}")


class OrderNotOpen(Refusal):
    """Nothing of the order is left to ship or to cancel."""

    def __init__(self, order_id: str, status: str, wanted: str) -> None:
        self.order_id = order_id
        self.status = status
        super().__init__(f"order {order_id} is {status}: nothing is left to {wanted}")


class OrderBusy(Refusal):
    """A step of a large order (allocation, shipment, ...) is still under way; try again soon."""

    def __init__(self, order_id: str, task: str) -> None:
        self.order_id = order_id
        self.task = task
        super().__init__(f"the {task} of order {order_id} is still under way: try again soon")


class LineNotFound(Refusal):
    """The order has no line of this number."""

    def __init__(self, order_id: str, line: int, index: int) -> None:
        self.order_id = order_id
        self.line = line
        self.index = index
        super().__init__(f"order {order_id} has no line {line}")


class LineExceeded(Refusal):
    """More was asked of a line than it has."""

    def __init__(self, order_id: str, line: int, index: int, wanted: int, has: int) -> None:
        self.order_id = order_id
        self.line = line
        self.index = index
        self.wanted = wanted
        self.has = has
        super().__init__(f"line {line} of order {order_id} has {has} left, {wanted} were asked for")


class VersionMismatch(Refusal):
    """The stream is not at the version the caller expected."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        self.stream = stream
        self.expected = expected
        self.actual = actual
        super().__init__(f"{stream} is at version {actual}, not {expected}: read it again")


class BalanceLimitExceeded(Refusal):
    """A counter would exceed the largest integer every JSON reader keeps exact."""

    def __init__(self, counter: str, limit: int) -> None:
        self.counter = counter
        self.limit = limit
        super().__init__(f"{counter} would exceed {limit}")
