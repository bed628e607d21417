"""`ledger stock`: what is where."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import typer
from rich.table import Table

from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import guarded, out
from ledger.cli.views import catch_up, projected
from ledger.domain.values import MAX_BALANCE
from projections.readers import StockLevel, StockLevels

PAGE: Final = 500
COUNTERS: Final = ("on_hand", "reserved", "backordered", "damaged", "available")


@guarded
def stock(
    sku: Annotated[str | None, typer.Argument(metavar="[SKU]", help="Only this SKU.")] = None,
    location: Annotated[str | None, typer.Option(help="Only this location.")] = None,
    below: Annotated[
        int | None,
        typer.Option(min=0, max=MAX_BALANCE, help="Only positions with fewer units available."),
    ] = None,
    csv_: Annotated[bool, typer.Option("--csv", help="Print CSV for other programs.")] = False,
    store: StoreOption = None,
) -> None:
    """Print stock per SKU and location, with totals, in base units.

    Available is what a new order may reserve: on hand, less what is reserved, damaged or waited
    for by backorders.

    - `ledger stock` — everything
    - `ledger stock 10101A` — one SKU at all its locations
    - `ledger stock --below 20 --csv > reorder.csv` — what runs out

    Exit codes: 0 printed; 2 the command can't be used.
    """
    settings = read_settings(store)
    with opened(settings, must_exist=True) as ledger, projected(settings, ledger) as projections:
        catch_up(projections)
        levels = _each(projections.stock_levels, sku, location, below)
        if csv_:
            _print_csv(levels)
        else:
            _print_table(levels, projections.stock_levels.applied_to())


def _each(
    reader: StockLevels, sku: str | None, location: str | None, below: int | None
) -> Iterator[StockLevel]:
    after: tuple[str, str] | None = None
    while page := reader.list(sku=sku, location=location, below=below, after=after, limit=PAGE):
        yield from page
        after = (page[-1].sku, page[-1].location)


def _print_csv(levels: Iterable[StockLevel]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["sku", "location", *COUNTERS, "low_stock_threshold", "version", "as_of"])
    for level in levels:
        threshold = "" if level.low_stock_threshold is None else level.low_stock_threshold
        counters = [getattr(level, name) for name in COUNTERS]
        writer.writerow(
            [level.sku, level.location, *counters, threshold, level.version, level.as_of]
        )


def _print_table(levels: Iterable[StockLevel], applied_to: str | None) -> None:
    found = list(levels)
    if not found:
        out().print("No such stock.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True)
    table.add_column("SKU", footer=f"{len(found):,} position{'' if len(found) == 1 else 's'}")
    table.add_column("Location")
    for name in COUNTERS:
        total = sum(getattr(level, name) for level in found)
        heading = name.replace("_", " ").capitalize()
        table.add_column(heading, justify="right", footer=f"{total:,}")
    for level in found:
        counters = (f"{getattr(level, name):,}" for name in COUNTERS)
        table.add_row(level.sku, level.location, *counters)
    out().print(table)
    out().print(f"As of {applied_to}.", style="dim")
