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
    ESCROWED,
    FIFO,
    ONE_FATE,
    ONE_SHAPE,
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
        self.lanes: defaultdict[str, Stock] = defaultdict(Stock)
        """By stream: what is on each lane, which is the position if it has only one."""
        self.escrows: Counter[Spot] = Counter()
        """Units that came to lanes of each position, less those that went from them."""
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
            self._agree_on_lanes(spot, commit)

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
        """Follow a movement on its lane, and in the position as a whole."""
        lane, whole = self.lanes[event.stream], self.stock[event.spot]
        left, had = lane.available, whole.available
        units = event.data.get("quantity" if event.type == "StockReserved" else "reserved", 0)
        if event.type in ("StockReserved", "StockBackordered"):
            where = f"{event.stream} version {event.version}: {units}"
            insist(units <= left, POSITIVE, f"{where} of {left}")
            insist(units <= had, FIFO, f"{where} of {had} that nobody waits for")
        for account in (lane, whole):
            _move(account, event)
        self.moved_out[event.spot] += units_out(event)
        self._escrow(event, lane)
        lane.version, lane.at = event.version, event.at
        lane.queue_from = event.data["balance"].get("queue_from")
        if not event.lane:
            whole.queue_from = lane.queue_from
        self._says(event, lane)

    def _escrow(self, event: Event, lane: Stock) -> None:
        """What goes from lane to lane changes no position."""
        delta = 0
        if event.type in ("StockEscrowed", "PositionLanesSet"):
            delta = event.data["delta"]
        elif event.data.get("escrowed"):
            delta = -event.data["escrowed"]
        if event.type == "PositionLanesSet":
            lane.split = event.data["lanes"]
        if delta or event.type == "PositionLanesSet":
            lane.escrowed = (lane.escrowed or 0) + delta
            lane.on_hand += delta
            self.escrows[event.spot] += delta

    def _agree_on_lanes(self, spot: Spot, commit: Commit) -> None:
        """After a commit nothing is between lanes, and all of them know how many they are."""
        where = f"{spot} after commit {commit.number}"
        insist(not self.escrows[spot], ESCROWED, f"{where}: {self.escrows[spot]} made of nothing")
        position = f"stock:{spot[0]}@{spot[1]}"
        split = self.lanes[position].split
        for n in range(split["streams"] if split else 0):
            lane = self.lanes[position if not n else f"{position}#{n}"]
            insist(lane.split == split, ONE_SHAPE, f"{where}: {lane.split} on {n}, not {split}")
            assert split is not None
            open_ = 1 if split["gathered"] else split["count"]
            waiting = self.stock[spot].backordered
            insist(
                not waiting or open_ == 1, FIFO,
                f"{where}: {waiting} wait at lane 0 while {open_} lanes take orders",
            )  # fmt: skip
            closed = n >= open_
            insist(not (closed and lane.free), ONE_SHAPE, f"{where}: {lane.free} free on {n}")

    def _says(self, event: Event, stock: Stock) -> None:
        where = f"{event.stream} version {event.version} ({event.type})"
        counted = (stock.on_hand, stock.reserved, stock.backordered, stock.damaged)
        balance = event.data["balance"]
        told = tuple(balance[n] for n in ("on_hand", "reserved", "backordered", "damaged"))
        insist(told == counted, CONSERVED, f"{where} says {told}, its movements make {counted}")
        insist(
            balance.get("low_stock_threshold") == stock.threshold
            and balance.get("lanes") == stock.split
            and balance.get("escrowed") == stock.escrowed,
            CONSERVED, f"{where} has another threshold, or other lanes",
        )  # fmt: skip
        insist(min(counted) >= 0 and stock.free >= 0, POSITIVE, f"{where}: {counted}")


def units_out(event: Event) -> int:
    """Units that left the building."""
    return int(event.data["quantity"]) if event.type == "StockShipped" else 0


def _move(stock: Stock, event: Event) -> None:
    """What a movement changes of what a position holds; what lanes escrow is none of it."""
    data = event.data
    quantity = data.get("quantity", 0)
    match event.type:
        case "StockReceived":
            stock.on_hand += quantity
        case "StockAdjusted":
            stock.on_hand += data["delta"]
        case "StockReturned":
            stock.on_hand += quantity
            stock.damaged += quantity if data["disposition"] == "damaged" else 0
        case "StockReserved":
            stock.reserved += quantity
        case "StockBackordered":
            stock.backordered += quantity
            stock.reserved += data.get("reserved", 0)
        case "BackorderPromoted":
            stock.backordered -= quantity
            stock.reserved += quantity
        case "ReservationReleased" | "ReservationExpired":
            stock.reserved -= quantity
            stock.backordered -= data.get("backordered", 0)
        case "StockShipped":
            stock.on_hand -= quantity
            stock.reserved -= quantity
        case "PositionPolicySet":
            stock.threshold = data.get("low_stock_threshold")
        case "StockEscrowed" | "PositionLanesSet":
            pass
        case _:
            raise AssertionError(f"{event.type} on a position")
