"""`python -m bench [NAME ...] [--files FILE ...]`: run the measurements and print their tables."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import hot_sku, http_orders


def main() -> None:
    """Run what is named, or everything."""
    runs: dict[str, Callable[[], Table]] = {"http": http_orders.run, "hot": hot_sku.run}
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*runs, "import", []], default=[])
    parser.add_argument("--files", nargs="*", type=Path, default=[], metavar="FILE")
    arguments = parser.parse_args()
    console = Console(width=120)
    console.print(f"Python {platform.python_version()}, {platform.machine()}")
    for name in arguments.names or runs:
        console.print(runs[name]())


if __name__ == "__main__":
    main()
