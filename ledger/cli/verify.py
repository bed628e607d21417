"""`ledger verify`: the whole history and the views made of it, checked."""

from __future__ import annotations

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import FINDING, err, guarded, out
from ledger.cli.views import projected
from ledger.service import Ledger
from ledger.verify import Observer, Report
from ledger.verify import verify as verify_events


@guarded
def verify(store: StoreOption = None) -> None:
    """Read the whole history again and check everything that can be checked.

    Every event's seal, its place in the hash chain, its time and its balance; that every commit
    is whole; that every reserved unit has one fate, in the order's stream as in the position's;
    and every row of the views against the events it was made of.

    - `ledger verify`
    - `ledger verify --store sqlite:backup.db` — is the backup sound?

    Exit codes: 0 all is well; 1 something differs, each finding on a line; 2 the command can't be
    used.
    """
    settings = read_settings(store)
    with opened(settings, must_exist=True) as ledger, projected(settings, ledger) as projections:
        audit = projections.audit()
        report = _verify(ledger, audit)
        differing = list(audit.findings())
        lag = audit.lag()
    for finding in (*report.findings, *differing):
        out().print(Text(finding, style="red"), soft_wrap=True)
    for view, streams in lag.items():
        if streams:
            out().print(f"View {view} has yet to apply the newest events of {streams:,} streams.")
    count = len(report.findings) + len(differing)
    read = f"{report.events:,} events in {report.streams:,} streams, {len(lag)} views"
    if count:
        out().print(f"{read}: {count:,} finding{'s' if count > 1 else ''}.", style="bold red")
        raise typer.Exit(FINDING)
    out().print(f"{read}: all is well.", style="green")


def _verify(ledger: Ledger, audit: Observer) -> Report:
    columns = (TextColumn("Verifying"), BarColumn(), MofNCompleteColumn(), TextColumn("events"))
    with Progress(*columns, console=err(), transient=True) as progress:
        task = progress.add_task("", total=None)
        return verify_events(
            ledger.recorder,
            [audit],
            lambda done, total: progress.update(task, completed=done, total=total),
        )
