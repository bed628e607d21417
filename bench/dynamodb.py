"""The DynamoDB event store: units per operation beside their floor, and rate beside raw boto3.

The floor of a commit is 2 × Σ⌈KB⌉ of the items it puts: a transaction writes everything twice.
"""

from __future__ import annotations

import math
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ledger.service import (
    CancelOrder,
    Context,
    Idempotency,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ShipOrder,
)
from ledger.service.commands import Command
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_items import item_size
from ledger.store.tables import create_tables
from tests.support.engines import AWS_ENVIRONMENT, EngineName, serving

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ENGINES: tuple[EngineName, ...] = ("dynamodb-local", "ministack")
ROUNDS = 5
COMMITS = 150
SKUS = 40


@dataclass
class Meter:
    """Counts what a client's requests consume, and the floor of what they put."""

    write: float = 0
    read: float = 0
    floor: int = 0
    items: list[dict[str, Any]] = field(default_factory=list)

    def attach(self, client: DynamoDBClient) -> None:
        """Ask for consumed capacity with every request, and add it up."""
        events = client.meta.events
        events.register("provide-client-params.dynamodb", self._ask)  # type: ignore[arg-type]
        events.register("after-call.dynamodb", self._count)

    def reset(self) -> None:
        """Begin anew."""
        self.write, self.read, self.floor, self.items = 0, 0, 0, []

    def _ask(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        for action in params.get("TransactItems", []):
            item = action["Put"]["Item"]
            self.floor += 2 * math.ceil(item_size(item) / 1024)
            self.items.append(item)
        return {**params, "ReturnConsumedCapacity": "TOTAL"}

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        found = parsed.get("ConsumedCapacity", [])
        for capacity in found if isinstance(found, list) else [found]:
            units = capacity["CapacityUnits"]
            if model.name == "TransactWriteItems":
                self.write += units
            else:
                self.read += units


@contextmanager
def on(engine: EngineName) -> Iterator[tuple[str, str]]:
    """An engine with empty tables: its endpoint and the tables' prefix."""
    os.environ.update(AWS_ENVIRONMENT)
    with serving(engine) as endpoint:
        prefix = f"bench-{uuid.uuid4().hex[:8]}"
        create_tables(make_client(endpoint), prefix)
        yield endpoint, prefix


def open_ledger(endpoint: str, prefix: str) -> tuple[Ledger, Meter]:
    """A cold ledger with a meter on its client."""
    client, meter = make_client(endpoint), Meter()
    meter.attach(client)
    return Ledger(DynamoDBLedgerRecorder(DynamoDBTables(client, prefix))), meter


def context() -> Context:
    """A client's context under a new key."""
    return Context("bench", Idempotency("bench", str(uuid.uuid4())))


def receive(skus: range, quantity: int) -> ReceiveStock:
    """A receipt of several SKUs."""
    return ReceiveStock(tuple(ReceiptLine(f"SKU-{n}", "main", quantity) for n in skus))


def order(lines: int, order_id: str | None = None, quantity: int = 1) -> PlaceOrder:
    """An order of several SKUs."""
    found = tuple(OrderRequestLine(f"SKU-{n}", quantity) for n in range(lines))
    return PlaceOrder(found, order_id)


def run_units(engine: EngineName = "ministack") -> Table:
    """Units of every operation, as an engine that rounds every item counts them.

    (DynamoDB Local rounds a transaction as a whole.)
    """
    table = Table(title=f"Capacity units per operation, as {engine} counts them")
    for column in ("operation", "items", "write", "floor", "read warm", "read cold"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    with on(engine) as (endpoint, prefix):
        ledger, meter = open_ledger(endpoint, prefix)
        ledger.handle(receive(range(SKUS), 1_000_000), context())
        for label, make in _operations(ledger):
            cold, cold_meter = open_ledger(endpoint, prefix)
            *_, cold_read = _units(cold, cold_meter, make())
            ledger.handle(*make())  # what the cold one wrote is news to the warm one
            items, write, floor, read = _units(ledger, meter, make())
            cells = (str(items), f"{write:g}", str(floor), f"{read:g}", f"{cold_read:g}")
            table.add_row(label, *cells)
    return table


def _units(
    ledger: Ledger, meter: Meter, prepared: tuple[Command, Context]
) -> tuple[int, float, int, float]:
    command, under = prepared
    meter.reset()
    ledger.handle(command, under)
    return len(meter.items), meter.write, meter.floor, meter.read


def _operations(ledger: Ledger) -> list[tuple[str, Callable[[], tuple[Command, Context]]]]:
    """Label, and how to prepare one more of the operation."""

    def placed(lines: int) -> str:
        outcome = ledger.handle(order(lines), context())
        assert outcome.order is not None
        return outcome.order.order_id

    replayed = context()
    ledger.handle(order(3), replayed)
    return [
        ("receipt, 1 position", lambda: (receive(range(1), 5), context())),
        ("receipt, 40 positions", lambda: (receive(range(SKUS), 5), context())),
        ("order of 1 line", lambda: (order(1), context())),
        ("order of 3 lines", lambda: (order(3), context())),
        ("order of 10 lines", lambda: (order(10), context())),
        ("order of 3 lines, rejected", lambda: (order(3, quantity=10**9), context())),
        ("shipment of 3 lines", lambda: (ShipOrder(placed(3)), context())),
        ("cancellation of 3 lines", lambda: (CancelOrder(placed(3)), context())),
        ("order of 3 lines, replayed", lambda: (order(3), replayed)),
    ]


def run_rate() -> Table:
    """Orders of three lines through the service beside raw boto3 putting the same items."""
    table = Table(title="Orders of 3 lines beside raw boto3 TransactWriteItems of the same items")
    for column in ("engine", "ours/s", "raw/s", "ratio"):
        table.add_column(column, justify="left" if column == "engine" else "right")
    for engine in ENGINES:
        with on(engine) as (endpoint, prefix):
            ledger, meter = open_ledger(endpoint, prefix)
            ledger.handle(receive(range(SKUS), 1_000_000), context())
            _ours(ledger, 20)
            pairs = []
            for _ in range(ROUNDS):
                meter.reset()
                ours = _ours(ledger, COMMITS)
                pairs.append((ours, _raw(endpoint, prefix, meter.items)))
        table.add_row(
            engine,
            f"{median(ours for ours, _ in pairs):.0f}",
            f"{median(raw for _, raw in pairs):.0f}",
            f"{median(ours / raw for ours, raw in pairs):.2f}",
        )
    return table


def _ours(ledger: Ledger, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        ledger.handle(order(3), context())
    return count / (time.perf_counter() - began)


def _raw(endpoint: str, prefix: str, items: list[dict[str, Any]]) -> float:
    """Put the very items of the orders again, under other keys, five at a time."""
    client, mark = make_client(endpoint), uuid.uuid4().hex[:6]
    groups = [items[start : start + 5] for start in range(0, len(items), 5)]
    requests = [[_put(prefix, item, mark) for item in group] for group in groups]
    began = time.perf_counter()
    for request in requests:
        client.transact_write_items(TransactItems=request)  # type: ignore[arg-type]
    return len(requests) / (time.perf_counter() - began)


def _put(prefix: str, item: dict[str, Any], mark: str) -> dict[str, Any]:
    key = "stream" if "stream" in item else "key"
    table = "events" if key == "stream" else "commands"
    return {
        "Put": {
            "TableName": f"{prefix}-{table}",
            "Item": {**item, key: {"S": f"{item[key]['S']}{mark}"}},
            "ConditionExpression": "attribute_not_exists(#k)",
            "ExpressionAttributeNames": {"#k": key},
        }
    }
