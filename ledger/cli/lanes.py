"""`ledger lanes`: how a position is split, and splitting it another way."""

from __future__ import annotations

import time
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import fail, guarded, out
from ledger.codec import Recorded
from ledger.domain.lanes import MAX_LANES, most_lanes
from ledger.domain.streams import lane_stream, stock_stream
from ledger.domain.values import Id
from ledger.errors import Contention
from ledger.service import Context, Ledger, SetLanes
from ledger.service.history import History, balance_of

PATIENCE_SECONDS: Final = 30.0
"""How long to try on a position that is busy: every one of its lanes must hold still at once."""

COUNTERS: Final = ("on_hand", "reserved", "backordered", "damaged", "available")


@guarded
def lanes(
    sku: Annotated[str, typer.Argument(metavar="SKU")],
    location: Annotated[str, typer.Argument(metavar="LOCATION")],
    count: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_LANES,
            help="Split the position into so many lanes; 1 makes it whole again.",
        ),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Print the lanes of a position, or split it into more or fewer while it is in use.

    One position takes about a hundred orders a second. In lanes, which are streams of their own,
    it takes that many in each, and stays one position to everybody who reads it.

    - `ledger lanes 10101A main` — how it is split, and what each lane holds
    - `ledger lanes 10101A main --count 8` — eight lanes from now on
    - `ledger lanes 10101A main --count 1` — whole again

    Exit codes: 0 done; 2 the command can't be used, or the position was too busy.
    """
    for value in (sku, location):
        try:
            TypeAdapter(Id).validate_python(value)
        except ValidationError:
            fail(f"{value!r} can't be a SKU or a location.")
    settings = read_settings(store)
    most = most_lanes(len(settings.locations))
    if count is not None and count > most:
        fail(f"with {len(settings.locations)} locations a position can have {most} lanes.")
    with opened(settings, must_exist=True) as ledger:
        if count is not None:
            _split(ledger, SetLanes(sku, location, count))
        _print(ledger.history, sku, location)


def _split(ledger: Ledger, command: SetLanes) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            ledger.handle(command, Context("operator"))
        except Contention:
            if time.monotonic() > deadline:
                raise
        else:
            return


def _print(history: History, sku: str, location: str) -> None:
    stream = stock_stream(sku, location)
    level = history.position(stream)
    if level is None:
        fail(f"nothing was recorded for {sku} at {location}.")
    newest = history.newest(stream)
    assert newest is not None, "it was there a moment ago"
    split = balance_of(newest).lanes
    streams = [lane_stream(stream, n) for n in range(split.streams if split else 1)]
    found = history.newest_many(streams)
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True)
    table.add_column("Lane", footer="Together")
    table.add_column("Takes orders")
    for name in COUNTERS:
        footer = f"{getattr(level.balance, name):,}"
        table.add_column(name.replace("_", " ").capitalize(), justify="right", footer=footer)
    for number, name in enumerate(streams):
        if name in found:
            opened_now = number < (split.open if split else 1)
            table.add_row(str(number), "yes" if opened_now else "no", *_counters(found[name]))
    out().print(table)
    if split is not None and split.gathered:
        out().print(
            f"Gathered: it is in {split.count} lanes again once there is enough for them, "
            "nobody waits, and more is available than the low-stock threshold.",
            style="dim",
        )


def _counters(recorded: Recorded) -> list[str]:
    return [f"{getattr(balance_of(recorded), name):,}" for name in COUNTERS]
