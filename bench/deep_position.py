"""A position of very many events beside one of ten: load, append, and reading it as of then."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rich.table import Table

from bench.dynamodb import on
from bench.histories import instant, pages, position
from bench.measured import Aim, Measured, Report
from ledger.service import Context, Ledger, ReceiptLine, ReceiveStock
from ledger.store.base import LedgerRecorder
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_items import event_item
from ledger.store.sqlite import open_recorder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHALLOW = 10
ROUNDS = 200
MOMENTS = 50
DYNAMODB_EVENTS = 100_000
"""At most so many are put into DynamoDB Local: it takes some thousands a second."""

DEEP_SKU, SHALLOW_SKU = "DEEP", "SHALLOW"


@dataclass
class Took:
    """Seconds by operation and SKU, and the most reads an answer as of then needed."""

    load: dict[str, float]
    append: dict[str, float]
    as_of: float
    reads: int


def run(events: int = 1_000_000) -> Report:
    """Measure both stores; DynamoDB Local is slow to fill, and gets `DYNAMODB_EVENTS` at most."""
    rows: list[Measured] = []
    table = Table(title=f"A position of many events beside one of {SHALLOW}")
    for column in ("", "load, ms", "ratio", "append, ms", "ratio", "as of, ms", "reads at most"):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        recorder = open_recorder(Path(folder) / "ledger.db", synchronous="NORMAL")
        for sku, count in ((DEEP_SKU, events), (SHALLOW_SKU, SHALLOW)):
            for page in pages(position(f"stock:{sku}@main", count), 20_000):
                recorder.insert_events(page)
        rows += _row(table, f"SQLite, {events:,}", _measured(recorder, events))
        recorder.close()
    events = min(events, DYNAMODB_EVENTS)
    with on("dynamodb-local") as (endpoint, prefix):
        client = make_client(endpoint)
        for sku, count in ((DEEP_SKU, events), (SHALLOW_SKU, SHALLOW)):
            _fill(client, f"{prefix}-events", sku, count)
        recorder_there = DynamoDBLedgerRecorder(DynamoDBTables(client, prefix))
        rows += _row(table, f"DynamoDB Local, {events:,}", _measured(recorder_there, events))
    table.caption = f"medians of {ROUNDS} rounds in turn; nothing is remembered between them"
    return Report(rows, [table])


def _row(table: Table, what: str, took: Took) -> list[Measured]:
    def cells(seconds: dict[str, float]) -> list[str]:
        deep, shallow = seconds[DEEP_SKU], seconds[SHALLOW_SKU]
        return [f"{1000 * deep:.3f} / {1000 * shallow:.3f}", f"{deep / shallow:.2f}"]

    as_of = [f"{1000 * took.as_of:.3f}", str(took.reads)]
    table.add_row(what, *cells(took.load), *cells(took.append), *as_of)
    rows = []
    for name, seconds in (("load", took.load), ("append", took.append)):
        deep, shallow = seconds[DEEP_SKU], seconds[SHALLOW_SKU]
        note = f"{1000 * deep:.3f} ms beside {1000 * shallow:.3f} ms"
        beside = f"one of {SHALLOW} events"
        ratios = [deep / shallow]
        rows.append(
            Measured.of(f"{name}: a position, {what} events", beside, Aim("≤", 1.2), ratios, note)
        )
    read = f"reads of an answer as of then: a position, {what} events"
    rows.append(Measured.of(read, "25 reads", Aim("≤", 1), [took.reads / 25], as_of[0] + " ms"))
    return rows


def _measured(recorder: LedgerRecorder, events: int) -> Took:
    load: dict[str, list[float]] = {DEEP_SKU: [], SHALLOW_SKU: []}
    append: dict[str, list[float]] = {DEEP_SKU: [], SHALLOW_SKU: []}
    for number in range(ROUNDS):
        for sku in (DEEP_SKU, SHALLOW_SKU)[:: 1 if number % 2 else -1]:
            ledger = Ledger(recorder)  # a new one remembers nothing
            load[sku].append(_timed(partial(ledger.history.newest, f"stock:{sku}@main")))
            receipt = ReceiveStock((ReceiptLine(sku, "main", 1),))
            append[sku].append(_timed(partial(ledger.handle, receipt, Context(actor="bench"))))
    as_of, reads = _as_of(recorder, events)
    middle = {sku: median(times) for sku, times in load.items()}
    return Took(middle, {sku: median(times) for sku, times in append.items()}, as_of, reads)


def _as_of(recorder: LedgerRecorder, events: int) -> tuple[float, int]:
    """Median seconds, and the most reads, of reads as of random moments."""
    history, draw = Ledger(recorder).history, Random(3)
    times, most = [], 0
    for _ in range(MOMENTS):
        at = draw.randint(1, events)
        with (
            patch.object(recorder, "select_events", wraps=recorder.select_events) as some,
            patch.object(recorder, "select_newest", wraps=recorder.select_newest) as newest,
        ):
            began = time.perf_counter()
            found = history.as_of(f"stock:{DEEP_SKU}@main", instant(at))
            times.append(time.perf_counter() - began)
            assert found is not None
            assert found.version == at, "the n-th event is the n-th microsecond's"
            most = max(most, some.call_count + newest.call_count)
    return median(times), most


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _fill(client: DynamoDBClient, table: str, sku: str, count: int) -> None:
    """Put a history as it is; nothing else of the module's tables is needed to read it."""
    for page in pages(position(f"stock:{sku}@main", count), 25):
        puts = [{"PutRequest": {"Item": event_item(stored)}} for stored in page]
        left: Any = {table: puts}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
