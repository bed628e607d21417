"""Options that several commands share, and what they open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from ledger.bootstrap import open_ledger
from ledger.cli.output import fail
from ledger.service import Ledger
from ledger.settings import Auth, Settings

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="sqlite:PATH|dynamodb:PREFIX",
        help="Where events and views are kept. Default: LEDGER_STORE, or sqlite:var/ledger.db",
        show_default=False,
    ),
]


def read_settings(store: str | None, auth: Auth | None = None) -> Settings:
    """The settings, `--store` and `--auth` before the environment."""
    options: dict[str, Any] = {"store": store, "auth": auth}
    try:
        return Settings(**{name: given for name, given in options.items() if given is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        source = "--store" if name == "store" and store is not None else f"LEDGER_{name.upper()}"
        if name == "store":
            why = "write sqlite:PATH (such as sqlite:var/ledger.db) or dynamodb:PREFIX"
        else:
            why = first["msg"].removeprefix("Value error, ")
        fail(f"{source} can't be {first.get('input')!r}: {why}.")


@contextmanager
def opened(settings: Settings, *, must_exist: bool = False, bulk: bool = False) -> Iterator[Ledger]:
    """The ledger of the settings, closed at the end.

    `must_exist` is for commands that only read: they make no store. `bulk` is for loads that can
    be repeated (see `open_ledger`).
    """
    path = settings.sqlite_path
    if must_exist and path is not None and not path.exists():
        fail(
            f"there is no store at {path}. Name another with --store "
            "sqlite:PATH, or begin one with `ledger import` or `ledger serve`."
        )
    ledger = open_ledger(settings, bulk=bulk)
    try:
        yield ledger
    finally:
        ledger.close()
