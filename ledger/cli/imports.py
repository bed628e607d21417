"""`ledger import`: other people's files, exactly once, every row accounted for."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.cli.account import print_summary
from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import FINDING, err, fail, guarded
from ledger.cli.views import catch_up, projected
from ledger.domain.values import Id, OrderPolicy
from ledger.importing import (
    OnlineRetailImporter,
    StockImporter,
    Summary,
    online_retail,
    stock_csv,
)
from ledger.importing.table import count_rows
from ledger.settings import Settings

GARBAGE_THRESHOLD: Final = 100_000
"""Objects made before the first generation of garbage is looked through (Python's default: 700)."""


class Format(StrEnum):
    """Formats that can be imported."""

    ONLINE_RETAIL = "online-retail"
    STOCK_CSV = "stock-csv"


class WhenShort(StrEnum):
    """What becomes of an order that finds too little stock."""

    PARTIAL = "partial"
    REJECT = "reject"


_POLICIES = {
    WhenShort.PARTIAL: OrderPolicy.PARTIAL,
    WhenShort.REJECT: OrderPolicy.ALL_OR_NOTHING,
}
_REQUIRED = {
    Format.ONLINE_RETAIL: online_retail.REQUIRED,
    Format.STOCK_CSV: stock_csv.REQUIRED,
}


FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="CSV files in UTF-8, imported in this order.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="What the files are.")]
OpeningOption = Annotated[
    Path | None,
    typer.Option(
        metavar="STOCK_CSV",
        help="Online-retail: begin with these opening balances and receive nothing on demand.",
    ),
]
ShortOption = Annotated[
    WhenShort | None,
    typer.Option(
        help="With --opening-stock, what an order that runs short does: ship what is there "
        "**(partial, the default)**, or nothing (reject)."
    ),
]
LocationOption = Annotated[
    str | None,
    typer.Option(help="Online-retail: where the stock is. Default: the first of LEDGER_LOCATIONS"),
]


@guarded
def import_files(
    files: FilesArgument,
    format_: FormatOption,
    opening_stock: OpeningOption = None,
    when_short: ShortOption = None,
    location: LocationOption = None,
    store: StoreOption = None,
) -> None:
    """Import files, each row once: a second run changes nothing, an interrupted one goes on.

    **online-retail** (InvoiceNo, StockCode, Description, Quantity, InvoiceDate, CustomerID):
    sales become orders named after the invoice, and ship; C invoices become returns; negative
    rows elsewhere become adjustments with their description as the reason; fees such as POST are
    skipped. What an order lacks is received just before it, with reference to the invoice, unless
    --opening-stock says what was there. Let one such import run at a time: receipts of two that
    import the same file at once could come twice (orders, returns and adjustments can't).

    **stock-csv** (sku, location, quantity, and if known unit_cost in minor units, currency,
    reference): opening balances of positions nothing has happened to yet.

    - `ledger import --format online-retail samples/online-retail-sample.csv`
    - `ledger import --format online-retail --opening-stock samples/opening-stock.csv
      --when-short reject samples/online-retail-sample.csv`
    - `ledger import --format stock-csv samples/opening-stock.csv`

    Exit codes: 0 every row is in the ledger or a fee; 1 rows were refused, ran short or can't
    be read (each is named); 2 a file or option can't be used, nothing was imported.
    """
    if format_ is Format.STOCK_CSV and (opening_stock or when_short or location):
        fail("--opening-stock, --when-short and --location go with --format online-retail only.")
    if when_short is not None and opening_stock is None:
        fail("--when-short needs --opening-stock: on-demand receipts leave no order short.")
    settings = read_settings(store)
    place = _location(location, settings)
    opening = [] if opening_stock is None else [opening_stock]
    balances = _Work(Format.STOCK_CSV, files if format_ is Format.STOCK_CSV else opening)
    retail = _Work(Format.ONLINE_RETAIL, files if format_ is Format.ONLINE_RETAIL else [])
    # A load makes many small objects that live on in the caches: look for garbage less often.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    with opened(settings, bulk=True) as ledger, projected(settings, ledger) as projections:
        stock_importer = StockImporter(ledger)
        balances.run(stock_importer.import_file)
        short = _POLICIES[when_short or WhenShort.PARTIAL] if opening else None
        retail_importer = OnlineRetailImporter(ledger, location=place, short=short)
        retail.run(retail_importer.import_file)
        catch_up(projections)
    # Closed and on the disk: now it may be said.
    _conclude(stock_importer.summary, retail_importer.summary)


class _Work:
    """Files of one format, read once before anything is imported, so that all are sound."""

    def __init__(self, format_: Format, files: Sequence[Path]) -> None:
        self._files = [(path, count_rows(path, _REQUIRED[format_])) for path in files]

    def run(self, import_file: Callable[[Path, Callable[[int], object]], None]) -> None:
        """Import file after file, showing the progress in rows."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=err()) as progress:
            for path, rows in self._files:
                task = progress.add_task(path.name, total=rows)
                import_file(path, partial(progress.advance, task))


def _location(location: str | None, settings: Settings) -> str:
    try:
        return TypeAdapter(Id).validate_python(location or settings.locations[0])
    except ValidationError:
        fail(f"--location {location!r}: use letters, digits and . _ + - only, at most 64.")


def _conclude(balances: Summary, retail: Summary) -> None:
    for title, summary in (("Opening stock", balances), ("Online retail", retail)):
        if summary.rows_read:
            print_summary(title, summary)
    if not (balances.ok and retail.ok):
        raise typer.Exit(FINDING)
