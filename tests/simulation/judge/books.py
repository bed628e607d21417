"""Independent books: who holds and awaits which units, counted again from the raw events.

Shares no code with the ledger. Units are followed through the orders' lines; what positions say
of themselves, movement by movement, must agree with that at every commit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from tests.simulation.judge.accounts import (
    ACCOUNTED,
    CONSERVED,
    FIFO,
    ONE_FATE,
    POSITIVE,
    RESERVED,
    Spot,
    Stock,
)
from tests.simulation.judge.findings import insist
from tests.simulation.judge.history import Commit, Event
from tests.simulation.judge.order_books import OrderBooks


class Books(OrderBooks):
    """All positions and orders after the commits taken so far; `see` is called event by event."""

    def __init__(self, see: Callable[[Event, Books], None] = lambda _event, _books: None) -> None:
        super().__init__()
        self._see = see
        self.moved_out: Counter[Spot] = Counter()
        self.past: defaultdict[Spot, list[tuple[int, int, int]]] = defaultdict(list)
        """By position: (commit, free units, available units) after each commit."""
        self.existing: dict[str, int] = {}
        """Commit that placed each order."""

    def take(self, commit: Commit) -> None:
        """Follow one commit and check every law that can be checked now."""
        touched: dict[Spot, None] = {}
        entries: dict[Spot, int] = {}
        for event in commit.events:
            if event.stream.startswith("stock:") and event.type == "StockBackordered":
                entries[event.spot] = event.version
        for event in commit.events:
            if event.stream.startswith("order:"):
                touched |= dict.fromkeys(self.follow_order(event, entries))
                self.existing.setdefault(event.order_id, commit.number)
                self._see(event, self)
        for event in commit.events:
            if event.stream.startswith("stock:"):
                self._movement(event)
                self._see(event, self)
                touched[event.spot] = None
        for spot in touched:
            self._agree(spot, commit)

    def _agree(self, spot: Spot, commit: Commit) -> None:
        """What the position says and what the orders' lines say is the same."""
        stock, where = self.stock[spot], f"{spot} after commit {commit.number}"
        waits = sum(entry.lines.total() for entry in stock.queue)
        insist(
            stock.reserved == self.held[spot], RESERVED,
            f"{where}: {stock.reserved}, the orders' lines hold {self.held[spot]}",
        )  # fmt: skip
        insist(
            stock.backordered == waits, ACCOUNTED,
            f"{where}: {stock.backordered} backordered, the queue awaits {waits}",
        )  # fmt: skip
        insist(
            self.moved_out[spot] == self.shipped[spot], ONE_FATE,
            f"{where}: {self.moved_out[spot]} left, orders shipped {self.shipped[spot]}",
        )  # fmt: skip
        insist(
            (stock.queue_from is not None) == (stock.backordered > 0)
            and (not stock.queue or (stock.queue_from or 0) <= stock.queue[0].version),
            FIFO, f"{where}: the queue is said to begin at {stock.queue_from}",
        )  # fmt: skip
        self.past[spot].append((commit.number, stock.free, stock.available))

    def _movement(self, event: Event) -> None:
        stock, data = self.stock[event.spot], event.data
        quantity = data.get("quantity", 0)
        before = stock.available
        match event.type:
            case "StockReceived":
                stock.on_hand += quantity
            case "StockAdjusted":
                stock.on_hand += data["delta"]
            case "StockReturned":
                stock.on_hand += quantity
                stock.damaged += quantity if data["disposition"] == "damaged" else 0
            case "StockReserved":
                insist(quantity <= before, POSITIVE, f"{event.stream}: {quantity} of {before}")
                stock.reserved += quantity
            case "StockBackordered":
                taken = data.get("reserved", 0)
                insist(taken <= before, POSITIVE, f"{event.stream}: {taken} of {before}")
                stock.backordered += quantity
                stock.reserved += taken
            case "BackorderPromoted":
                stock.backordered -= quantity
                stock.reserved += quantity
            case "ReservationReleased" | "ReservationExpired":
                stock.reserved -= quantity
                stock.backordered -= data.get("backordered", 0)
            case "StockShipped":
                stock.on_hand -= quantity
                stock.reserved -= quantity
                self.moved_out[event.spot] += quantity
            case "PositionPolicySet":
                stock.threshold = data.get("low_stock_threshold")
            case _:
                raise AssertionError(f"{event.type} on a position")
        stock.version, stock.at = event.version, event.at
        stock.queue_from = data["balance"].get("queue_from")
        self._says(event, stock)

    def _says(self, event: Event, stock: Stock) -> None:
        where = f"{event.stream} version {event.version} ({event.type})"
        counted = (stock.on_hand, stock.reserved, stock.backordered, stock.damaged)
        balance = event.data["balance"]
        told = tuple(balance[n] for n in ("on_hand", "reserved", "backordered", "damaged"))
        insist(told == counted, CONSERVED, f"{where} says {told}, its movements make {counted}")
        insist(
            balance.get("low_stock_threshold") == stock.threshold, CONSERVED,
            f"{where} has another threshold",
        )  # fmt: skip
        insist(min(counted) >= 0 and stock.free >= 0, POSITIVE, f"{where}: {counted}")
