"""`ledger pump`: delivery of a DynamoDB store's events on this machine."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text
from typing_extensions import override

from ledger.cli.options import opened, read_settings
from ledger.cli.output import err, fail, guarded
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.service import Ledger
    from projections.delivery.meters import Totals
    from projections.pump.pump import Pump

STATUS_SECONDS: Final = 0.5

DynamoDBStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="dynamodb:PREFIX",
        help="Whose events. Default: LEDGER_STORE",
        show_default=False,
    ),
]


@guarded
def pump(
    once: Annotated[bool, typer.Option("--once", help="Deliver what there is, then end.")] = False,
    store: DynamoDBStore = None,
) -> None:
    """Deliver a DynamoDB store's events: views, large and waiting orders, notifications.

    On AWS functions do that; this is for emulators, and for accounts without them. It follows the
    event table's stream, may be killed at any moment, and need not be the only one.

    - `ledger pump --store dynamodb:shop` — beside `ledger serve --store dynamodb:shop`
    - `ledger pump --once` — until the stream is at its end and everything is delivered

    What fails again and again is put aside: see `ledger redrive`. Ctrl-C or SIGTERM stops it.
    Exit codes: 0 stopped, or all delivered; 1 `--once` had to put something aside; 2 the table or
    its stream can't be read.
    """
    settings = on_dynamodb(store, "pump")
    with opened(settings) as ledger:
        running = opened_pump(settings, ledger)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        totals = running.totals
        console = err()
        with _logged(console), _status(console, lambda: _told(totals, running)):
            if once:
                running.drain()
            else:
                _run(running, f"Delivering the events of {settings.store}. Ctrl-C stops it.")
        err().print(_told(totals, running))
    if once and totals.count("DeadLettered") + totals.count("RelayRejected"):
        fail("something could not be delivered. `ledger redrive --list` says what and why.", 1)


def on_dynamodb(store: str | None, command: str) -> Settings:
    """The settings of a DynamoDB store; the command fails on another one."""
    settings = read_settings(store)
    if settings.table_prefix is None:
        fail(
            f"`ledger {command}` is for DynamoDB: name the tables with --store dynamodb:PREFIX. "
            "On SQLite `ledger serve` delivers by itself."
        )
    return settings


def opened_pump(settings: Settings, ledger: Ledger) -> Pump:
    """The pump of a ledger."""
    from projections.pump.bootstrap import open_pump

    return open_pump(settings, ledger)


def _run(running: Pump, announcement: str) -> None:
    err().print(announcement, soft_wrap=True)
    running.start()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        running.stop()


def _told(totals: Totals, running: Pump) -> Text:
    """How it goes, in one line."""
    parts = [f"{totals.count('Published'):,} events published"]
    waiting = {name: len(queue) for name, queue in running.plumbing.queues.items() if len(queue)}
    parts += [f"{name} {count:,} to go" for name, count in waiting.items()]
    for name, word in (("Failed", "tries failed"), ("DeadLettered", "put aside")):
        if totals.count(name):
            parts.append(f"{totals.count(name):,} {word}")
    lag = totals.newest("ProjectionLagMs")
    if lag is not None and not waiting:
        parts.append(f"newest event applied after {lag:,.0f} ms")
    return Text(" · ".join(parts))


@contextmanager
def _logged(console: Console) -> Iterator[None]:
    """Show what is logged as plain lines, above the status line; errors without their stacks."""
    handler = _Lines(console)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class _Lines(logging.Handler):
    """Writes records to the console."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    @override
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        line = record.getMessage()
        if error is not None and str(error) not in line:
            line += f" ({type(error).__name__}: {error})"
        self._console.print(Text(line), soft_wrap=True)


@contextmanager
def _status(console: Console, told: Callable[[], Text]) -> Iterator[None]:
    """One line that is kept up to date on a terminal, and nothing elsewhere."""
    if not console.is_terminal:
        yield
        return
    ended = threading.Event()
    with console.status(told()) as line:

        def update() -> None:
            while not ended.wait(STATUS_SECONDS):
                line.update(told())

        thread = threading.Thread(target=update, name="status", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
