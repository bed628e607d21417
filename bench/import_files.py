"""`ledger import --format online-retail` as a whole process, beside raw inserts of as many rows.

The floor inserts rows of the same size as the import's events into a table of the same shape, with
the same pragmas, in transactions as large as the import's: no ids, no hashes, no decisions, no
views, no process to start. CPU seconds are shown as well: on a machine that has other things to do
they say more than the clock.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

from rich.table import Table

from bench.measured import Aim, Measured, Report
from ledger.importing.online_retail import COLUMNS, Kind, read_invoices
from ledger.importing.retail_importer import BATCH_ROWS
from ledger.store.sqlite_connections import BULK_CHECKPOINT_PAGES

ROUNDS = 5
LINES_PER_SECOND = 5_000
INVOICES = 750
LARGE = (592, 593, 675, 601, 121, 169, 133, 148, 112, 127, 164, 141)
"""Lines of the invoices that take several commits, or nearly so."""
SKUS = 2_800
BATCH_EVENTS = 3 * BATCH_ROWS
FEES = ("POST", "DOT", "M", "BANK CHARGES", "AMAZONFEE", "C2", "D", "S")

Event = tuple[str, int, str, int]
"""Stream, version, type, and the size of its state in bytes."""

Row = tuple[str, str, str, int]
"""Invoice, stock code, description and quantity."""


class Took(NamedTuple):
    """Seconds by the clock, and of CPU."""

    wall: float
    cpu: float


class Seconds(NamedTuple):
    """What one round took."""

    whole: Took
    """The import as a process."""
    empty: Took
    """The same command on a file without rows: the start-up."""
    help: Took
    """`ledger --help`."""
    floor: Took


@dataclass(frozen=True)
class Imported:
    """What an import left in its store."""

    commits: Sequence[Sequence[Event]]

    @property
    def events(self) -> int:
        """Events over all commits."""
        return sum(map(len, self.commits))


def run(files: Sequence[Path] = ()) -> Report:
    """Measure an import of the files, or of a synthetic one if there are none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        what = f"{len(files)} file{'s' * (len(files) > 1)}" if files else "a synthetic file"
        files = files or [synthetic(folder / "invoices.csv")]
        empty = _write(folder / "empty.csv", [])
        rounds: list[Seconds] = []
        imported = Imported([])
        for number in range(ROUNDS):
            store = folder / f"{number}.db"
            whole = _import(store, files)
            imported = imported if imported.commits else _read(store)
            start_up = _import(folder / f"empty-{number}.db", [empty])
            helped = _ledger(store, "--help")
            rounds.append(Seconds(whole, start_up, helped, floor(folder, imported.commits)))
        _ledger(folder / "0.db", "verify")
        table = _table(what, files, imported, rounds)
        sold = sum(len(i.of(Kind.SALE)) for file in files for i in read_invoices(file))
    took = [_after(one.empty, one.whole) for one in rounds]
    per_second = [sold / one.wall for one in took]
    rows = [
        Measured.of(
            f"order lines a second of ledger import of {what}, after start-up",
            f"{LINES_PER_SECOND:,}",
            Aim("≥", 1),
            [rate / LINES_PER_SECOND for rate in per_second],
            f"{median(per_second):,.0f} lines/s; {median(sold / one.cpu for one in took):,.0f} a "
            f"second of CPU; {imported.events:,} events",
        ),
        Measured.of(
            "the time it takes",
            "raw sqlite3 inserts of as many rows",
            None,
            [mine.wall / one.floor.wall for mine, one in zip(took, rounds, strict=True)],
        ),
    ]
    return Report(rows, [table])


def _table(
    what: str, files: Sequence[Path], imported: Imported, rounds: Sequence[Seconds]
) -> Table:
    invoices = [invoice for file in files for invoice in read_invoices(file)]
    rows = sum(len(invoice.rows) for invoice in invoices)
    sold = sum(len(invoice.of(Kind.SALE)) for invoice in invoices)
    table = Table(
        title=f"ledger import of {what}: {rows:,} rows, {sold:,} order lines, "
        f"{imported.events:,} events in {len(imported.commits):,} commits"
    )
    table.add_column("")
    for column in (
        "seconds",
        "order lines/s",
        "events/s",
        "times the floor",
        "CPU seconds",
        "lines per CPU s",
    ):
        table.add_column(column, justify="right")
    for label, took in (
        ("whole process", [one.whole for one in rounds]),
        ("after start-up (as with no rows)", [_after(one.empty, one.whole) for one in rounds]),
        ("after `ledger --help`", [_after(one.help, one.whole) for one in rounds]),
        ("raw sqlite3 inserts", [one.floor for one in rounds]),
    ):
        seconds, cpu = median(one.wall for one in took), median(one.cpu for one in took)
        ratio = median(s.wall / one.floor.wall for s, one in zip(took, rounds, strict=True))
        cells = [f"{sold / seconds:,.0f}", f"{imported.events / seconds:,.0f}", f"{ratio:.2f}"]
        table.add_row(label, f"{seconds:.3f}", *cells, f"{cpu:.3f}", f"{sold / cpu:,.0f}")
    start_up = median(one.empty.wall for one in rounds)
    helped = median(one.help.wall for one in rounds)
    table.caption = (
        f"medians of {len(rounds)} rounds; start-up {start_up:.3f} s, `ledger --help` "
        f"{helped:.3f} s; `ledger verify` found all well"
    )
    return table


