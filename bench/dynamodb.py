"""What measurements on a DynamoDB API have in common: an engine, a ledger on it, and a meter."""

from __future__ import annotations

import math
import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from ledger.service import (
    Context,
    Idempotency,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
)
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_items import item_size
from ledger.store.tables import create_tables
from tests.support.engines import AWS_ENVIRONMENT, EngineName, serving

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ENGINES: tuple[EngineName, ...] = ("dynamodb-local", "ministack")
SKUS = 300

Item = dict[str, Any]


@dataclass
class Meter:
    """Counts what a client's requests consume, and keeps what they put."""

    write: float = 0
    read: float = 0
    transactions: list[list[Item]] = field(default_factory=list)

    def attach(self, client: DynamoDBClient) -> None:
        """Ask for consumed capacity with every request, and add it up."""
        events = client.meta.events
        events.register("provide-client-params.dynamodb", self._ask)
        events.register("after-call.dynamodb", self._count)

    def reset(self) -> None:
        """Begin anew."""
        self.write, self.read, self.transactions = 0, 0, []

    @property
    def items(self) -> list[Item]:
        """Everything that was put."""
        return [item for transaction in self.transactions for item in transaction]

    @property
    def floor(self) -> int:
        """Write units that can't be saved: a transaction writes every item twice, by the KB."""
        return sum(2 * math.ceil(item_size(item) / 1024) for item in self.items)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        if "TransactItems" in params:
            self.transactions.append([action["Put"]["Item"] for action in params["TransactItems"]])
        params["ReturnConsumedCapacity"] = "TOTAL"

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


def open_ledger(endpoint: str, prefix: str, meter: Meter | None = None) -> Ledger:
    """A cold ledger, whose client is metered if there is a meter for it."""
    client = make_client(endpoint)
    if meter is not None:
        meter.attach(client)
    return Ledger(DynamoDBLedgerRecorder(DynamoDBTables(client, prefix)))


def commits(endpoint: str, prefix: str) -> list[list[Item]]:
    """What some orders of three lines put, of a ledger that is given stock first."""
    meter = Meter()
    ledger = open_ledger(endpoint, prefix, meter)
    stock_up(ledger)
    meter.reset()
    order_rate(ledger, 1, 1, 0)
    return meter.transactions


def context() -> Context:
    """A client's context under a new key."""
    return Context("bench", Idempotency("bench", str(uuid.uuid4())))


def receive(skus: Sequence[int], quantity: int) -> ReceiveStock:
    """A receipt of several SKUs."""
    return ReceiveStock(tuple(ReceiptLine(f"SKU-{n}", "main", quantity) for n in skus))


def stock_up(ledger: Ledger) -> None:
    """A million of every SKU."""
    for start in range(0, SKUS, 50):
        ledger.handle(receive(range(start, start + 50), 1_000_000), context())


def order(skus: Sequence[int], order_id: str | None = None, quantity: int = 1) -> PlaceOrder:
    """An order of several SKUs."""
    return PlaceOrder(tuple(OrderRequestLine(f"SKU-{n}", quantity) for n in skus), order_id)


def order_rate(ledger: Ledger, threads: int, seconds: float, seed: int) -> float:
    """Orders of three lines a second, placed by so many threads for so long."""
    draw = Random(seed)

    def place() -> None:
        ledger.handle(order(draw.sample(range(SKUS), 3)), context())

    return rate(threads, seconds, place)


def rate(threads: int, seconds: float, do: Callable[[], object]) -> float:
    """How often a second so many threads do something, each again and again for so long."""

    def repeat(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            do()
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        done = sum(pool.map(repeat, [began + seconds] * threads))
        return done / (time.perf_counter() - began)
