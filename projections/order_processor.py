"""The order processor: reacts to facts by asking the ledger for what follows from them.

It decides nothing itself. The ledger decides every step from the streams, so doing a thing twice,
late, or on two machines is harmless, and what a reaction missed the next sweep finds in the views.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from eventsourcing.persistence import StoredEvent

from ledger.codec import decode
from ledger.domain import events as e
from ledger.domain.order import Order
from ledger.domain.streams import is_order, is_stock, parse_order, stock_stream
from ledger.errors import Contention
from ledger.service.clock import Clock, instant, utc_now
from projections.store.base import Query, ViewStore
from projections.views import OrdersView, StockLevelsView

log = logging.getLogger(__name__)

TASK_EVENTS: Final = frozenset(
    kind.name
    for kind in (
        e.OrderAllocated,
        e.OrderDeallocated,
        e.ShipmentStarted,
        e.CancellationStarted,
        e.ExpiryStarted,
    )
)
"""Events that only orders too large for one commit have, and that leave work to be done."""

NEVER_PROMOTABLE: Final = frozenset(
    kind.name for kind in (e.StockReserved, e.StockShipped, e.PositionPolicySet)
)
"""Events that neither free stock nor queue for it: the greater part, passed over unread."""


class Commands(Protocol):
    """What the order processor asks of the ledger. Every method may be called at any time."""

    def advance(self, order_id: str, /) -> Order:
        """Finish the task under way for an order, if there is one."""

    def promote(self, stream: str, /) -> int:
        """Serve a position's backorder queue from what is free; answers units promoted."""

    def expire(self, order_id: str, /) -> bool:
        """Expire what is open of an order, if it is due."""


@dataclass(slots=True)
class Report:
    """What a reaction or a sweep did. `failed` names what will be tried again."""

    advanced: int = 0
    promoted: int = 0
    """In units."""
    expired: int = 0
    failed: tuple[str, ...] = ()


class OrderProcessor:
    """Keeps large orders going, serves backorder queues and expires orders that are due."""

    def __init__(
        self,
        ledger: Commands,
        store: ViewStore,
        *,
        stock_levels: StockLevelsView,
        orders: OrdersView,
        clock: Clock = utc_now,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._stock_levels = stock_levels
        self._orders = orders
        self._clock = clock

    def react(self, events: Iterable[StoredEvent]) -> Report:
        """Do what follows from events. A failure is logged and left to the next sweep."""
        newest: dict[str, StoredEvent] = {}
        orders: dict[str, None] = {}
        for event in events:
            stream = str(event.originator_id)
            known = newest.get(stream)
            if is_order(stream):
                if self._leaves_work(event):
                    orders[parse_order(stream)] = None
            elif (
                is_stock(stream)
                and event.topic not in NEVER_PROMOTABLE
                and (known is None or known.originator_version < event.originator_version)
            ):
                newest[stream] = event
        report = Report()
        self._advance(orders, report)
        self._promote([s for s, event in newest.items() if self._promotable(event)], report)
        return report

    def sweep(self) -> Report:
        """Do everything that the views show is to be done."""
        report = Report()
        busy = self._store.each(self._orders, Query(present=("task",)))
        self._advance([row.order_id for row in busy], report)
        waiting = self._store.each(self._stock_levels, Query(present=("promotable",)))
        self._promote([stock_stream(row.sku, row.location) for row in waiting], report)
        due = Query(at_most={"due_at": instant(self._clock())})
        self._expire([row.order_id for row in self._store.each(self._orders, due)], report)
        return report

    def _leaves_work(self, event: StoredEvent) -> bool:
        """Whether an order's event alone shows that a task is (or may be) under way."""
        if event.topic == e.OrderPlaced.name and event.originator_version == 1:
            data = decode(event).data
            return not data.get("allocations") and not data.get("unfilled")
        return event.topic in TASK_EVENTS

    def _promotable(self, event: StoredEvent) -> bool:
        return self._stock_levels.fold(None, decode(event)).promotable

    def _advance(self, orders: Iterable[str], report: Report) -> None:
        def advance(order_id: str) -> None:
            self._ledger.advance(order_id)
            report.advanced += 1

        _each("advancing order", sorted(orders), advance, report)

    def _promote(self, streams: Sequence[str], report: Report) -> None:
        def promote(stream: str) -> None:
            report.promoted += self._ledger.promote(stream)

        _each("promoting", streams, promote, report)

    def _expire(self, orders: Sequence[str], report: Report) -> None:
        def expire(order_id: str) -> None:
            report.expired += self._ledger.expire(order_id)

        _each("expiring order", orders, expire, report)


def _each(doing: str, names: Iterable[str], action: Callable[[str], None], report: Report) -> None:
    """Do `action` for every name; one that fails doesn't keep the others waiting."""
    for name in names:
        try:
            action(name)
        except Contention:
            log.info("%s %s: the stock was too busy, the next sweep tries again", doing, name)
            report.failed += (name,)
        except Exception:
            log.exception("%s %s failed, the next sweep tries again", doing, name)
            report.failed += (name,)
