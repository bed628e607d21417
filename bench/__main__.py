"""`python -m bench [NAME ...] [--files FILE ...]`: run the measurements and print their tables.

`--files` are the invoices that `import` reads; without them it makes its own. `--events` is how
long the histories of `replay` and `deep` are.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import deep_position, dynamodb, hot_sku, http_orders, import_files, lanes, replay


def main() -> None:
    """Run what is named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="http, hot, import, units, append, lanes, replay or deep",
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--files", nargs="+", type=Path, default=[], metavar="FILE")
    arguments = parser.parse_args()
    runs: dict[str, Callable[[], Table]] = {
        "http": http_orders.run,
        "hot": hot_sku.run,
        "import": lambda: import_files.run(arguments.files),
        "units": dynamodb.run_units,
        "append": dynamodb.run_rate,
        "lanes": lanes.run,
        "replay": lambda: replay.run(arguments.events),
        "deep": lambda: deep_position.run(arguments.events),
    }
    for name in arguments.names:
        if name not in runs:
            parser.error(f"there is no {name!r}: choose from {', '.join(runs)}")
    console = Console(width=120)
    console.print(f"Python {platform.python_version()}, {platform.machine()}")
    for name in arguments.names or runs:
        console.print(runs[name]())


if __name__ == "__main__":
    main()
