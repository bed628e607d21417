"""What becomes of orders in the model: placing, shipping, giving back, serving the queue."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from ledger.service import CancelOrder, PlaceOrder, ShipOrder
from tests.support.model_books import (
    Answer,
    AskedLine,
    AskedOrder,
    Books,
    Limit,
    Refused,
    Spot,
    Waiting,
)


def place(books: Books, command: PlaceOrder, order_id: str, now: datetime) -> Answer:
    """Reserve what is there; the policy says what becomes of the rest."""
    if order_id in books.orders:
        raise Refused("OrderExists", order_id)
    lines = {
        number: AskedLine(line.sku, line.quantity, line.location)
        for number, line in enumerate(command.lines, 1)
    }
    order = AskedOrder(order_id, str(command.policy.value), command.customer, lines)
    took, missing = _search(books, order)
    books.orders[order_id] = order
    refused = {"all_or_nothing": bool(missing), "partial": not took, "backorder": False}
    if refused[order.policy]:
        order.shortfalls = _shortfalls(order, missing)
        for line in lines.values():
            line.fates["rejected"] = line.quantity
        written = books.write(f"order:{order_id}", "OrderRejected")
        return Answer(written=written, order=books.snapshot(order_id))
    if command.reservation_ttl_seconds is not None:
        order.expires_at = now + timedelta(seconds=command.reservation_ttl_seconds)
    movements = {}
    for (number, location), units in took.items():
        lines[number].reserved[location] += units
        movements[lines[number].sku, location] = "StockReserved"
    for number, units in missing.items():
        if order.policy == "partial":
            lines[number].fates["unfilled"] = units
        else:
            movements[_enqueue(books, order, number, units)] = "StockBackordered"
    written = books.write_all(order_id, "OrderPlaced", movements)
    return Answer(written=written, order=books.snapshot(order_id))


def _search(books: Books, order: AskedOrder) -> tuple[dict[tuple[int, str], int], dict[int, int]]:
    """What each line takes where, lines that name their location first; and what each misses."""
    left_at: dict[Spot, int] = {}
    took: dict[tuple[int, str], int] = {}
    missing: dict[int, int] = {}
    named = [number for number, line in order.lines.items() if line.location]
    unnamed = [number for number, line in order.lines.items() if not line.location]
    for number in named + unnamed:
        line = order.lines[number]
        lacks = line.quantity
        for location in [line.location] if line.location else books.candidates:
            spot = (line.sku, location)
            waiting = books.at(*spot).backordered
            left = left_at.setdefault(spot, max(0, books.free(*spot) - waiting))
            if take := min(lacks, left):
                took[number, location] = take
                left_at[spot] -= take
                lacks -= take
        if lacks:
            missing[number] = lacks
    return took, missing


def _shortfalls(order: AskedOrder, missing: dict[int, int]) -> list[Limit]:
    asked: Counter[tuple[str, str | None]] = Counter()
    lacks: Counter[tuple[str, str | None]] = Counter()
    for number, line in order.lines.items():
        asked[line.sku, line.location] += line.quantity
        lacks[line.sku, line.location] += missing.get(number, 0)
    return [(sku, at, asked[sku, at], asked[sku, at] - n) for (sku, at), n in lacks.items() if n]


def _enqueue(books: Books, order: AskedOrder, number: int, units: int) -> Spot:
    line = order.lines[number]
    location = line.location or books.candidates[0]
    queue = books.at(line.sku, location).queue
    if not queue or queue[-1].order_id != order.order_id:
        queue.append(Waiting(order.order_id, {}))
    queue[-1].lines[number] = units
    return line.sku, location


def ship(books: Books, command: ShipOrder) -> Answer:
    """Reserved units leave, a line's locations in the order they were reserved."""
    order = books.orders[command.order_id]
    wanted: Counter[int] = Counter()
    for index, part in enumerate(command.lines or ()):
        _exists(order, part.line, index)
        wanted[part.line] += part.quantity
        has = order.lines[part.line].reserved.total()
        if wanted[part.line] > has:
            raise Refused("LineExceeded", part.line, index, wanted[part.line], has)
    if command.lines is None:
        wanted = Counter({n: line.reserved.total() for n, line in order.lines.items()})
    if not wanted.total():
        raise Refused("OrderNotOpen", books.status(order.order_id))
    spots = set()
    for number, units in wanted.items():
        line = order.lines[number]
        for location, held in line.reserved.items():
            if take := min(units, held):
                units -= take
                line.reserved[location] -= take
                line.shipped[location] += take
                books.at(line.sku, location).on_hand -= take
                spots.add((line.sku, location))
    return _settled(books, order, "OrderShipped", "StockShipped", spots)


def cancel(books: Books, command: CancelOrder) -> Answer:
    """Open units are given back."""
    order = books.orders[command.order_id]
    for index, number in enumerate(command.lines or ()):
        _exists(order, number, index)
    status = books.status(order.order_id)
    chosen = order.lines if command.lines is None else command.lines
    spots = _give_back(books, order, list(chosen), "cancelled")
    if not spots:
        raise Refused("OrderNotOpen", status)
    return _settled(books, order, "OrderCancelled", "ReservationReleased", spots)


def expire(books: Books, order_id: str, now: datetime) -> Answer:
    """Open units of an order whose time is up are given back; nothing written if it is not."""
    order = books.orders.get(order_id)
    if order is None or order.expires_at is None or order.expires_at > now:
        return Answer()
    spots = _give_back(books, order, list(order.lines), "expired")
    if not spots:
        return Answer()
    return _settled(books, order, "OrderExpired", "ReservationExpired", spots)


def promote(books: Books, sku: str, location: str) -> tuple[int, Answer]:
    """Serve the queue from its head while anything is free; the units, and what is written."""
    spot, promoted, answer = books.at(sku, location), 0, Answer()
    while spot.queue and (units := min(books.free(sku, location), spot.queue[0].units)) > 0:
        head, left = spot.queue[0], units
        for number in sorted(head.lines):
            take = min(left, head.lines[number])
            head.lines[number] -= take
            books.orders[head.order_id].lines[number].reserved[location] += take
            left -= take
        promoted += units
        answer.written += books.write_all(
            head.order_id, "BackorderAllocated", {(sku, location): "BackorderPromoted"}
        )
        spot.queue = [entry for entry in spot.queue if entry.units]
    return promoted, answer


def _exists(order: AskedOrder, number: int, index: int) -> None:
    if number not in order.lines:
        raise Refused("LineNotFound", number, index)


def _give_back(books: Books, order: AskedOrder, numbers: list[int], fate: str) -> set[Spot]:
    spots = set()
    for number in numbers:
        line = order.lines[number]
        for sku, location in list(books.stock):
            if sku == line.sku:
                units = books.at(sku, location).leave(order.order_id, number)
                units += line.reserved.pop(location, 0)
                line.fates[fate] += units
                spots |= {(sku, location)} if units else set()
    return spots


def _settled(books: Books, order: AskedOrder, what: str, kind: str, spots: set[Spot]) -> Answer:
    written = books.write_all(order.order_id, what, dict.fromkeys(spots, kind))
    return Answer(written=written, order=books.snapshot(order.order_id))
