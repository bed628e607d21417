"""`ledger tables`: the DynamoDB tables of a store, for accounts and emulators without Terraform."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Column, Table

from ledger.cli.options import read_settings
from ledger.cli.output import fail, guarded, out
from ledger.store import tables as manifest
from ledger.store.dynamodb_client import make_client, translated

tables = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

TablesStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="dynamodb:PREFIX",
        help="Whose tables. Default: LEDGER_STORE",
        show_default=False,
    ),
]


@tables.command()
@guarded
def create(
    protect: Annotated[
        bool,
        typer.Option(
            help="Turn deletion protection and point-in-time recovery on where they belong."
        ),
    ] = False,
    store: TablesStore = None,
) -> None:
    """Create the tables that are missing, and wait for them.

    - `ledger tables create --store dynamodb:ledger` — in the account and Region of boto3
    - `AWS_ENDPOINT_URL=http://127.0.0.1:4566 ledger tables create` — on an emulator

    On AWS the tables are Terraform's, from the same manifest. Exit codes: 0 they are there; 2
    they can't be created.
    """
    prefix = _prefix(store)
    with translated("creating tables"):
        # Creating takes its time; sent twice, the second CreateTable would fail.
        client = make_client(read_timeout=60)
        created = manifest.create_tables(client, prefix, protect=protect)
    for name in created:
        out().print(f"Created {manifest.full_name(prefix, name)}.")
    if not created:
        out().print(f"All tables of {prefix} are there.")


@tables.command()
@guarded
def describe(store: TablesStore = None) -> None:
    """Print the tables of a store: what they are for, their keys, and whether they are there.

    Exit codes: 0 printed; 2 DynamoDB can't be reached.
    """
    prefix = _prefix(store)
    client = make_client()
    with translated("describing tables"):
        there = manifest.existing_tables(client, prefix)
        names = ("Table", "Status", "Items", "Key", "Indexes")
        grid = Table(*(Column(name, no_wrap=True) for name in names), "Purpose", box=None)
        for name, table in manifest.manifest().items():
            status, items = "missing", ""
            if name in there:
                answer = client.describe_table(TableName=manifest.full_name(prefix, name))
                status = answer["Table"]["TableStatus"].lower()
                items = f"{answer['Table']['ItemCount']:,}"
            keys = ", ".join(key.name for key in table.keys)
            full_name = manifest.full_name(prefix, name)
            grid.add_row(full_name, status, items, keys, ", ".join(table.indexes), table.purpose)
    out().print(grid)


@tables.command()
@guarded
def delete(
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    store: TablesStore = None,
) -> None:
    """Delete the tables of a store and everything in them.

    Protected tables are refused. Exit codes: 0 deleted; 2 not.
    """
    prefix = _prefix(store)
    if not yes and not typer.confirm(f"Delete all tables of {prefix} and all they hold?"):
        fail("nothing was deleted.")
    with translated("deleting tables"):
        for name in manifest.delete_tables(make_client(), prefix):
            out().print(f"Deleted {manifest.full_name(prefix, name)}.")


def _prefix(store: str | None) -> str:
    settings = read_settings(store)
    if settings.table_prefix is None:
        fail(f"{settings.store} has no tables: name --store dynamodb:PREFIX.")
    return settings.table_prefix
