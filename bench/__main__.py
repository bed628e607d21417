"""`python -m bench [NAME ...]`: run the measurements, all or those named, and print their table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.measured import Measured, Report, table_of

NAMES: Final[Mapping[str, str]] = {
    "http": "bench.http_orders",
    "hot": "bench.hot_sku",
    "processes": "bench.hot_processes",
    "import": "bench.import_files",
    "append": "bench.append",
    "castore": "bench.castore",
    "units": "bench.units",
    "soak": "bench.soak",
    "lag": "bench.lag",
    "cold": "bench.cold_start",
    "lanes": "bench.lanes",
    "replay": "bench.replay",
    "deep": "bench.deep_position",
}
"""The module of each measurement. Its `run` answers a `Report`, or only a table of details."""


def main() -> None:
    """Run what is named, or everything."""
    arguments = _arguments()
    options: dict[str, dict[str, Any]] = {
        "import": {"files": arguments.files},
        "soak": {"minutes": arguments.minutes},
    }
    if arguments.events:
        options |= {name: {"events": arguments.events} for name in ("replay", "deep")}
    runs = {
        name: partial(import_module(NAMES[name]).run, **options.get(name, {}))
        for name in arguments.names or NAMES
    }
    console = Console(width=150)
    rows: list[Measured] = []
    failed: list[str] = []
    for name, run in runs.items():
        began = time.monotonic()
        try:
            rows += _told(run(), console, details=arguments.details or bool(arguments.names))
        except Exception as error:
            # A measurement that can't be made must not cost those that were.
            failed.append(f"{name} was not measured: {type(error).__name__}: {error}")
        console.print(f"{name}: {time.monotonic() - began:.0f} s")
    console.print(_machine())
    console.print(table_of(rows))
    for line in failed:
        console.print(line, markup=False)
    sys.exit(1 if failed else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--details", action="store_true", help="print each measurement's own tables as well"
    )
    parser.add_argument(
        "--files",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="the invoices that import reads; without them it makes its own",
    )
    parser.add_argument(
        "--events",
        type=int,
        help="how long the histories of replay and deep are (default: 1,000,000)",
    )
    parser.add_argument(
        "--minutes", type=float, default=3, help="how long soak goes on (default: 3)"
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in NAMES:
            parser.error(f"there is no {name!r}: choose from {', '.join(NAMES)}")
    return arguments


def _told(found: Report | Table, console: Console, *, details: bool) -> Iterable[Measured]:
    """The rows of a measurement; its own tables are printed if they are wanted, or all it has."""
    report = Report((), [found]) if isinstance(found, Table) else found
    if details or not report.rows:
        for table in report.details:
            console.print(table)
    return report.rows


def _machine() -> str:
    """Where and when: what absolute numbers are numbers of."""
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    load = os.getloadavg()[1]
    return (
        f"{when}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, load of the last 5 minutes {load:.1f}"
    )


if __name__ == "__main__":
    main()
