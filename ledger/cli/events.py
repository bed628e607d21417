"""`ledger events`: what happened, in the order it was recorded."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import fail, guarded, out
from ledger.codec import Recorded
from ledger.domain.events import CATALOGUE
from ledger.domain.streams import is_order, parse_order, parse_stock
from ledger.domain.values import MAX_BALANCE
from ledger.service.history import History

PAGE: Final = 500
TABLE_LIMIT: Final = 50
GAP: Final = 2
MIN_DATA_WIDTH: Final = 40
HEADINGS: Final = ("Position", "At (UTC)", "Stream", "Version", "Type", "Data")
RIGHT: Final = ("Position", "Version")


StreamOption = Annotated[
    str | None, typer.Option(help="Only this stream: stock:SKU@LOCATION or order:ORDER_ID.")
]
AfterOption = Annotated[
    int,
    typer.Option(
        min=0, max=MAX_BALANCE, help="Begin after this position (with --stream: version)."
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=MAX_BALANCE, help="At most so many. Default: 50 in a table, all with --jsonl"
    ),
]
TypeOption = Annotated[
    str | None, typer.Option("--type", help="Only events of this type, as StockReserved.")
]


@guarded
def events(
    stream: StreamOption = None,
    after: AfterOption = 0,
    limit: LimitOption = None,
    type_: TypeOption = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One whole event per line, as JSON.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Print events in the order they were recorded.

    - `ledger events --limit 20` — the first twenty
    - `ledger events --stream stock:10101A@main` — a position's stock card
    - `ledger events --stream order:700002` — an order's life
    - `ledger events --type OrderRejected --jsonl` — lost demand, for other programs

    Exit codes: 0 printed; 2 the command can't be used.
    """
    check_selection(stream, type_)
    with opened(read_settings(store), must_exist=True) as ledger:
        found = _matching(ledger.history, after, stream, type_)
        if jsonl:
            for position, recorded in islice(found, limit):
                typer.echo(json_line(position, recorded))
        else:
            limit = limit or TABLE_LIMIT
            _print_table(list(islice(found, limit + 1)), limit)


def check_selection(stream: str | None, type_: str | None) -> None:
    """Refuse a `--stream` or `--type` that no event can have."""
    if stream is not None:
        try:
            _ = parse_order(stream) if is_order(stream) else parse_stock(stream)
        except ValueError:
            fail(f"--stream {stream!r}: write stock:SKU@LOCATION or order:ORDER_ID.")
    if type_ is not None and type_ not in CATALOGUE:
        close = difflib.get_close_matches(type_, CATALOGUE, n=1)
        fail(f"--type {type_!r} is no event. {_suggestion(close)}")


def _suggestion(close: list[str]) -> str:
    return f"Did you mean {close[0]}?" if close else f"There are: {', '.join(sorted(CATALOGUE))}."


def _matching(
    history: History, after: int, stream: str | None, type_: str | None
) -> Iterator[tuple[int, Recorded]]:
    while page := history.feed(after, PAGE, stream):
        for position, recorded in page:
            if type_ is None or recorded.type == type_:
                yield position, recorded
        after = page[-1][0]


def json_line(position: int | None, recorded: Recorded) -> str:
    """A whole event on a line of JSON, its position first (null where there is none)."""
    names = ("stream", "version", "type", "schema", "id", "at", "command", "actor", "region")
    whole = {
        "position": position,
        **{name: getattr(recorded, name) for name in names},
        "size": recorded.size,
        "data": recorded.data,
        "prev": recorded.prev,
        "hash": recorded.hash,
    }
    return json.dumps(whole, ensure_ascii=False)


def _print_table(found: list[tuple[int, Recorded]], limit: int) -> None:
    console = out()
    if not found:
        console.print("No such events.")
        return
    rows = [HEADINGS, *(_row(position, recorded) for position, recorded in found[:limit])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    room = max(MIN_DATA_WIDTH, console.width - sum(widths) - GAP * len(widths))
    if not console.is_terminal:
        room = max(room, *(len(row[-1]) for row in rows))
    for row in rows:
        cells = [
            cell.rjust(width) if heading in RIGHT else cell.ljust(width)
            for heading, cell, width in zip(HEADINGS, row, widths, strict=False)
        ]
        data = row[-1] if len(row[-1]) <= room else row[-1][: room - 1] + "…"
        line = Text((" " * GAP).join([*cells, data]), style="bold" if row is HEADINGS else "")
        console.print(line, soft_wrap=True)
    if len(found) > limit:
        console.print(f"There are more: --after {found[limit - 1][0]}, or --limit.", style="dim")


def _row(position: int, recorded: Recorded) -> tuple[str, ...]:
    at = recorded.at[:19].replace("T", " ")
    version, data = str(recorded.version), _brief(recorded.data)
    return (str(position), at, recorded.stream, version, recorded.type, data)


def _brief(data: dict[str, Any]) -> str:
    """The event's own fields in short: lists by their length, free text after the balance."""
    parts = {
        name: f"{name} {_short(value)}"
        for name, value in data.items()
        if name != "balance" and value != []
    }
    if "balance" in data:
        on_hand, reserved = data["balance"]["on_hand"], data["balance"]["reserved"]
        text = [parts.pop(name) for name in ("reason", "reference") if name in parts]
        return ", ".join((*parts.values(), f"→ {on_hand} on hand, {reserved} reserved", *text))
    return ", ".join(parts.values())


def _short(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, dict):
        return " ".join(f"{name} {_short(part)}" for name, part in value.items())
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
