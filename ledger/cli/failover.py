"""`ledger failover`: another Region writes from now on."""

from __future__ import annotations

import getpass
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer
from rich.table import Table

from ledger.cli.lease import LeaseStore, on_tables
from ledger.cli.output import FINDING, err, fail, guarded, out
from ledger.lease import SETTLED_SECONDS
from ledger.regions.failover import Failover, FailoverRefused, Patience
from ledger.regions.losses import HarmedCommit, losses
from ledger.regions.place import Place, open_place
from ledger.store.dynamodb_lease import LeaseMoved, LeaseTable, make_lease_client


@guarded
def failover(
    to: Annotated[str, typer.Option("--to", metavar="REGION", help="Who is to write.")],
    old: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="REGION",
            help="Who writes now. Default: whom the new Region's lease names",
            show_default=False,
        ),
    ] = None,
    unplanned: Annotated[
        bool, typer.Option("--unplanned", help="The old Region is gone: don't wait for it.")
    ] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="With --unplanned: what did not arrive is lost.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Move nothing: list what the last failover lost.")
    ] = False,
    form: Annotated[
        Literal["table", "jsonl"], typer.Option("--format", help="How --report lists it.")
    ] = "table",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds until no write of the old Region arrives.")
    ] = SETTLED_SECONDS,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds in which everything must have been replicated.")
    ] = 600.0,
    segments: Annotated[
        int, typer.Option(min=1, max=32, help="Segments each table is scanned in.")
    ] = 4,
    store: LeaseStore = None,
) -> None:
    """Let another Region write. It needs credentials that are good in both.

    - `ledger failover --to ap-southeast-2` — planned: nothing is lost and nothing done twice, but
      for about a minute nothing is written
    - `ledger failover --to ap-southeast-2 --unplanned --accept-loss` — the old Region is gone
    - `ledger failover --from ap-southeast-4 --to ap-southeast-2 --report --format jsonl` — once
      the old Region is back: close it, and list every commit that was lost, torn or overwritten

    It may be interrupted: run it again with `--from`, or the other way round. Exit codes: 0 done,
    or nothing was lost; 1 the lease was not moved, or something was lost; 2 the command can't be
    used.
    """
    prefix = on_tables(store, "failover")
    if unplanned != accept_loss:
        fail("--unplanned loses what was not replicated: say --accept-loss with it, and only then.")
    if unplanned and report:
        fail("--report moves nothing: run it after the old Region is back, without --unplanned.")
    source = old or _writer_for(to, prefix)
    if source == to:
        fail(f"{to} writes, or is about to: name the other Region with --from.")
    if not yes and not report:
        typer.confirm(f"Close {source} and let {to} write?", abort=True)
    with _places(source, to, prefix) as (ours, theirs):
        times = Patience(settled=wait, replicated=patience)
        mover = Failover(ours, theirs, _operator(), _say, segments=segments, patience=times)
        try:
            if report:
                mover.close_old()
                _print(losses(ours, theirs, segments=segments), form)
            elif unplanned:
                mover.unplanned()
            else:
                mover.planned()
        except (FailoverRefused, LeaseMoved) as error:
            fail(f"{error}.", FINDING)


def _writer_for(region: str, prefix: str) -> str:
    """The Region that writes, as the new one has heard."""
    client = make_lease_client(region)
    try:
        writer = LeaseTable(client, prefix).read().writer
    finally:
        client.close()
    if writer is None:
        fail(f"{region} has not heard of a writer: name the other Region with --from.")
    return writer


@contextmanager
def _places(old: str, new: str, prefix: str) -> Iterator[tuple[Place, Place]]:
    ours, theirs = open_place(old, prefix), open_place(new, prefix)
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def _operator() -> str:
    try:
        return f"{getpass.getuser()} on {platform.node()}"
    except (KeyError, OSError):  # a container's user may have no name
        return platform.node()


def _say(step: str) -> None:
    err().print(step, soft_wrap=True)


def _print(found: list[HarmedCommit], form: str) -> None:
    if form == "jsonl":
        for commit in found:
            typer.echo(json.dumps(commit.as_json()))
    elif found:
        grid = Table("At", "Commit", "Actor", "Fate", "There", "Events", box=None)
        for commit in found:
            events = "\n".join(
                f"{e.stream} {e.version} {e.type}: {e.harm}{f' by {e.by}' if e.by else ''}"
                for e in commit.events
            )
            there = f"{commit.kept} of {commit.size}"
            grid.add_row(commit.at, commit.command, commit.actor, commit.fate, there, events)
        out().print(grid)
    if found:
        fail(f"{len(found):,} commits are not there, or not whole.", FINDING)
    err().print("Nothing was lost.")
