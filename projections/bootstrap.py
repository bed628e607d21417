"""The composition root of the projections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventsourcing.persistence import ApplicationRecorder

from ledger.service.clock import Clock, utc_now
from ledger.settings import Settings
from ledger.store.base import LedgerRecorder
from projections.audit import ViewAudit
from projections.delivery import InProcessDelivery
from projections.order_processor import Commands, OrderProcessor
from projections.readers import Orders, StockLevels
from projections.runner import Runner
from projections.store.base import ViewStore
from projections.store.sqlite import SQLiteViewStore
from projections.views import OrdersView, StockLevelsView, View


@dataclass(frozen=True, slots=True)
class Projections:
    """Everything that reads the ledger's events, wired together."""

    store: ViewStore
    stock_levels_view: StockLevelsView
    orders_view: OrdersView
    runner: Runner
    stock_levels: StockLevels
    orders: Orders

    @property
    def views(self) -> tuple[View[Any], ...]:
        """Every view."""
        return (self.stock_levels_view, self.orders_view)

    def order_processor(self, ledger: Commands, *, clock: Clock = utc_now) -> OrderProcessor:
        """An order processor that issues its commands to `ledger`."""
        return OrderProcessor(
            ledger,
            self.store,
            stock_levels=self.stock_levels_view,
            orders=self.orders_view,
            clock=clock,
        )

    def delivery(self, ledger: Commands) -> InProcessDelivery:
        """Delivery for this process, not started yet; hand its `notify` to `Ledger.listen`."""
        return InProcessDelivery(self.runner, self.store, self.order_processor(ledger))

    def audit(self) -> ViewAudit:
        """An audit of the views as they are now; show it the log (see `ViewAudit`)."""
        return ViewAudit(self.store, self.views)

    def close(self) -> None:
        """Let go of the store. Stop the delivery before."""
        self.store.close()


def open_from_settings(recorder: LedgerRecorder, settings: Settings) -> Projections:
    """Projections of the recorder's events, beside them in the store the settings name."""
    if settings.sqlite_path is not None:
        return open_projections(recorder, path=settings.sqlite_path)
    from ledger.store.dynamodb import DynamoDBLedgerRecorder
    from projections.scanning import ScanningRunner
    from projections.store.dynamodb import DynamoDBViewStore

    assert isinstance(recorder, DynamoDBLedgerRecorder), "the settings name a file or tables"
    assert settings.table_prefix is not None, "the settings name a file or tables"
    store = DynamoDBViewStore(recorder.tables.client, settings.table_prefix)
    views = (StockLevelsView(), OrdersView())
    return _wired(store, *views, ScanningRunner(recorder, store, views))


def open_projections(recorder: ApplicationRecorder, *, path: str | Path) -> Projections:
    """Projections of the recorder's events, kept in the SQLite file `path` (the events' own)."""
    store = SQLiteViewStore(path)
    views = (StockLevelsView(), OrdersView())
    return _wired(store, *views, Runner(recorder, store, views))


def _wired(
    store: ViewStore, stock_levels_view: StockLevelsView, orders_view: OrdersView, runner: Runner
) -> Projections:
    return Projections(
        store=store,
        stock_levels_view=stock_levels_view,
        orders_view=orders_view,
        runner=runner,
        stock_levels=StockLevels(store, stock_levels_view),
        orders=Orders(store, orders_view),
    )
