"""Replaying history into `stock_levels` and `orders`, beside the library's own replay.

The library folds events of its own: aggregates with its default JSON transcoder in its default
recorder, in memory, every one loaded anew by the default repository. Only the fold is timed, not
the making of the events, nor reading ours from their file. Memory is measured with the store:
nobody can fold a million orders in memory and keep none.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from bench.histories import pages, shop
from bench.measured import Aim, Measured, Report, detail, in_turns
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
    """Of CPU time, for all events."""
    tenth_mib: float
    """The most memory until a tenth of the events were replayed."""
    peak_mib: float


def run(events: int = 1_000_000) -> Report:
    """Fold only, three rounds of each in turn; then with the store."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        recorder = open_recorder(path, synchronous="NORMAL")
        made = 0
        for page in pages(shop(events), PAGE):
            recorder.insert_events(page)
            made += len(page)
        recorder.close()
        rounds = in_turns(ROUNDS, lambda: fold_only(path), library_rate)
        stored = with_store(path, events // 10)
    folded, library = ([one[side] for one in rounds] for side in (0, 1))
    ratios = [ours / theirs for ours, theirs in rounds]
    rate = made / stored.seconds
    beside = f"{rate / median(library):.1f}"
    rows = [
        ("library, default repository", f"{median(library):,.0f}", "1.0", ""),
        ("fold only", f"{median(folded):,.0f}", f"{median(ratios):.1f}", ""),
        ("SQLite to SQLite", f"{rate:,.0f}", beside, f"{stored.peak_mib:.0f}"),
        ("at a tenth of them", "", "", f"{stored.tenth_mib:.0f}"),
    ]
    title = f"Replay of {events:,} events into stock_levels and orders"
    columns = ("", "events/s of CPU time", "beside the library", "peak memory, MiB")
    table = detail(title, columns, rows)
    table.caption = f"medians of {ROUNDS} rounds"
    return Report(
        [
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
                Aim("≤", 1.1),
                [stored.peak_mib / stored.tenth_mib],
                f"{stored.peak_mib:.0f} MiB beside {stored.tenth_mib:.0f}; "
                f"{rate:,.0f} events/s with the store",
            ),
        ],
        [table],
    )


class _Rows:
    """Rows in a dictionary: as little of a store as there can be."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, dict[Key, Row]] = defaultdict(dict)

    def prepare(self, views: Iterable[View[Any]]) -> None:
        """Nothing is to be made."""

    def generations(self, _: View[Any]) -> Generations:
        return Generations()

    def load(self, view: View[Any], keys: Iterable[Key]) -> dict[Key, Row]:
        rows = self._rows[view.name]
        return {key: rows[key] for key in keys if key in rows}

    def save(self, view: View[Any], rows: Iterable[Any], _: object) -> None:
        kept = self._rows[view.name]
        for row in rows:
            kept[tuple([getattr(row, name) for name in view.key_fields])] = row


def fold_only(path: Path) -> float:
    """Events per second of the runner, from stored bytes to rows."""
    recorder = open_recorder(path)
    runner = Runner(recorder, cast(ViewStore, _Rows()), [StockLevelsView(), OrdersView()])
    seconds, count = 0.0, 0
    while page := recorder.select_notifications(count, PAGE, inclusive_of_start=False):
        gc.collect()
        began = time.process_time()
        runner.apply(page).check()
        seconds += time.process_time() - began
        count = page[-1].id
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


def with_store(path: Path, tenth: int) -> Replayed:
    """A replay from a SQLite store into views of it, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_catch_up, path, tenth).result()


def _catch_up(path: Path, tenth: int) -> Replayed:
    recorder = open_recorder(path)
    store = SQLiteViewStore(path)
    runner = Runner(recorder, store, [StockLevelsView(), OrdersView()])
    began = time.process_time()
    replayed, tenth_mib = 0, 0.0
    while (count := len(runner.catch_up())) > 0:
        replayed += count
        if replayed >= tenth and not tenth_mib:
            tenth_mib = _peak_mib()
    took = time.process_time() - began
    store.close()
    recorder.close()
    return Replayed(took, tenth_mib, _peak_mib())


def _peak_mib() -> float:
    """The most memory this process had. `getrusage` would tell of whoever started it as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024
