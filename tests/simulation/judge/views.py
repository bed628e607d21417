"""What views must show: the rows at every version, from the independent books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from tests.simulation.judge.accounts import Order
from tests.simulation.judge.books import Books
from tests.simulation.judge.findings import insist
from tests.simulation.judge.history import Event

FOLD: Final = "10: every view is the fold of the log"
Shown = Mapping[str, Any]
Rows = dict[str, dict[int, Shown]]
"""By stream, the row at each version."""


class Expected:
    """The rows at every version of every stream."""

    def __init__(self) -> None:
        self.stock: Rows = {}
        self.orders: Rows = {}

    def see(self, event: Event, books: Books) -> None:
        """Note the row as it is right after an event."""
        if event.stream.startswith("stock:"):
            self.stock.setdefault(event.stream, {})[event.version] = _stock(event, books)
        else:
            order = books.orders[event.order_id]
            self.orders.setdefault(event.stream, {})[event.version] = _order(order, books)

    def judge(self, name: str, shown: Iterable[Any], streams: Rows) -> None:
        """Judge all rows of one generation of a view at quiescence."""
        rows = {_stream(row): row for row in shown}
        for stream in streams.keys() | rows.keys():
            insist(stream in rows, FOLD, f"{name} has no row of {stream}")
            insist(stream in streams, FOLD, f"{name} has a row of {stream}, which isn't there")
            versions = streams[stream]
            insist(
                rows[stream].version == max(versions), FOLD,
                f"{name} shows {stream} at version {rows[stream].version} of {max(versions)}",
            )  # fmt: skip
            self.judge_row(name, rows[stream])

    def judge_row(self, name: str, row: Any) -> None:
        """Judge a row that was read at some time, at its own version."""
        stream, shown = _stream(row), asdict(row)
        streams = self.stock if stream.startswith("stock:") else self.orders
        wanted = streams.get(stream, {}).get(row.version)
        insist(wanted is not None, FOLD, f"{name} shows {stream} at version {row.version}")
        assert wanted is not None
        wrong = {
            field: (shown[field], wanted[field])
            for field in wanted
            if shown[field] != wanted[field]
        }
        insist(not wrong, FOLD, f"{name} row of {stream} at version {row.version}: {wrong}")


def _stream(row: Any) -> str:
    return (
        f"order:{row.order_id}" if hasattr(row, "order_id") else f"stock:{row.sku}@{row.location}"
    )


def _stock(event: Event, books: Books) -> Shown:
    stock = books.lanes[event.stream]
    sku, location = event.stream.removeprefix("stock:").split("@")
    return {
        "sku": sku,
        "location": location,
        "lanes": stock.split and stock.split["streams"],
        "escrowed": stock.escrowed,
        "on_hand": stock.on_hand,
        "reserved": stock.reserved,
        "backordered": stock.backordered,
        "damaged": stock.damaged,
        "available": stock.available,
        "low_stock_threshold": stock.threshold,
        "promotable": stock.backordered > 0 and stock.free > 0,
        "version": event.version,
        "at": event.at,
    }


def _order(order: Order, books: Books) -> Shown:
    reserved, waiting = order.reserved, order.waiting
    shown: dict[str, Any] = {
        "order_id": order.order_id,
        "placed_at": order.placed_at,
        "updated_at": order.updated_at,
        "version": order.version,
        "customer": order.customer,
        "policy": order.policy,
        "expires_at": order.expires_at,
        "due_at": order.expires_at if reserved + waiting else None,
        "line_count": order.line_count,
        "ordered": sum(line.quantity for line in order.lines.values()),
        "reserved": reserved,
        "backordered": waiting,
        **{f: order.units(f) for f in ("shipped", "unfilled", "cancelled", "expired", "rejected")},
    }
    if not order.pending:
        shown["status"] = books.status(order)
    if not order.pending and not order.under_way.total():
        shown |= {"task": None, "task_units": 0}
    return shown
