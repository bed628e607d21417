"""The order processor: reacts to facts by asking the ledger for what follows from them.

It decides nothing itself. The ledger decides every step from the streams, so doing a thing twice,
late, or on two machines is harmless, and what a reaction missed the next sweep finds in the views.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from ledger.domain import events as e
from ledger.domain.order import Order
from ledger.domain.streams import is_order, is_stock, order_stream, parse_order, stock_stream
from ledger.errors import Contention
from ledger.service.clock import Clock, instant, utc_now
from projections.arrivals import Arrived, recorded, stream_of, type_of, version_of
from projections.generations import Registry
from projections.store.base import Query, ViewStore
from projections.views import OpenReservationsView, OrdersView, StockLevelsView

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
    """What a reaction or a sweep did. Whatever failed is tried again by the next sweep."""

    advanced: int = 0
    promoted: int = 0
    """In units."""
    expired: int = 0
    failed: dict[str, Exception] = field(default_factory=dict)
    """Streams that something could not be done for, and why."""


Work = Iterable[tuple[str, str | None]]
"""Streams that something is to be done for, each with the command whose event says so (None: a
view does)."""


class OrderProcessor:
    """Keeps large orders going, serves backorder queues and expires orders that are due.

    Parameters
    ----------
    registry
        Which generation of a view is read (default: the store's, looked up every time).
    """

    def __init__(
        self,
        ledger: Commands,
        store: ViewStore,
        *,
        stock_levels: StockLevelsView,
        orders: OrdersView,
        open_reservations: OpenReservationsView,
        registry: Registry | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._stock_levels = stock_levels
        self._orders = orders
        self._open_reservations = open_reservations
        self._registry = registry or Registry(store, trusted=0)
        self._clock = clock

    def react(self, events: Iterable[Arrived]) -> Report:
        """Do what follows from events. A failure is logged and left to the next sweep."""
        newest: dict[str, Arrived] = {}
        orders: dict[str, str] = {}
        for event in events:
            stream = stream_of(event)
            known = newest.get(stream)
            if is_order(stream):
                if self._leaves_work(event):
                    orders[stream] = recorded(event).command
            elif (
                is_stock(stream)
                and type_of(event) not in NEVER_PROMOTABLE
                and (known is None or version_of(known) < version_of(event))
            ):
                newest[stream] = event
        report = Report()
        self._advance(sorted(orders.items()), report)
        promotable = [event for event in newest.values() if self._promotable(event)]
        self._promote([(stream_of(e), recorded(e).command) for e in promotable], report)
        return report

    def sweep(self) -> Report:
        """Do everything that the views show is to be done, page by page.

        Raises
        ------
        Exception
            A view could not be read, after what the other views show was done.
        """
        report = Report()
        errors: list[Exception] = []
        for part in (self._sweep_tasks, self._sweep_queues, self._sweep_due):
            try:
                part(report)
            except Exception as error:
                errors.append(error)
        if errors:
            for other in errors[1:]:
                errors[0].add_note(f"another view could not be read either: {other!r}")
            raise errors[0]
        return report

    def _sweep_tasks(self, report: Report) -> None:
        view = self._registry.active(self._orders)
        busy = [row.order_id for row in self._store.each(view, Query(present=("task",)))]
        # Listed newest first: whoever waits longest is not to wait for those who come.
        self._advance(((order_stream(order_id), None) for order_id in reversed(busy)), report)

    def _sweep_queues(self, report: Report) -> None:
        view = self._registry.active(self._stock_levels)
        waiting = self._store.each(view, Query(present=("promotable",)))
        self._promote(((stock_stream(row.sku, row.location), None) for row in waiting), report)

    def _sweep_due(self, report: Report) -> None:
        view = self._registry.active(self._open_reservations)
        due = self._store.each(view, Query(at_most={"due_at": instant(self._clock())}))
        self._expire(((order_stream(row.order_id), None) for row in due), report)

    def _leaves_work(self, event: Arrived) -> bool:
        """Whether an order's event alone shows that a task is (or may be) under way."""
        if type_of(event) == e.OrderPlaced.name and version_of(event) == 1:
            data = recorded(event).data
            return not data.get("allocations") and not data.get("unfilled")
        return type_of(event) in TASK_EVENTS

    def _promotable(self, event: Arrived) -> bool:
        return self._stock_levels.fold(None, recorded(event)).promotable

    def _advance(self, orders: Work, report: Report) -> None:
        def advance(stream: str) -> None:
            self._ledger.advance(parse_order(stream))
            report.advanced += 1

        _each("advancing", orders, advance, report)

    def _promote(self, positions: Work, report: Report) -> None:
        def promote(stream: str) -> None:
            report.promoted += self._ledger.promote(stream)

        _each("promoting", positions, promote, report)

    def _expire(self, orders: Work, report: Report) -> None:
        def expire(stream: str) -> None:
            report.expired += self._ledger.expire(parse_order(stream))

        _each("expiring", orders, expire, report)


def _each(doing: str, work: Work, action: Callable[[str], None], report: Report) -> None:
    """Do `action` for every stream; one that fails doesn't keep the others waiting."""
    for stream, command in work:
        try:
            action(stream)
        except Exception as error:
            report.failed[stream] = error
            cause = "a view" if command is None else f"command {command}"
            log.log(
                logging.INFO if isinstance(error, Contention) else logging.ERROR,
                "%s %s (because of %s) failed, the next sweep tries again: %s",
                doing,
                stream,
                cause,
                error,
                exc_info=None if isinstance(error, Contention) else error,
                extra={"correlation_id": command},
            )
