"""Stream ids: the only place that builds or parses them.

`stock:{sku}@{location}` is a position, and its lane 0; `stock:{sku}@{location}#{n}` is its lane n.
`order:{order_id}` is an order. The parts exclude `@ : # /` (see `values.ID_PATTERN`), so an id
parses one way only.
"""

from __future__ import annotations

STOCK = "stock:"
ORDER = "order:"
LANE = "#"


def stock_stream(sku: str, location: str, lane: int = 0) -> str:
    """Stream id of a lane of the position that holds `sku` at `location`."""
    return lane_stream(f"{STOCK}{sku}@{location}", lane)


def lane_stream(position: str, lane: int) -> str:
    """Stream id of a lane of a position; lane 0 is the position's own stream."""
    return f"{position}{LANE}{lane}" if lane else position


def order_stream(order_id: str) -> str:
    """Stream id of an order."""
    return f"{ORDER}{order_id}"


def is_stock(stream: str) -> bool:
    """Whether the stream is a position, or a lane of one."""
    return stream.startswith(STOCK)


def is_order(stream: str) -> bool:
    """Whether the stream is an order."""
    return stream.startswith(ORDER)


def position_of(stream: str) -> str:
    """The position's own stream (its lane 0) of any of its lanes."""
    return stream.partition(LANE)[0]


def lane_of(stream: str) -> int:
    """Which lane of its position a stream is."""
    _, found, lane = stream.partition(LANE)
    if not found:
        return 0
    if not (lane.isascii() and lane.isdecimal()) or lane.startswith("0"):
        msg = f"{stream!r} is not a lane's stream id (stock:SKU@LOCATION#LANE)"
        raise ValueError(msg)
    return int(lane)


def parse_stock(stream: str) -> tuple[str, str]:
    """SKU and location of a position's stream id, whichever lane it is."""
    sku, found, location = position_of(stream).removeprefix(STOCK).partition("@")
    if not is_stock(stream) or not found or not sku or not location:
        msg = f"{stream!r} is not a position's stream id (stock:SKU@LOCATION)"
        raise ValueError(msg)
    lane_of(stream)
    return sku, location


def parse_order(stream: str) -> str:
    """Order id of an order's stream id."""
    order_id = stream.removeprefix(ORDER)
    if not is_order(stream) or not order_id:
        msg = f"{stream!r} is not an order's stream id (order:ORDER_ID)"
        raise ValueError(msg)
    return order_id
