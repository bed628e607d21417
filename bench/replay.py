"""Replaying history into `stock_levels` and `orders`, beside the library's own replay.

The library folds events of its own: aggregates with its default JSON transcoder in its default
recorder, in memory, every one loaded anew by the default repository. Only the fold is timed, not
the making of the events. Memory is measured with the store: nobody can fold a million orders in
memory and keep none.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from rich.table import Table

from bench.histories import pages, shop
from bench.measured import Aim, Measured, Report
from ledger.store.sqlite import open_recorder
from projections.generations import Generations
from projections.runner import PAGE, Runner
from projections.store.base import ViewStore
from projections.store.sqlite import SQLiteViewStore
from projections.views import OrdersView, StockLevelsView, View
from projections.views.base import Key, Row

ROUNDS = 3
LIBRARY_EVENTS = 10_000
EVENTS_PER_AGGREGATE = 20


class Replayed(NamedTuple):
    """What a replay with the store took."""

    seconds: float
    peak_mib: float


def run(events: int = 100_000) -> Report:
    """Fold only, three rounds of each in turn; then with the store, at a tenth and at the whole."""
    folded, library = [], []
    for _ in range(ROUNDS):
        folded.append(fold_only(events))
        library.append(library_rate())
    ratio = median(ours / theirs for ours, theirs in zip(folded, library, strict=True))
    tenth, whole = (with_store(count) for count in (events // 10, events))
    table = Table(title=f"Replay of {events:,} events into stock_levels and orders")
    for column in ("", "events/s", "beside the library", "peak memory, MiB"):
        table.add_column(column, justify="right")
    table.add_row("library, default repository", f"{median(library):,.0f}", "1.0", "")
    table.add_row("fold only", f"{median(folded):,.0f}", f"{ratio:.1f}", "")
    for count, took in ((events // 10, tenth), (events, whole)):
        rate = count / took.seconds
        beside = rate / median(library)
        table.add_row(
            f"{count:,} events, SQLite to SQLite",
            f"{rate:,.0f}",
            f"{beside:.1f}",
            f"{took.peak_mib:.0f}",
        )
    table.caption = f"CPU time; medians of {ROUNDS} rounds"
    ratios = [ours / theirs for ours, theirs in zip(folded, library, strict=True)]
    rows = [
        Measured.of(
            f"replay of {events:,} events into two views, fold only",
            "the library's default repository",
            Aim("≥", 4),
            ratios,
            f"{median(folded):,.0f} events/s beside {median(library):,.0f}, of CPU time",
        ),
        Measured.of(
            f"peak memory of a replay of {events:,} events with the store",
            f"of {events // 10:,} events",
            Aim("≤", 1.2),
            [whole.peak_mib / tenth.peak_mib],
            f"{whole.peak_mib:.0f} MiB beside {tenth.peak_mib:.0f}; "
            f"{events / whole.seconds:,.0f} events/s with the store",
        ),
    ]
    return Report(rows, [table])


class _Rows:
    """Rows in a dictionary: as little of a store as there can be."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, Key], Row] = {}

    def prepare(self, views: Iterable[View[Any]]) -> None:
        """Nothing is to be made."""

    def generations(self, _: View[Any]) -> Generations:
        return Generations()

    def load(self, view: View[Any], keys: Iterable[Key]) -> dict[Key, Row]:
        wanted = ((key, self._rows.get((view.name, key))) for key in keys)
        return {key: row for key, row in wanted if row is not None}

    def save(self, view: View[Any], rows: Iterable[Any], _: object) -> None:
        for row in rows:
            key = tuple(getattr(row, name) for name in view.key_fields)
            self._rows[view.name, key] = row


def fold_only(events: int) -> float:
    """Events per second of the runner, from stored bytes to rows."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = open_recorder(Path(folder) / "empty.db")
        runner = Runner(recorder, cast(ViewStore, _Rows()), [StockLevelsView(), OrdersView()])
        seconds, count = 0.0, 0
        for page in pages(shop(events), PAGE):
            began = time.process_time()
            runner.apply(page).check()
            seconds += time.process_time() - began
            count += len(page)
        recorder.close()
    return count / seconds


class Stock(Aggregate):
    """A position as the library's tutorial would have it."""

    def __init__(self, sku: str) -> None:
        self.sku = sku
        self.on_hand = self.reserved = 0

    @event("Received")
    def receive(self, quantity: int, reference: str) -> None:
        self.on_hand += quantity
        self.reference = reference

    @event("Reserved")
    def reserve(self, order_id: str, quantity: int) -> None:
        self.reserved += quantity
        self.order_id = order_id


def library_rate() -> float:
    """Events per second of the library's repository."""
    application = Application[UUID]()
    ids = []
    for number in range(LIBRARY_EVENTS // EVENTS_PER_AGGREGATE):
        stock = Stock(f"SKU-{number:05}")
        for again in range(EVENTS_PER_AGGREGATE - 1):
            if again % 2:
                stock.reserve(str(1_000_000 + again), 1)
            else:
                stock.receive(2, "supplier")
        application.save(stock)
        ids.append(stock.id)
    gc.collect()
    began = time.process_time()
    for one in ids:
        loaded: Stock = application.repository.get(one)
        assert loaded.version == EVENTS_PER_AGGREGATE
    return LIBRARY_EVENTS / (time.process_time() - began)


def with_store(events: int) -> Replayed:
    """A replay from a SQLite store into views of it, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        recorder = open_recorder(path, synchronous="NORMAL")
        for page in pages(shop(events), PAGE):
            recorder.insert_events(page)
        recorder.close()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            return process.submit(_catch_up, path).result()


def _catch_up(path: Path) -> Replayed:
    recorder = open_recorder(path)
    store = SQLiteViewStore(path)
    runner = Runner(recorder, store, [StockLevelsView(), OrdersView()])
    began = time.process_time()
    while runner.catch_up():
        pass
    took = time.process_time() - began
    store.close()
    recorder.close()
    return Replayed(took, _peak_mib())


def _peak_mib() -> float:
    """The most memory this process had. `getrusage` would tell of whoever started it as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024
