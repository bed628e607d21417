"""The commands put together. Each lives in a module of its own."""

from __future__ import annotations

import os

import typer

from ledger.cli.events import events
from ledger.cli.failover import failover
from ledger.cli.imports import import_files
from ledger.cli.lanes import lanes
from ledger.cli.lease import lease
from ledger.cli.pump import pump
from ledger.cli.rebuild import rebuild
from ledger.cli.redrive import redrive
from ledger.cli.replay import replay
from ledger.cli.schemas import schemas
from ledger.cli.serve import serve
from ledger.cli.stock import stock
from ledger.cli.tables import tables
from ledger.cli.verify import verify

app = typer.Typer(
    name="ledger",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
    help="""An event-sourced inventory ledger: orders and stock movements as immutable events.

    Every command works on the store that `--store` names, or LEDGER_STORE, or
    `sqlite:var/ledger.db`.

    A first look:

    - `ledger import --format online-retail samples/online-retail-sample.csv`
    - `ledger stock --below 20`
    - `ledger events --stream order:700002`
    - `ledger verify`
    - `ledger serve`

    Exit codes: 0 all is well; 1 something was found that needs looking at; 2 the command or its
    input can't be used; 130 interrupted.""",
)
app.command("serve")(serve)
app.command("import")(import_files)
app.command("verify")(verify)
app.command("rebuild")(rebuild)
app.command("events")(events)
app.command("replay")(replay)
app.command("stock")(stock)
app.command("pump")(pump)
app.command("redrive")(redrive)
app.command("schemas")(schemas)
app.command("lanes")(lanes)
app.command("lease")(lease)
app.command("failover")(failover)
app.add_typer(tables, name="tables", help="Create, describe or delete a store's DynamoDB tables.")


def main() -> None:
    """Run the command line.

    AWS_REGION says which Region is meant, as for the AWS CLI, Terraform and every other SDK:
    boto3 alone reads nothing but AWS_DEFAULT_REGION, and would go to another Region or to none.
    """
    if region := os.environ.get("AWS_REGION"):
        os.environ["AWS_DEFAULT_REGION"] = region
    app()
