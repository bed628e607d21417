"""`ledger verify`: the whole history and the views made of it, checked."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import FINDING, err, guarded, out
from ledger.cli.views import projected
from ledger.service.clock import instant, utc_now
from ledger.store.base import LedgerRecorder
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_client import translated
from ledger.store.scanning import MAX_SEGMENTS, SEGMENTS, scan_commands, scan_events
from ledger.store.sqlite import SQLiteLedgerRecorder
from ledger.store.sqlite_commands import each_command
from ledger.verify import Report, verify_scan
from ledger.verify import verify as verify_log
from projections.audit import ViewAudit
from projections.bootstrap import Projections

SegmentsOption = Annotated[
    int,
    typer.Option(
        min=1, max=MAX_SEGMENTS, help="DynamoDB: read so many parts of the table at once."
    ),
]


@guarded
def verify(
    segments: SegmentsOption = SEGMENTS,
    commands: Annotated[
        bool,
        typer.Option("--commands", help="Check that what each remembered command wrote is there."),
    ] = False,
    store: StoreOption = None,
) -> None:
    """Read the whole history again and check everything that can be checked.

    Every event's seal, its place in the hash chain, its time and its balance; that every commit
    is whole; that every reserved unit has one fate, in the order's stream as in the position's;
    and every row of the views against the events it was made of.

    On DynamoDB others may go on writing. It first waits 10 seconds, until every commit of before
    is stored; what is written later is checked as far as it can be while it is written, and
    counted. It reads every event once, and once more if something is found: a strongly consistent
    scan, one read unit per 4 KB.

    - `ledger verify`
    - `ledger verify --store sqlite:backup.db` — is the backup sound?
    - `ledger verify --store dynamodb:ledger --segments 16`

    Exit codes: 0 all is well; 1 something differs, each finding on a line; 2 the command can't be
    used.
    """
    settings = read_settings(store)
    with opened(settings, must_exist=True) as ledger, projected(settings, ledger) as projections:
        recorder = ledger.recorder
        if isinstance(recorder, DynamoDBLedgerRecorder):
            audit, report = _verify_tables(recorder, projections, commands, segments)
        else:
            assert isinstance(recorder, SQLiteLedgerRecorder), "a store is a file or has tables"
            audit, report = _verify_file(recorder, projections, commands)
        differing = list(audit.findings())
        lag = audit.lag()
    for finding in (*report.findings, *differing):
        out().print(Text(finding, style="red"), soft_wrap=True)
    for view, streams in lag.items():
        if streams:
            out().print(f"View {view} has yet to apply the newest events of {streams:,} streams.")
    _print_undecided(report)
    count = len(report.findings) + len(differing)
    read = f"{report.events:,} events in {report.streams:,} streams, {len(lag)} views"
    if count:
        out().print(f"{read}: {count:,} finding{'s' if count > 1 else ''}.", style="bold red")
        raise typer.Exit(FINDING)
    out().print(f"{read}: all is well.", style="green")


def _print_undecided(report: Report) -> None:
    """What others wrote meanwhile kept from being judged."""
    if report.later:
        out().print(
            f"{report.later:,} events were recorded after it began: they are checked one by one, "
            "but not across streams."
        )
    if report.withdrawn:
        out().print(
            f"{len(report.withdrawn):,} findings were gone when everything was read again: "
            "commits of slow writers. Run it again if you think of another reason."
        )


def _audit(recorder: LedgerRecorder, projections: Projections) -> ViewAudit:
    """An audit of every generation that is written, as it is now."""
    store = projections.store
    live = [view.at(n) for view in projections.views for n in store.generations(view).live]
    return ViewAudit(store, live, recorder)


def _verify_file(
    recorder: SQLiteLedgerRecorder, projections: Projections, commands: bool
) -> tuple[ViewAudit, Report]:
    audit = _audit(recorder, projections)
    columns = (TextColumn("Verifying"), BarColumn(), MofNCompleteColumn(), TextColumn("events"))
    with Progress(*columns, console=err(), transient=True) as progress:
        task = progress.add_task("", total=None)
        report = verify_log(
            recorder,
            [audit],
            lambda done, total: progress.update(task, completed=done, total=total),
            commands=each_command(recorder) if commands else (),
        )
    return audit, report


def _verify_tables(
    recorder: DynamoDBLedgerRecorder, projections: Projections, commands: bool, segments: int
) -> tuple[ViewAudit, Report]:
    """Wait until everything of before is stored, then scan."""
    # The same wait as of reads of the past: importing it loads the API, so only here.
    from api.instants import SETTLED_AFTER

    tables, seconds = recorder.tables, SETTLED_AFTER.total_seconds()
    with translated(f"reading {tables.events}"):
        count = tables.client.describe_table(TableName=tables.events)["Table"]["ItemCount"]
    until = instant(utc_now())
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=err(), transient=True) as progress:
        waiting = f"waiting {seconds:g} s until every commit made before {until} is stored"
        task = progress.add_task("Verifying", total=None, said=waiting)
        time.sleep(seconds)
        audit = _audit(recorder, projections)
        report = verify_scan(
            partial(scan_events, tables, segments),
            [audit],
            partial(_show, progress, task, count),
            until=until,
            commands=scan_commands(tables) if commands else (),
        )
    return audit, report


def _show(progress: Progress, task: TaskID, count: int, done: int) -> None:
    said = f"{done:,} events"
    if done <= count:
        said += f" of about {count:,} (DynamoDB counts every six hours)"
    progress.update(task, completed=done, total=max(done, count), said=said)
