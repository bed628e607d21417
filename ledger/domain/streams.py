"""Stream ids: the only place that builds or parses them.

`stock:{sku}@{location}` is a position; `order:{order_id}` is an order. The parts exclude
`@ : # /` (see `values.ID_PATTERN`), so an id parses one way only.
"""

from __future__ import annotations

STOCK = "stock:"
ORDER = "order:"


def stock_stream(sku: str, location: str) -> str:
    """Stream id of the position that holds `sku` at `location`."""
    return f"{STOCK}{sku}@{location}"


def order_stream(order_id: str) -> str:
    """Stream id of an order."""
    return f"{ORDER}{order_id}"


def is_stock(stream: str) -> bool:
    """Whether the stream is a position."""
    return stream.startswith(STOCK)


def is_order(stream: str) -> bool:
    """Whether the stream is an order."""
    return stream.startswith(ORDER)


def parse_stock(stream: str) -> tuple[str, str]:
    """SKU and location of a position's stream id."""
    sku, found, location = stream.removeprefix(STOCK).partition("@")
    if not is_stock(stream) or not found or not sku or not location:
        msg = f"{stream!r} is not a position's stream id (stock:SKU@LOCATION)"
        raise ValueError(msg)
    return sku, location


def parse_order(stream: str) -> str:
    """Order id of an order's stream id."""
    order_id = stream.removeprefix(ORDER)
    if not is_order(stream) or not order_id:
        msg = f"{stream!r} is not an order's stream id (order:ORDER_ID)"
        raise ValueError(msg)
    return order_id
