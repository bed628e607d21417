"""`ledger lease`: which Region writes."""

from __future__ import annotations

from typing import Annotated

import typer
from eventsourcing.persistence import PersistenceError
from rich.table import Table

from ledger.cli.options import read_settings
from ledger.cli.output import fail, guarded, out
from ledger.lease import Standing
from ledger.settings import Settings
from ledger.store.dynamodb_lease import LeaseTable, make_lease_client

LeaseStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="dynamodb:PREFIX",
        help="Whose lease. Default: LEDGER_STORE",
        show_default=False,
    ),
]


@guarded
def lease(
    regions: Annotated[
        list[str] | None,
        typer.Argument(metavar="REGION...", help="Default: the Region of boto3, and the writer's."),
    ] = None,
    store: LeaseStore = None,
) -> None:
    """Show which Region writes, as each Region's own tables say.

    - `ledger lease --store dynamodb:ledger`
    - `ledger lease ap-southeast-4 ap-southeast-2`

    Exit codes: 0 one Region writes; 1 none does, or more than one, or not all could be asked; 2 the
    command can't be used.
    """
    prefix = on_tables(store, "lease")
    asked = list(dict.fromkeys(regions or [here()]))
    standings: dict[str, Standing | str] = {}
    while asked:
        region = asked.pop(0)
        standings[region] = _read(region, prefix)
        found = standings[region]
        if not regions and isinstance(found, Standing) and found.writer not in (None, *standings):
            asked.append(str(found.writer))
    out().print(_shown(standings))
    holders = [r for r, s in standings.items() if isinstance(s, Standing) and s.held_by(r)]
    unknown = any(isinstance(s, str) for s in standings.values())
    if len(holders) != 1 or unknown:
        fail(f"the lease is held by {' and '.join(holders) or 'nobody that answered'}.", 1)


def on_tables(store: str | None, command: str) -> str:
    """The prefix of a DynamoDB store; the command fails on another one."""
    settings: Settings = read_settings(store)
    if settings.table_prefix is None:
        fail(f"`ledger {command}` is for DynamoDB: name the tables with --store dynamodb:PREFIX.")
    return settings.table_prefix


def here() -> str:
    """The Region of boto3."""
    client = make_lease_client()
    try:
        return client.meta.region_name
    finally:
        client.close()


def _read(region: str, prefix: str) -> Standing | str:
    client = make_lease_client(region)
    try:
        return LeaseTable(client, prefix).read()
    except PersistenceError as error:
        return str(error)
    finally:
        client.close()


def _shown(standings: dict[str, Standing | str]) -> Table:
    grid = Table("Region", "Lease", "Epoch", "Writer", "Since", "By", "Fence", box=None)
    for region, standing in standings.items():
        if isinstance(standing, str):
            grid.add_row(region, f"unreadable: {standing}")
            continue
        grant, fence = standing.grant, standing.fence
        fenced = "" if fence is None else f"{fence.epoch}: {fence.region}"
        if grant is None:
            grid.add_row(region, "none", "", standing.writer or "", "", "", fenced)
            continue
        state = grant.state
        if state == "open" and not standing.held_by(region):
            state += ", but fenced"  # type: ignore[assignment]
        writer = standing.writer or ""
        grid.add_row(region, state, str(grant.epoch), writer, grant.at[:19], grant.by, fenced)
    return grid
