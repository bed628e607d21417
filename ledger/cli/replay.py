"""`ledger replay`: past events, printed or published again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final, Protocol

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from ledger.cli.events import TypeOption, check_selection, json_line
from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import err, fail, guarded
from ledger.codec import Recorded
from ledger.replay import Placed, Selection, of_log, of_scan, of_stream
from ledger.service import Ledger
from ledger.service.ledger import new_uuid
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_client import translated
from ledger.store.scanning import MAX_SEGMENTS, SEGMENTS, scan_events

BATCH: Final = 100
"""Events handed to the publisher together."""

FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="INSTANT",
        help="Recorded at this instant or later, as 2026-11-02T08:00:00Z.",
    ),
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="INSTANT", help="Recorded before this instant.")
]
StreamOption = Annotated[
    str | None, typer.Option(help="Only this stream: stock:SKU@LOCATION or order:ORDER_ID.")
]
BusOption = Annotated[
    str | None,
    typer.Option("--to-bus", metavar="NAME", help="Publish to this EventBridge bus instead."),
]
SegmentsOption = Annotated[
    int,
    typer.Option(
        min=1, max=MAX_SEGMENTS, help="DynamoDB: read so many parts of the table at once."
    ),
]


class Publish(Protocol):
    """Publishes events, marked as those of a replay; answers those the bus would not take."""

    def __call__(self, events: list[Recorded], *, replay: str | None = None) -> list[Recorded]:
        """Publish events."""


@guarded
def replay(
    from_: FromOption = None,
    to: ToOption = None,
    stream: StreamOption = None,
    type_: TypeOption = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print one whole event per line, as JSON.")
    ] = False,
    to_bus: BusOption = None,
    segments: SegmentsOption = SEGMENTS,
    store: StoreOption = None,
) -> None:
    """Print past events again, or publish them again; say which by --jsonl or --to-bus.

    The order is that of the log on SQLite, and with --stream that of its versions. On DynamoDB
    the events of each stream are in order, but streams come side by side, without positions (sort
    by `at` for the order of time). A span of time is cut between commits; one that ends 10 seconds
    ago or earlier always holds the same events.

    Published events bear a `replay` marker: views and the order processor pass over what they
    have applied, notifications leave them alone. Published twice does no harm, so after a failure
    run the same command again.

    - `ledger replay --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z --jsonl > november.jsonl`
    - `ledger replay --stream order:700002 --jsonl`
    - `ledger replay --from 2026-11-02T08:00:00+01:00 --to-bus ledger --store dynamodb:ledger`

    Exit codes: 0 all printed or published; 1 an event can't be read; 2 the command can't be used,
    or the bus would not take the events.
    """
    check_selection(stream, type_)
    if jsonl == (to_bus is not None):
        fail("say what to do with the events: either --jsonl or --to-bus NAME.")
    selection = Selection(_instant("--from", from_), _instant("--to", to), stream, type_)
    if selection.since and selection.until and selection.since >= selection.until:
        fail(f"--to {to!r} is not after --from {from_!r}: nothing lies between them.")
    publish = None if to_bus is None else _publisher(to_bus)
    with opened(read_settings(store), must_exist=True) as ledger:
        found = _past(ledger, selection, segments)
        if publish is None:
            _print(found)
        else:
            _publish(found, publish, str(to_bus))


def _instant(option: str, text: str | None) -> str | None:
    """The canonical text of an instant, written as the API takes it."""
    if text is None:
        return None
    # Importing them loads the API, so only here.
    from api.instants import past_instant
    from api.problems import Problem

    try:
        # Whether its answer can still change is no matter here, as it is there.
        return past_instant(text, lambda: datetime.max.replace(tzinfo=UTC))
    except Problem:
        fail(
            f"{option} {text!r}: write an instant with its offset from UTC, such as "
            "2026-11-02T08:00:00Z or 2026-11-02T09:00:00+01:00."
        )


def _past(ledger: Ledger, selection: Selection, segments: int) -> Iterator[Placed]:
    if selection.stream is not None:
        return of_stream(ledger.history, selection)
    recorder = ledger.recorder
    if isinstance(recorder, DynamoDBLedgerRecorder):
        return of_scan(scan_events(recorder.tables, segments), selection)
    return of_log(recorder, selection)


def _print(found: Iterator[Placed]) -> None:
    count = 0
    # On a terminal the events themselves show how far it is.
    with _counting(quiet=sys.stdout.isatty()) as show:
        for count, (position, recorded) in enumerate(found, 1):
            typer.echo(json_line(position, recorded))
            show(f"{count:,} events printed")
    err().print(f"{count:,} events printed.")


def _publish(found: Iterator[Placed], publish: Publish, bus: str) -> None:
    count, run = 0, new_uuid()
    with _counting() as show:
        while batch := [recorded for _, recorded in islice(found, BATCH)]:
            left = publish(batch, replay=run)
            count += len(batch) - len(left)
            if left:
                fail(
                    f"{count:,} events were published, but the bus {bus} would not take "
                    f"{left[0].stream} version {left[0].version}. Run the same command again: "
                    "what is published twice does no harm."
                )
            show(f"{count:,} events published")
    err().print(f"{count:,} events published to {bus}, marked as replay {run}.", soft_wrap=True)


@contextmanager
def _counting(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Progress on standard error, if that is a terminal."""
    console, columns = err(), (SpinnerColumn(), TextColumn("{task.description}"))
    quiet = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("reading")
        yield lambda said: progress.update(task, description=said)


def _publisher(bus: str) -> Publish:
    """Publishes to a bus that is there."""
    from botocore.exceptions import ClientError

    from projections.delivery.clients import make_events_client
    from projections.delivery.publisher import Publisher

    with translated(f"looking for the bus {bus}"):
        client = make_events_client()
        try:
            client.describe_event_bus(Name=bus)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            fail(f"--to-bus {bus!r}: there is no such bus in {client.meta.region_name}.")
    return Publisher(client, bus).publish
