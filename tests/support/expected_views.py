"""The rows that views must show of a log, by the ledger's own fold of whole streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eventsourcing.persistence import StoredEvent

from ledger.codec import Recorded, decode
from ledger.domain import events as e
from ledger.domain import folding
from ledger.domain.order import Order
from ledger.domain.streams import is_order, is_stock, parse_order
from projections.views import OrderRow, StockRow


def streams_of(log: Iterable[StoredEvent]) -> dict[str, list[Recorded]]:
    """The log by stream, each in version order."""
    streams: dict[str, list[Recorded]] = {}
    for stored in log:
        streams.setdefault(str(stored.originator_id), []).append(decode(stored))
    return {stream: sorted(found, key=lambda r: r.version) for stream, found in streams.items()}


def expected_stock(log: Iterable[StoredEvent]) -> dict[tuple[str, ...], StockRow]:
    """The stock levels that the log tells of."""
    rows: dict[tuple[str, ...], StockRow] = {}
    for stream, found in streams_of(log).items():
        if is_stock(stream):
            last = found[-1]
            assert isinstance(last.event, e.PositionEvent)
            balance = last.event.balance
            free = balance.on_hand - balance.reserved - balance.damaged
            sku, location = stream.removeprefix("stock:").split("@")
            rows[sku, location] = StockRow(
                sku=sku,
                location=location,
                on_hand=balance.on_hand,
                reserved=balance.reserved,
                backordered=balance.backordered,
                damaged=balance.damaged,
                available=max(0, free - balance.backordered),
                low_stock_threshold=balance.low_stock_threshold,
                queue_from=balance.queue_from,
                promotable=balance.backordered > 0 and free > 0,
                version=len(found),
                at=last.at,
                lanes=balance.lanes.streams if balance.lanes else None,
                escrowed=balance.escrowed,
            )
    return rows


def expected_orders(log: Iterable[StoredEvent]) -> dict[tuple[str, ...], OrderRow]:
    """The order summaries that the log tells of, by the ledger's own fold of whole streams."""
    return {
        (parse_order(stream),): summary(found)
        for stream, found in streams_of(log).items()
        if is_order(stream)
    }


def summary(found: Sequence[Recorded]) -> OrderRow:
    """The summary of an order after the given events, the first to the last."""
    order = folding.fold(parse_order(found[0].stream), (recorded.event for recorded in found))
    first = found[0].event
    assert isinstance(first, e.OrderPlaced | e.OrderRejected)
    totals = order.totals
    return OrderRow(
        order_id=order.order_id,
        placed_at=found[0].at,
        updated_at=found[-1].at,
        version=order.version,
        customer=order.customer,
        policy=order.policy.value,
        status=order.status.value,
        expires_at=order.expires_at,
        due_at=order.expires_at if totals.open else None,
        line_count=first.line_count or 0,
        ordered=totals.ordered,
        reserved=totals.reserved,
        backordered=totals.backordered,
        shipped=totals.shipped,
        unfilled=totals.unfilled,
        cancelled=totals.cancelled,
        expired=totals.expired,
        rejected=totals.rejected,
        task=None if order.task is None else order.task.kind.value,
        task_units=_units_left(order),
    )


def _units_left(order: Order) -> int:
    return 0 if order.task is None else sum(r + b for r, b in order.task.remaining.values())
