"""Views that are rebuilt: on a file with a log, and on event tables without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.domain.values import OrderPolicy
from ledger.service import Context, Ledger
from ledger.service import commands as c
from ledger.store.base import LedgerRecorder
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from projections.generations import Generations, Registry
from projections.rebuild.history import History, LogHistory
from projections.rebuild.rebuild import Rebuild
from projections.rebuild.table_history import TableHistory
from projections.runner import Runner
from projections.store import ViewStore
from projections.store.base import values
from projections.views import (
    Key,
    OpenReservationsView,
    OrdersView,
    Row,
    StockLevelsView,
    View,
)
from tests.support.engines import Engines
from tests.support.event_stores import all_events, event_store
from tests.support.expected_views import expected_orders, expected_stock
from tests.support.histories import World
from tests.support.view_stores import view_stores

STOCK, ORDERS, OPEN = StockLevelsView(), OrdersView(), OpenReservationsView()
VIEWS: tuple[View[Any], ...] = (STOCK, ORDERS, OPEN)


@dataclass
class Time:
    """A clock that only sleeping moves; `slept` is for how long."""

    now: float = 1_700_000_000.0
    slept: float = 0.0
    meanwhile: Callable[[], object] = field(default=lambda: None)
    """Happens at every sleep."""

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds
        self.meanwhile()


@dataclass
class Site:
    """A ledger and its views in one place, opened as often as one wants."""

    open_recorder: Callable[[], LedgerRecorder]
    open_views: Callable[[], ViewStore]
    page: int = 7
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        self.recorder = self.open_recorder()
        self.views = self.open_views()
        self.ledger = Ledger(self.recorder, locations=("A", "B"))

    @property
    def has_log(self) -> bool:
        """Whether the events have a common order."""
        return not isinstance(self.recorder, DynamoDBLedgerRecorder)

    def receive(self, quantity: int, *skus: str) -> None:
        """Receive goods at A."""
        lines = tuple(c.ReceiptLine(sku, "A", quantity) for sku in skus)
        self.ledger.handle(c.ReceiveStock(lines), Context())

    def place(self, order_id: str, quantity: int, *skus: str) -> None:
        """Place an order that waits for what is not there, and expires."""
        order = c.PlaceOrder(
            tuple(c.OrderRequestLine(sku, quantity, "A") for sku in skus),
            order_id=order_id,
            policy=OrderPolicy.BACKORDER,
            reservation_ttl_seconds=60,
        )
        self.ledger.handle(order, Context())

    def history(self, recorder: LedgerRecorder | None = None) -> History:
        """What generations are filled from, a few events at a time."""
        recorder = recorder or self.recorder
        if isinstance(recorder, DynamoDBLedgerRecorder):
            return TableHistory(recorder, page_items=self.page, sleep=self.time.sleep)
        return LogHistory(recorder, page=self.page)

    def rebuild(self, view: View[Any], store: ViewStore | None = None) -> Rebuild:
        """A rebuild by a process of its own."""
        return Rebuild(
            store or self.views,
            self.history(),
            view,
            clock=self.time.clock,
            sleep=self.time.sleep,
        )

    def rebuilt(self, view: View[Any], segments: int = 2) -> Generations:
        """Rebuild a view from beginning to end."""
        return completed(self.rebuild(view), segments)

    def shown(self, view: View[Any]) -> dict[Key, Row]:
        """The rows of the generation that is read."""
        return rows(self.views, view.at(self.views.generations(view).active))

    def expected(self, view: View[Any]) -> dict[Key, Any]:
        """The rows there must be."""
        log = all_events(self.recorder)
        return dict(expected_stock(log) if view == STOCK else expected_orders(log))

    def check(self, view: View[Any]) -> None:
        """Every live generation is the fold of all events."""
        expected = self.expected(view)
        for number in self.views.generations(view).live:
            assert rows(self.views, view.at(number)) == expected


class Story(World):
    """Plays histories on a site's ledger."""

    def __init__(self, shop: Site) -> None:
        self.ledger = shop.ledger


def catch_up(shop: Site, store: ViewStore | None = None, registry: Registry | None = None) -> None:
    """Bring every live generation of the views up to the events, as far as it is known."""
    runner = Runner(shop.recorder, store or shop.views, VIEWS, registry)
    if shop.has_log:
        while runner.catch_up():
            pass
    else:
        runner.apply(all_events(shop.recorder)).check()


def completed(rebuild: Rebuild, segments: int = 2) -> Generations:
    """Every step of a rebuild, from wherever it stands."""
    rebuild.begin(segments)
    rebuild.settle()
    rebuild.fill()
    return rebuild.switch()


def rows(store: ViewStore, view: View[Any]) -> dict[Key, Row]:
    """Every row of one generation."""
    return {values(row, view.key_fields): row for page in store.scan(view) for row in page}


@contextmanager
def site(kind: str, folder: Path, engines: Engines) -> Iterator[Site]:
    """An empty site of a kind in `EVERYWHERE`."""
    with ExitStack() as stack:
        store = stack.enter_context(event_store(kind, folder, engines))
        views = stack.enter_context(view_stores(kind, folder, engines))
        yield Site(store.open, views)
