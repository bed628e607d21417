"""`ledger serve`: the HTTP API, with delivery in the same process if wanted."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import err, fail, guarded
from ledger.cli.pump import opened_pump
from ledger.settings import Auth, Settings

if TYPE_CHECKING:
    from ledger.service import Ledger
    from projections.pump.pump import Pump

MIN_SECRET_BYTES: Final = 16


@guarded
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    access_log: Annotated[
        bool, typer.Option("--access-log/--no-access-log", help="Log every request.")
    ] = False,
    pump: Annotated[
        bool,
        typer.Option(
            "--pump",
            help="On DynamoDB: deliver events as well, as `ledger pump` does. On SQLite the "
            "server always does.",
        ),
    ] = False,
    auth: Annotated[
        Auth | None,
        typer.Option(
            help="Whether clients need a token (jwt) or not (none, on loopback only). "
            "Default: LEDGER_AUTH, or none",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Serve the HTTP API.

    On SQLite it also keeps the views up to date and works on large and waiting orders. On
    DynamoDB others do that, unless `--pump` asks for it.

    - `ledger serve` — on http://127.0.0.1:8000, documentation at /docs
    - `ledger serve --auth jwt --host 0.0.0.0 --port 80 --store sqlite:/data/ledger.db`
    - `ledger serve --store dynamodb:shop --pump` — all of it in one process

    Everyone may do everything unless tokens are asked for, so without `--auth jwt` (and
    LEDGER_JWT_ISSUER and LEDGER_JWT_AUDIENCE) it listens on loopback only.

    Ctrl-C or SIGTERM stops it after the requests under way. Exit codes: 0 stopped; 2 the address,
    the store or a setting can't be used.
    """
    # Imported here, so that the other commands start in half the time.
    import uvicorn

    from api.bootstrap import app_from_settings
    from api.hosts import LoopbackNames, as_host

    settings = read_settings(store, auth)
    _check_secret(settings)
    _check_host(settings, host)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with opened(settings) as ledger:
        ledger.history.newest("health")  # a store that can't be read is said now, in one line
    _show_notifications()
    with _listen(host, port) as listening:
        app = app_from_settings(settings, _pump(settings) if pump else None)
        address = f"http://{as_host(host)}:{listening.getsockname()[1]}"
        announcement = f"Serving {settings.store} on {address}, documentation at {address}/docs"
        err().print(announcement, soft_wrap=True)
        if settings.auth == "none":
            app.add_middleware(LoopbackNames, address=host)
        # What a client says of where it comes from is not believed: its address is that of its
        # connection, or everybody could be somebody else with every request.
        config = uvicorn.Config(
            app, access_log=access_log, log_level=_log_level(access_log), proxy_headers=False
        )
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            err().print("Stopped.")


def _show_notifications() -> None:
    """Print the notifications of the channel `log`, one a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("Notification: %(message)s"))
    logging.getLogger("ledger.notifications").addHandler(handler)


def _pump(settings: Settings) -> Callable[[Ledger], Pump] | None:
    """What makes the pump of a store that doesn't deliver by itself."""
    return None if settings.sqlite_path is not None else partial(opened_pump, settings)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while")[0]
        fail(f"can't listen on {host} port {port}: {why}. Choose another --host or --port.")
    # Connections inherit it: without it, small answers wait for the client's delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _check_secret(settings: Settings) -> None:
    secret = settings.cursor_secret
    if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
        fail(f"LEDGER_CURSOR_SECRET is too short: give at least {MIN_SECRET_BYTES} bytes.")


def _check_host(settings: Settings, host: str) -> None:
    from api.access import is_loopback

    if settings.auth == "none" and not is_loopback(host):
        fail(
            f"--host {host} is open to others, who could all write: LEDGER_AUTH is none. Ask for "
            "tokens with --auth jwt, or listen on 127.0.0.1."
        )


def _log_level(access_log: bool) -> str:
    """Uvicorn logs requests at `info`, together with how it starts and stops."""
    return "info" if access_log else "warning"
