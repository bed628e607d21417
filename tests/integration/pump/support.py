"""A ledger on DynamoDB whose events the local pump delivers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from eventsourcing.persistence import StoredEvent

from ledger.service import (
    Context,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
)
from ledger.settings import Settings
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.tables import create_tables, delete_tables
from projections.pump.bootstrap import Local, local_delivery, open_pump
from projections.pump.pump import Pump
from projections.store.dynamodb import DynamoDBViewStore
from projections.views import OpenReservationsView, OrdersView, StockLevelsView
from tests.support.event_stores import all_events
from tests.support.expected_views import expected_orders, expected_stock

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0


class Site:
    """The tables of one ledger, and what is told of them."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.prefix = f"test-{uuid4().hex}"
        self._stack = ExitStack()
        self._client = make_client(endpoint, read_timeout=60)
        create_tables(self._client, self.prefix)
        self._environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "LEDGER_STORE": f"dynamodb:{self.prefix}",
            "LEDGER_NOTIFY_LOG": "false",
        }
        self.settings = Settings(store=f"dynamodb:{self.prefix}", notify_log=False)
        tables = DynamoDBTables(make_client(endpoint), self.prefix)
        self.recorder = DynamoDBLedgerRecorder(tables, uuids=False)
        self.ledger = Ledger(self.recorder)
        self._stack.callback(self.ledger.close)
        self.views = DynamoDBViewStore(self._client, self.prefix)
        self._stack.callback(self.views.close)

    def close(self) -> None:
        """Drop the tables."""
        self._stack.close()
        delete_tables(self._client, self.prefix)
        self._client.close()

    def local(self) -> Local:
        """Delivery in this process."""
        return local_delivery(self.settings, self.ledger)

    @contextmanager
    def pump(self) -> Iterator[Pump]:
        """The pump in this process, running."""
        pump = open_pump(self.settings, self.ledger)
        pump.start()
        try:
            yield pump
        finally:
            pump.stop()

    def drained(self) -> Pump:
        """A pump that has delivered everything."""
        pump = open_pump(self.settings, self.ledger)
        pump.drain()
        return pump

    def process(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """A `ledger` command as a process of its own."""
        words = [sys.executable, "-c", "from ledger.cli import main; main()", *arguments]
        return subprocess.Popen(
            words,
            env={**os.environ, **self._environment, **environment},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A `ledger` command that ends by itself."""
        with self.process(*arguments, **environment) as process:
            stdout, stderr = process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def receive(self, sku: str, quantity: int) -> None:
        """Goods come in."""
        self.ledger.handle(ReceiveStock((ReceiptLine(sku, "main", quantity),)), Context())

    def order(self, order_id: str, *skus: str, quantity: int = 1, **fields: Any) -> None:
        """Somebody wants something."""
        lines = tuple(OrderRequestLine(sku, quantity) for sku in skus)
        self.ledger.handle(PlaceOrder(lines, order_id=order_id, **fields), Context())

    def insert(self, stored: StoredEvent, **attributes: Any) -> None:
        """Put an event's item into the table as it is, past all the rules."""
        item: Any = {
            "stream": {"S": str(stored.originator_id)},
            "version": {"N": str(stored.originator_version)},
            "type": {"S": stored.topic},
            "state": {"B": stored.state},
            **attributes,
        }
        self._client.put_item(TableName=f"{self.prefix}-events", Item=item)

    def stock_rows(self) -> dict[Any, Any]:
        """The rows of the stock levels."""
        return {(row.sku, row.location): row for row in self.views.each(StockLevelsView())}

    def order_rows(self) -> dict[Any, Any]:
        """The rows of the orders."""
        return {(row.order_id,): row for row in self.views.each(OrdersView())}

    def versions(self) -> dict[str, int]:
        """How many events each stream has."""
        found: dict[str, int] = {}
        for event in all_events(self.recorder):
            stream = str(event.originator_id)
            found[stream] = found.get(stream, 0) + 1
        return found

    def sequenced(self) -> dict[str, int]:
        """How many events of each stream the feed has, each once."""
        places = [
            (str(event.originator_id), event.originator_version)
            for event in self.recorder.select_notifications(None, 1_000_000)
        ]
        assert len(places) == len(set(places)), "each once"
        found: dict[str, int] = {}
        for stream, _ in places:
            found[stream] = found.get(stream, 0) + 1
        return found

    def everything_is_applied(self) -> bool:
        """Whether every view and the feed show every event."""
        log = all_events(self.recorder)
        return (
            self.stock_rows() == expected_stock(log)
            and self.order_rows() == expected_orders(log)
            and self._reservations() == {key[0]: r.version for key, r in self.order_rows().items()}
            and self.sequenced() == self.versions()
        )

    def _reservations(self) -> dict[str, int]:
        pages = self.views.scan(OpenReservationsView())
        return {row.order_id: row.version for page in pages for row in page}


def soon(happened: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
