"""What queries read: typed rows, one page at a time, with their freshness.

Every call reads the generation of its view that is active at that moment. What a page ended with
(`after`) holds for every generation, so a list goes on where it was when the view is switched.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ledger.domain.balance import Balance
from ledger.domain.lanes import together
from ledger.domain.order import OrderStatus, Totals
from ledger.domain.streams import LANE, order_stream, position_of, stock_stream
from ledger.domain.values import OrderPolicy
from projections.generations import Registry
from projections.store.base import Query, ViewStore
from projections.views import (
    OpenReservationsView,
    OrderRow,
    OrdersView,
    StockLevelsView,
    StockRow,
    View,
)
from projections.views.stock_levels import row_location

V = TypeVar("V", bound=View[Any])


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Balance of one position in base units, as of one version of its stream."""

    sku: str
    location: str
    on_hand: int
    reserved: int
    backordered: int
    damaged: int
    available: int
    low_stock_threshold: int | None
    version: int
    as_of: str
    """When the newest event shown here was recorded."""
    in_lanes: bool = False
    """Whether it is the sum of several lanes, and `version` of theirs."""


@dataclass(frozen=True, slots=True)
class StockTotals:
    """Sums of a SKU over its positions, in base units."""

    on_hand: int = 0
    reserved: int = 0
    backordered: int = 0
    damaged: int = 0
    available: int = 0
    positions: int = 0


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """An order without its lines; units by fate are sums over them."""

    order_id: str
    status: OrderStatus
    customer: str | None
    policy: OrderPolicy
    placed_at: str
    updated_at: str
    expires_at: str | None
    line_count: int
    totals: Totals
    version: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units of an order that are held until `due_at`, as of one version of its stream."""

    order_id: str
    customer: str | None
    due_at: str
    reserved: int
    backordered: int
    version: int


class Reader(Generic[V]):
    """Reads the active generation of a view."""

    def __init__(self, store: ViewStore, view: V, registry: Registry) -> None:
        self._store = store
        self._view = view
        self._registry = registry

    def applied_to(self) -> str | None:
        """When the newest event that the view has applied was recorded (None: no event yet)."""
        return self._store.checkpoint(self._active).at

    @property
    def _active(self) -> V:
        return self._registry.active(self._view)


class StockLevels(Reader[StockLevelsView]):
    """Reads stock levels."""

    def get(self, sku: str, location: str) -> StockLevel | None:
        """One position, or None if nothing ever happened there."""
        key = self._view.key(stock_stream(sku, location))
        row = self._store.load(self._active, [key]).get(key)
        return None if row is None else self._whole(row)

    def list(
        self,
        *,
        sku: str | None = None,
        location: str | None = None,
        below: int | None = None,
        after: tuple[str, str] | None = None,
        limit: int,
    ) -> builtins.list[StockLevel]:
        """Positions by SKU, then location.

        `below` keeps those with fewer units available; `after` is the (SKU, location) of the
        last position already seen.
        """
        found: builtins.list[StockLevel] = []
        while len(found) < limit:
            query = Query(
                equal=_given(sku=sku, location=location),
                at_most={} if below is None else {"available": below - 1},
                after=after,
                limit=limit - len(found),
            )
            rows = self._store.select(self._active, query)
            levels = (self._whole(row) for row in rows if LANE not in row.location)
            found += (level for level in levels if below is None or level.available < below)
            if len(rows) < query.limit:
                break
            after = (rows[-1].sku, rows[-1].location)
        return found

    def _whole(self, row: StockRow) -> StockLevel:
        """The position of its row, or of its lane 0's: the others' are read then."""
        if row.lanes is None:
            return _level([row])
        keys = [(row.sku, row_location(row.location, n)) for n in range(1, row.lanes)]
        return _level([row, *self._store.load(self._active, keys).values()])

    def totals(self, skus: Sequence[str]) -> dict[str, StockTotals]:
        """Sums per SKU. A SKU without a position has zeros."""
        return {sku: self._total(sku) for sku in skus}

    def _total(self, sku: str) -> StockTotals:
        positions: defaultdict[str, builtins.list[StockRow]] = defaultdict(builtins.list)
        for row in self._store.each(self._active, Query(equal={"sku": sku})):
            positions[position_of(row.location)].append(row)
        levels = [_level(rows) for rows in positions.values()]
        return StockTotals(
            on_hand=sum(level.on_hand for level in levels),
            reserved=sum(level.reserved for level in levels),
            backordered=sum(level.backordered for level in levels),
            damaged=sum(level.damaged for level in levels),
            available=sum(level.available for level in levels),
            positions=len(levels),
        )


class Orders(Reader[OrdersView]):
    """Reads order summaries."""

    def get(self, order_id: str) -> OrderSummary | None:
        """One order, or None if the view knows none of this id."""
        key = self._view.key(order_stream(order_id))
        row = self._store.load(self._active, [key]).get(key)
        return None if row is None else _summary(row)

    def list(
        self,
        *,
        status: OrderStatus | None = None,
        customer: str | None = None,
        after: tuple[str, str] | None = None,
        limit: int,
    ) -> builtins.list[OrderSummary]:
        """Orders, newest first. `after` is the (placed_at, order_id) of the last one seen."""
        query = Query(equal=_given(status=status, customer=customer), after=after, limit=limit)
        return [_summary(row) for row in self._store.select(self._active, query)]


class Reservations(Reader[OpenReservationsView]):
    """Reads what is held until some time."""

    def list(
        self,
        *,
        due_before: str | None = None,
        after: tuple[str, str] | None = None,
        limit: int,
    ) -> builtins.list[Reservation]:
        """Reservations, the first to fall due first; those that are overdue are the first ones.

        `due_before` keeps those that fall due at that instant or before; `after` is the
        (due_at, order_id) of the last one already seen.
        """
        at_most = {} if due_before is None else {"due_at": due_before}
        query = Query(at_most=at_most, after=after, limit=limit)
        return [_reservation(row) for row in self._store.select(self._active, query)]


def _given(**conditions: str | None) -> dict[str, str | int]:
    return {name: str(value) for name, value in conditions.items() if value is not None}


def _level(rows: Sequence[StockRow]) -> StockLevel:
    """The level that a position's row shows, or those of its lanes together, lane 0 first."""
    first = rows[0]
    sums = first if first.lanes is None else together([_balance(row) for row in rows])
    return StockLevel(
        sku=first.sku,
        location=position_of(first.location),
        on_hand=sums.on_hand,
        reserved=sums.reserved,
        backordered=sums.backordered,
        damaged=sums.damaged,
        available=sums.available,
        low_stock_threshold=first.low_stock_threshold,
        version=sum(row.version for row in rows),
        as_of=max(row.at for row in rows),
        in_lanes=first.lanes is not None,
    )


def _balance(row: StockRow) -> Balance:
    return Balance(
        on_hand=row.on_hand,
        reserved=row.reserved,
        backordered=row.backordered,
        damaged=row.damaged,
        low_stock_threshold=row.low_stock_threshold,
        escrowed=row.escrowed,
    )


def _summary(row: OrderRow) -> OrderSummary:
    return OrderSummary(
        order_id=row.order_id,
        status=OrderStatus(row.status),
        customer=row.customer,
        policy=OrderPolicy(row.policy),
        placed_at=row.placed_at,
        updated_at=row.updated_at,
        expires_at=row.expires_at,
        line_count=row.line_count,
        totals=row.totals,
        version=row.version,
    )


def _reservation(row: OrderRow) -> Reservation:
    assert row.due_at is not None, "only what falls due is listed"
    return Reservation(
        order_id=row.order_id,
        customer=row.customer,
        due_at=row.due_at,
        reserved=row.reserved,
        backordered=row.backordered,
        version=row.version,
    )