def _after(start_up: Took, whole: Took) -> Took:
    return Took(whole.wall - start_up.wall, whole.cpu - start_up.cpu)


def _import(store: Path, files: Sequence[Path]) -> Took:
    return _ledger(store, "import", "--format", "online-retail", *map(str, files))


def _ledger(store: Path, *arguments: str) -> Took:
    """Run a `ledger` command, which must end well; answers the seconds it took."""
    command = [str(Path(sys.executable).with_name("ledger")), *arguments]
    env = {**os.environ, "LEDGER_STORE": f"sqlite:{store}"}
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system
    took = Took(wall, cpu - before.children_user - before.children_system)
    if done.returncode:
        msg = f"ledger {arguments[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        raise RuntimeError(msg)
    return took


def _read(store: Path) -> Imported:
    """The import's events, commit by commit."""
    query = "SELECT originator_id, originator_version, topic, state FROM stored_events"
    with closing(sqlite3.connect(store)) as connection:
        stored = connection.execute(f"{query} ORDER BY rowid").fetchall()
    sized = [(row[:3], len(row[3]), json.loads(row[3])["command"]) for row in stored]
    commits = [
        [(*names, size) for names, size, _ in commit]
        for _, commit in groupby(sized, key=lambda one: one[2])
    ]
    return Imported(commits)


def floor(folder: Path, commits: Sequence[Sequence[Event]]) -> Took:
    """What it takes to insert rows of the same size, and to have them on the disk in the end."""
    largest = bytes(max(size for commit in commits for *_, size in commit))
    rows: list[list[tuple[str, int, str, bytes]]] = [[]]
    for commit in commits:
        if len(rows[-1]) >= BATCH_EVENTS:
            rows.append([])
        rows[-1] += [
            (stream, number, topic, largest[:size]) for stream, number, topic, size in commit
        ]
    path = folder / "floor.db"
    began, before = time.perf_counter(), time.process_time()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={BULK_CHECKPOINT_PAGES}")
        connection.execute(
            "CREATE TABLE events (originator_id TEXT, originator_version INTEGER, topic TEXT, "
            "state BLOB, PRIMARY KEY (originator_id, originator_version))"
        )
        for batch in rows:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO events VALUES (?,?,?,?)", batch)
            connection.execute("COMMIT")
        for written in (path.with_name("floor.db-wal"), path):
            with written.open("rb") as file:
                os.fsync(file.fileno())
    took = Took(time.perf_counter() - began, time.process_time() - before)
    path.unlink()
    return took


def synthetic(path: Path) -> Path:
    """A file shaped like a week of a real shop's invoices, always the same."""
    return _write(path, _rows(Random(2010)))


def _rows(draw: Random) -> Iterator[Row]:
    """Sales, returns, corrections and fees."""
    skus = [f"{20_000 + number}{draw.choice(['', '', '', 'A', 'B'])}" for number in range(SKUS)]
    sizes = [
        *LARGE,
        *(min(100, 1 + int(draw.expovariate(1 / 21))) for _ in range(INVOICES * 4 // 5)),
    ]
    draw.shuffle(sizes)
    kinds = ["sale"] * len(sizes) + ["return"] * 80
    kinds += ["correction"] * (INVOICES - len(kinds))
    draw.shuffle(kinds)
    for number, kind in enumerate(kinds, 500_000):
        if kind == "sale":
            for _ in range(sizes.pop()):
                yield (
                    str(number),
                    _popular(draw, skus),
                    "THING",
                    draw.choice((1, 1, 2, 4, 6, 12, 48)),
                )
            if draw.random() < 0.1:
                yield str(number), draw.choice(FEES), "fee", 1
        elif kind == "return":
            for _ in range(draw.randint(1, 4)):
                yield f"C{number}", _popular(draw, skus), "THING", -draw.randint(1, 12)
        else:
            yield str(number), _popular(draw, skus), "damages", -draw.randint(1, 60)


def _popular(draw: Random, skus: Sequence[str]) -> str:
    """A stock code, the first ones far more often than the last."""
    return skus[int(len(skus) * draw.random() ** 2)]


def _write(path: Path, rows: Iterable[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for invoice, sku, what, quantity in rows:
            date = "2026-03-02 08:31:00"
            writer.writerow([invoice, sku, what, quantity, date, "1.25", "41001.0", "France"])
    return path
