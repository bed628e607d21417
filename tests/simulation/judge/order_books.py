"""Orders in the books: where every unit of every line is, event by event."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tests.simulation.judge.accounts import (
    ACCOUNTED,
    FIFO,
    ONE_FATE,
    Entry,
    Line,
    Order,
    Spot,
    Stock,
)
from tests.simulation.judge.findings import insist
from tests.simulation.judge.history import Event

Part = Mapping[str, Any]

_ASKING: Final = frozenset({"OrderPlaced", "OrderLinesAdded", "OrderRejected"})
_FATES: Final[Mapping[str, str]] = {
    "OrderShipped": "shipped",
    "OrderCancelled": "cancelled",
    "OrderExpired": "expired",
    "OrderDeallocated": "rejected",
    "OrderRejected": "rejected",
}


class OrderBooks:
    """All orders; `stock` holds the queues they wait in."""

    def __init__(self) -> None:
        self.stock: defaultdict[Spot, Stock] = defaultdict(Stock)
        self.orders: dict[str, Order] = {}
        self.held: Counter[Spot] = Counter()
        self.shipped: Counter[Spot] = Counter()

    def follow_order(self, event: Event, entries: Mapping[Spot, int]) -> list[Spot]:
        """Follow an order's event; answers the positions whose units it moved."""
        data = event.data
        order = self.orders.get(event.order_id)
        if order is None:
            insist(
                event.type in ("OrderPlaced", "OrderRejected"), ACCOUNTED,
                f"{event.stream} begins with {event.type}",
            )  # fmt: skip
            order = self._begin(event)
        order.version, order.updated_at = event.version, event.at
        for line in data.get("lines") or () if event.type in _ASKING else ():
            asked = Line(line["sku"], line["quantity"], line.get("location"))
            order.lines[line["line"]] = asked
        spots: list[Spot] = []
        if event.type == "BackorderAllocated":
            spots = self._promoted(order, data["allocations"], event)
        else:
            spots += self._allocated(order, data.get("allocations", ()), entries)
            spots += self._given_up(order, data, event)
        for part in data.get("unfilled", ()):
            order.lines[part["line"]].fates["unfilled"] += part["quantity"]
        if event.type == "OrderRejected":
            for asked in order.lines.values():
                asked.fates["rejected"] += asked.pending
        self._follow_task(order, event)
        for number, asked in order.lines.items():
            units = (asked.pending, *asked.reserved.values(), *asked.waiting.values())
            insist(min(units) >= 0, ACCOUNTED, f"{event.stream} line {number}: {asked}")
        return spots

    def _begin(self, event: Event) -> Order:
        data = event.data
        order = self.orders[event.order_id] = Order(event.order_id, event.at)
        order.policy = data.get("policy", order.policy)
        order.customer = data.get("customer")
        order.expires_at = data.get("expires_at")
        order.line_count = data.get("line_count") or 0
        return order

    def _allocated(
        self, order: Order, parts: Iterable[Part], entries: Mapping[Spot, int]
    ) -> list[Spot]:
        spots = []
        for part in parts:
            line, location = order.lines[part["line"]], part["location"]
            spot = line.sku, location
            line.reserved[location] += part["reserved"]
            self.held[spot] += part["reserved"]
            if waits := part.get("backordered", 0):
                line.waiting[location] += waits
                version = entries.get(spot, 0)
                insist(
                    part.get("entry") == version, FIFO,
                    f"{order.order_id} queues at {spot} as {part.get('entry')}, not {version}",
                )  # fmt: skip
                queue = self.stock[spot].queue
                if not queue or queue[-1].version != version:
                    queue.append(Entry(version, order.order_id, Counter()))
                queue[-1].lines[part["line"]] += waits
            spots.append(spot)
        return spots

    def _promoted(self, order: Order, parts: Sequence[Part], event: Event) -> list[Spot]:
        spots = []
        for part in parts:
            line, units = order.lines[part["line"]], part["reserved"]
            spot = line.sku, part["location"]
            queue = self.stock[spot].queue
            insist(
                queue and queue[0].order_id == order.order_id
                and queue[0].lines[part["line"]] >= units,
                FIFO, f"{event.stream} version {event.version} is served at {spot} before its turn",
            )  # fmt: skip
            queue[0].lines[part["line"]] -= units
            self.stock[spot].queue = [entry for entry in queue if entry.lines.total()]
            line.waiting[part["location"]] -= units
            line.reserved[part["location"]] += units
            self.held[spot] += units
            spots.append(spot)
        return spots

    def _given_up(self, order: Order, data: Mapping[str, Any], event: Event) -> list[Spot]:
        """Units that leave: shipped, or given back for some reason."""
        spots = []
        fate = _FATES.get(event.type, "")
        for part in data.get("shipped", data.get("released", ())):
            line, location = order.lines[part["line"]], part["location"]
            spot, units = (line.sku, location), part["reserved"]
            line.reserved[location] -= units
            self.held[spot] -= units
            line.fates[fate] += units
            if fate == "shipped":
                self.shipped[spot] += units
            if waits := part.get("backordered", 0):
                line.waiting[location] -= waits
                line.fates[fate] += waits
                self._leave(spot, order.order_id, part["line"], waits, event)
            spots.append(spot)
        return spots

    def _leave(self, spot: Spot, order_id: str, number: int, units: int, event: Event) -> None:
        stock = self.stock[spot]
        for entry in stock.queue:
            if entry.order_id == order_id and entry.lines[number]:
                take = min(units, entry.lines[number])
                entry.lines[number] -= take
                units -= take
        insist(units == 0, ONE_FATE, f"{event.stream} leaves a queue it wasn't in")
        stock.queue = [entry for entry in stock.queue if entry.lines.total()]

    def _follow_task(self, order: Order, event: Event) -> None:
        """How much work a large order's task has left."""
        data, fate = event.data, _FATES.get(event.type, "")
        if event.type == "ShipmentStarted":
            lines = data.get("lines")
            asked = order.reserved if lines is None else sum(p["quantity"] for p in lines)
            order.under_way = Counter({"shipped": asked})
        elif event.type == "CancellationStarted":
            order.under_way = Counter({"cancelled": data["units"]})
        elif event.type == "ExpiryStarted":
            order.under_way = Counter({"expired": order.reserved + order.waiting})
        elif event.type == "OrderDeallocated":
            order.under_way = Counter({"rejected": order.reserved + order.waiting})
        elif fate:
            parts = data.get("shipped", data.get("released", ()))
            done = sum(p["reserved"] + p.get("backordered", 0) for p in parts)
            order.under_way[fate] = max(0, order.under_way[fate] - done)

    def status(self, order: Order) -> str:
        """What became of an order, in one word."""
        shipped = order.units("shipped")
        if order.reserved or order.waiting:
            if shipped:
                return "partially_shipped"
            return "backordered" if order.waiting else "allocated"
        if shipped:
            return "shipped"
        if order.units("expired"):
            return "expired"
        return "cancelled" if order.units("cancelled") else "rejected"
