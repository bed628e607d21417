"""The lists: which rows a page shows, and where the next one starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from api import problems
from api.problems import Problem
from api.schemas import stock as out
from api.schemas.events import EventOut, event_out
from api.schemas.orders import OrderSummaryOut, summary_out
from api.services import Services
from ledger.domain.order import OrderStatus
from ledger.domain.streams import stock_stream

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """One page: its items, their columns, the cursor of the next one, and further members."""

    items: Sequence[Mapping[str, object]]
    columns: Iterable[str]
    next_cursor: str | int | None
    members: Mapping[str, Any] = field(default_factory=dict)


def _cut(found: Sequence[T], limit: int, cursor: Callable[[T], str]) -> tuple[Sequence[T], Any]:
    """The page of `limit` entries, of which one more was asked for, and the cursor behind it."""
    if len(found) <= limit:
        return found, None
    return found[:limit], cursor(found[limit - 1])


def _pair(key: list[Any] | None) -> tuple[str, str] | None:
    return None if key is None else (key[0], key[1])


def orders(
    services: Services,
    *,
    status: OrderStatus | None,
    customer: str | None,
    after: str | None,
    limit: int,
) -> Listing:
    """Orders of the view, newest first."""
    cursors, filters = services.cursors, {"status": status, "customer": customer}
    applied_to = services.orders.applied_to()
    found = services.orders.list(
        status=status,
        customer=customer,
        after=_pair(cursors.open("orders", filters, after)),
        limit=limit + 1,
    )
    shown, following = _cut(
        found, limit, lambda o: cursors.seal("orders", filters, (o.placed_at, o.order_id))
    )
    items = [summary_out(order) for order in shown]
    members = {"applied_to": applied_to}
    return Listing(items, OrderSummaryOut.__annotations__, following, members)


def stock(
    services: Services,
    *,
    sku: str | None,
    location: str | None,
    below: int | None,
    after: str | None,
    limit: int,
    with_totals: bool,
) -> Listing:
    """Stock levels of the view by SKU and location, and if asked for totals of each SKU shown."""
    cursors, filters = services.cursors, {"sku": sku, "location": location, "below": below}
    applied_to = services.stock.applied_to()
    found = services.stock.list(
        sku=sku,
        location=location,
        below=below,
        after=_pair(cursors.open("stock", filters, after)),
        limit=limit + 1,
    )
    shown, following = _cut(
        found, limit, lambda level: cursors.seal("stock", filters, (level.sku, level.location))
    )
    skus = sorted({level.sku for level in shown}) if with_totals else []
    totals = services.stock.totals(skus)
    members = {
        "totals": {name: out.totals_out(total) for name, total in totals.items()},
        "applied_to": applied_to,
    }
    items = [out.level_out(level) for level in shown]
    return Listing(items, out.StockLevelOut.__annotations__, following, members)


def movements(
    services: Services,
    *,
    sku: str,
    location: str,
    lane: int,
    order: Literal["asc", "desc"],
    after: str | None,
    limit: int,
) -> Listing:
    """The stock card of a position, or of one of its lanes.

    Raises
    ------
    Problem
        Nothing was recorded there.
    """
    stream, cursors = stock_stream(sku, location, lane), services.cursors
    filters = {"stream": stream, "order": order}
    key = cursors.open("movements", filters, after)
    gt, lte = None, None
    if key is not None:
        gt, lte = (None, key[0] - 1) if order == "desc" else (key[0], None)
    found = services.ledger.history.events(
        stream, gt=gt, lte=lte, desc=order == "desc", limit=limit + 1
    )
    if not found and key is None:
        where = f"{location}, lane {lane}" if lane else location
        detail = f"Nothing was recorded for {sku} at {where}."
        raise Problem(problems.POSITION_NOT_FOUND, detail)
    shown, following = _cut(
        found, limit, lambda recorded: cursors.seal("movements", filters, (recorded.version,))
    )
    items = [out.movement_out(recorded) for recorded in shown]
    return Listing(items, out.MovementOut.__annotations__, following)


def events(services: Services, *, stream: str | None, after: int, limit: int) -> Listing:
    """The feed; it always says where to go on, also at its end."""
    found = services.ledger.history.feed(after, limit, stream)
    items = [event_out(position, recorded) for position, recorded in found]
    return Listing(items, EventOut.__annotations__, found[-1][0] if found else after)
