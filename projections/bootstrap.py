"""The composition root of the projections.

What only some need is imported where it is made: the API's function makes none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import ApplicationRecorder

from ledger.service.clock import Clock, utc_now
from ledger.settings import Settings
from ledger.store.base import LedgerRecorder
from projections.generations import Registry
from projections.readers import Orders, Reservations, StockLevels
from projections.runner import Runner
from projections.store.base import ViewStore
from projections.views import OpenReservationsView, OrdersView, StockLevelsView, View

if TYPE_CHECKING:
    from projections.audit import ViewAudit
    from projections.delivery.in_process import InProcessDelivery
    from projections.notifications.follower import LogFollower
    from projections.order_processor import Commands, OrderProcessor
    from projections.rebuild.history import History
    from projections.rebuild.rebuild import Rebuild


@dataclass(frozen=True, slots=True)
class Projections:
    """Everything that reads the ledger's events, wired together."""

    store: ViewStore
    stock_levels_view: StockLevelsView
    orders_view: OrdersView
    open_reservations_view: OpenReservationsView
    runner: Runner
    history: History
    stock_levels: StockLevels
    orders: Orders
    reservations: Reservations

    @property
    def views(self) -> tuple[View[Any], ...]:
        """Every view, in its first generation."""
        return (self.stock_levels_view, self.orders_view, self.open_reservations_view)

    def order_processor(self, ledger: Commands, *, clock: Clock = utc_now) -> OrderProcessor:
        """An order processor that issues its commands to `ledger`."""
        from projections.order_processor import OrderProcessor

        return OrderProcessor(
            ledger,
            self.store,
            stock_levels=self.stock_levels_view,
            orders=self.orders_view,
            open_reservations=self.open_reservations_view,
            registry=self.runner.registry,
            clock=clock,
        )

    def delivery(self, ledger: Commands, follower: LogFollower | None = None) -> InProcessDelivery:
        """Delivery for this process, not started yet; hand its `notify` to `Ledger.listen`."""
        from projections.delivery.in_process import InProcessDelivery

        return InProcessDelivery(self.runner, self.store, self.order_processor(ledger), follower)

    def audit(self) -> ViewAudit:
        """An audit of every live generation of the views as it is now (see `ViewAudit`)."""
        from projections.audit import ViewAudit

        registry = Registry(self.store, trusted=0)
        live = [generation for view in self.views for generation in registry.live(view)]
        return ViewAudit(self.store, live)

    def rebuild(self, view: View[Any]) -> Rebuild:
        """A rebuild of one of the views (see `Rebuild`)."""
        from projections.rebuild.rebuild import Rebuild

        return Rebuild(self.store, self.history, view)

    def close(self) -> None:
        """Let go of the store. Stop the delivery before."""
        self.store.close()


def open_delivery(
    projections: Projections, recorder: LedgerRecorder, ledger: Commands, settings: Settings
) -> InProcessDelivery:
    """Delivery for a process on the embedded store, notifications included.

    Raises
    ------
    BadSettings
        A setting of the notifications can't be used.
    """
    from projections.notifications.bootstrap import open_follower

    return projections.delivery(ledger, open_follower(recorder, settings))


def open_from_settings(recorder: LedgerRecorder, settings: Settings) -> Projections:
    """Projections of the recorder's events, beside them in the store the settings name."""
    if settings.sqlite_path is not None:
        return open_projections(recorder, path=settings.sqlite_path)
    from ledger.store.dynamodb import DynamoDBLedgerRecorder
    from projections.rebuild.table_history import TableHistory
    from projections.store.dynamodb import DynamoDBViewStore

    assert isinstance(recorder, DynamoDBLedgerRecorder), "the settings name a file or tables"
    assert settings.table_prefix is not None, "the settings name a file or tables"
    store = DynamoDBViewStore(recorder.tables.client, settings.table_prefix)
    return _wired(recorder, store, Registry(store), TableHistory(recorder))


def open_projections(recorder: ApplicationRecorder, *, path: str | Path) -> Projections:
    """Projections of the recorder's events, kept in the SQLite file `path` (the events' own)."""
    from projections.rebuild.history import LogHistory
    from projections.store.sqlite import SQLiteViewStore

    store = SQLiteViewStore(path)
    return _wired(recorder, store, Registry(store, trusted=0), LogHistory(recorder))


def _wired(
    recorder: ApplicationRecorder, store: ViewStore, registry: Registry, history: History
) -> Projections:
    stock_levels, orders = StockLevelsView(), OrdersView()
    open_reservations = OpenReservationsView()
    views = (stock_levels, orders, open_reservations)
    return Projections(
        store=store,
        stock_levels_view=stock_levels,
        orders_view=orders,
        open_reservations_view=open_reservations,
        runner=Runner(recorder, store, views, registry),
        history=history,
        stock_levels=StockLevels(store, stock_levels, registry),
        orders=Orders(store, orders, registry),
        reservations=Reservations(store, open_reservations, registry),
    )
