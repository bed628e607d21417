"""`ledger redrive`: dead letters, why they are dead, and sending them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table
from rich.text import Text

from ledger.cli.options import opened
from ledger.cli.output import FINDING, err, fail, guarded, out
from ledger.cli.pump import DynamoDBStore, on_dynamodb
from ledger.settings import Settings

if TYPE_CHECKING:
    from projections.delivery.dead_letters import DeadLetter
    from projections.delivery.redriving import Graveyard

    Again = Callable[[DeadLetter], None]
    Place = tuple[Graveyard, Callable[[], Again]]

NAMES = "stock_levels, orders, open_reservations, order_processor, notifications, sequencer, relay"


@guarded
def redrive(
    consumer: Annotated[
        str | None,
        typer.Argument(help=f"Whose: {NAMES}. Default: everybody's.", show_default=False),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Only show what is there, and why.")] = False,
    purge: Annotated[bool, typer.Option("--purge", help="Forget it instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Forget without asking.")] = False,
    queue_url: Annotated[
        str | None,
        typer.Option(help="The SQS queue to send to. Default: {prefix}-{consumer}."),
    ] = None,
    dead_letter_queue_url: Annotated[
        str | None,
        typer.Option(help="The dead-letter queue. Default: {prefix}-{consumer}-dead-letters."),
    ] = None,
    store: DynamoDBStore = None,
) -> None:
    """Send again what could not be delivered, once its cause is gone.

    Where events are delivered by `ledger pump`, dead letters are in its table and are handled
    here and now. Where LEDGER_BUS names a bus, or a queue is given, they are in SQS and are sent
    to their consumer's queue. What succeeds is removed. Doing it twice is harmless.

    - `ledger redrive --list` — what is there, and why
    - `ledger redrive stock_levels` — after what it failed on was mended
    - `ledger redrive orders --purge` — when the view was rebuilt since

    Exit codes: 0 nothing is left of what there was; 1 something failed again, or is there with
    `--list`; 2 the consumer, the table or a queue can't be used.
    """
    settings = on_dynamodb(store, "redrive")
    names = _names(consumer, single=queue_url is not None or dead_letter_queue_url is not None)
    on_sqs = settings.bus != "off" or dead_letter_queue_url is not None
    with (
        _in_queues(settings, names, queue_url, dead_letter_queue_url)
        if on_sqs
        else _in_the_table(settings, names)
    ) as places:
        if show:
            _show(places)
        elif purge:
            _purge(places, yes=yes)
        else:
            _redrive(places)


def _names(consumer: str | None, *, single: bool) -> list[str]:
    from projections.delivery.consumers import CONSUMERS
    from projections.delivery.relay import RELAY

    known = [*CONSUMERS, RELAY]
    if consumer is None:
        if single:
            fail("a queue is one consumer's: say whose, such as `ledger redrive stock_levels`.")
        return known
    if consumer not in known:
        fail(f"there is no consumer {consumer!r}. There are {', '.join(known)}.")
    return [consumer]


@contextmanager
def _in_the_table(settings: Settings, names: Sequence[str]) -> Iterator[list[Place]]:
    from projections.pump.bootstrap import local_delivery
    from projections.pump.redriving import TableGraveyard, handle_again

    with opened(settings) as ledger:
        local = local_delivery(settings, ledger)

        def place(name: str) -> Place:
            return TableGraveyard(local.letters, name), lambda: handle_again(local, name)

        yield [place(name) for name in names]


@contextmanager
def _in_queues(
    settings: Settings, names: Sequence[str], queue_url: str | None, dead_url: str | None
) -> Iterator[list[Place]]:
    from botocore.exceptions import BotoCoreError, ClientError

    from projections.delivery.clients import make_events_client, make_sqs_client
    from projections.delivery.publisher import Publisher
    from projections.delivery.redriving import SqsGraveyard, publish_again, send_to
    from projections.delivery.relay import RELAY

    client = make_sqs_client()

    def url(name: str) -> str:
        return client.get_queue_url(QueueName=f"{settings.table_prefix}-{name}")["QueueUrl"]

    def again(name: str) -> Again:
        if name == RELAY:
            return publish_again(Publisher(make_events_client(), settings.bus))
        return send_to(client, queue_url or url(name))

    def place(name: str) -> Place:
        return SqsGraveyard(client, dead_url or url(f"{name}-dead-letters"), name), lambda: again(
            name
        )

    try:
        yield [place(name) for name in names]
    except (ClientError, BotoCoreError) as error:
        fail(f"a queue can't be used: {error}. Name it with --dead-letter-queue-url.")


def _show(places: Sequence[Place]) -> None:
    letters = [letter for graveyard, _ in places for letter in graveyard.letters()]
    if not letters:
        err().print("There are no dead letters.")
        return
    table = Table(
        "consumer", "failed at", Column("event", overflow="fold"), Column("reason", overflow="fold")
    )
    for letter in letters:
        told = (letter.consumer, letter.failed_at, _event_of(letter.body), letter.reason)
        table.add_row(*map(Text, told))
    out().print(table)
    raise typer.Exit(FINDING)


def _purge(places: Sequence[Place], *, yes: bool) -> None:
    from projections.delivery.redriving import forget_all

    if not yes and not typer.confirm("Forget the dead letters? They can't be got back."):
        raise typer.Exit(FINDING)
    for graveyard, _ in places:
        count = forget_all(graveyard)
        if count:
            out().print(f"{graveyard.consumer}: {count} forgotten")


def _redrive(places: Sequence[Place]) -> None:
    found, left = 0, 0
    for graveyard, make in places:
        done, failures = graveyard.redrive(_when_needed(make))
        if done or failures:
            out().print(f"{graveyard.consumer}: {done} sent again, {len(failures)} failed")
        for failure in failures:
            told = f"  {_event_of(failure.letter.body)}: {failure.reason}"
            err().print(Text(told), soft_wrap=True)
        found, left = found + done + len(failures), left + len(failures)
    if not found:
        err().print("There are no dead letters.")
    if left:
        raise typer.Exit(FINDING)


def _when_needed(make: Callable[[], Again]) -> Again:
    """What `make` makes, made for the first letter: most consumers have none."""
    made = cache(make)
    return lambda letter: made()(letter)


def _event_of(body: str) -> str:
    """What a message tells of, for people; as much as can be read of it."""
    try:
        message: Any = json.loads(body)
        if "Records" in message:
            keys = message["Records"][0]["dynamodb"]["Keys"]
            return f"{keys['stream']['S']} version {keys['version']['N']}"
        detail = message["detail"]
        return f"{detail['type']} {detail['subject']} version {detail['streamversion']}"
    except (ValueError, KeyError, TypeError, IndexError):
        return f"{body:.60}"
