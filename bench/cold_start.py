"""Import, first request and memory of every function beside bare FastAPI + Mangum + boto3.

Every start is a fresh process on MiniStack's tables; each round starts each of them once. The
interpreter's own start is in neither, and everything is compiled before, as it is in the image.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, Final, NamedTuple

import boto3
from eventsourcing.persistence import StoredEvent
from rich.table import Table

from bench.dynamodb import context, on, open_ledger, order, receive
from bench.measured import Aim, Measured, Report, detail
from ledger.service import Ledger
from tests.support.delivery import message, queue_event, stream_record

ROUNDS: Final = 5
AIM: Final = Aim("≤", 1.3)
API: Final = "api.lambda_handler"
RELAY: Final = "projections.handlers.relay"
BARE: Final = "bench.bare_function"
BESIDE: Final = "bare FastAPI + Mangum + boto3"
FUNCTIONS: Final[Mapping[str, str]] = {
    API: "request",
    RELAY: "record",
    "projections.handlers.stock_levels": "position",
    "projections.handlers.orders": "order",
    "projections.handlers.open_reservations": "order",
    "projections.handlers.order_processor": "order",
    "projections.handlers.notifications": "position",
    "projections.handlers.sequencer": "position",
}
"""The module of each function's handler, and what its first event is."""

NOT_COMPILED: Final = "PYTHONDONTWRITEBYTECODE"
"""Says that what is compiled must not be kept."""


class Started(NamedTuple):
    """What one cold process took: seconds (until the first answer, but `second`), and MB."""

    imported: float
    request: float
    processor: float
    second: float
    megabytes: float

    @property
    def seconds(self) -> float:
        """Import and first request."""
        return self.imported + self.request


def run() -> Report:
    """Every function in turn, each round anew."""
    with on("ministack") as (endpoint, prefix), tempfile.TemporaryDirectory() as compiled:
        bus = f"{prefix}-bus"
        boto3.client("events", endpoint_url=endpoint).create_event_bus(Name=bus)
        ledger = open_ledger(endpoint, prefix)
        events = _events(ledger)
        environment = {
            **{name: os.environ[name] for name in os.environ.keys() - {NOT_COMPILED}},
            "PYTHONPYCACHEPREFIX": compiled,
            "AWS_ENDPOINT_URL": endpoint,
            "LEDGER_STORE": f"dynamodb:{prefix}",
            "LEDGER_AUTH": "none",
            "LEDGER_BUS": bus,
            "BARE_TABLE": f"{prefix}-events",
        }
        _, *rounds = [  # the first one compiles
            {
                module: _start(module, events[event], environment)
                for module, event in {BARE: "request", **FUNCTIONS}.items()
            }
            for _ in range(1 + ROUNDS)
        ]
    consumers = [module for module in FUNCTIONS if module not in (API, RELAY)]
    slowest = max(consumers, key=lambda name: median(each[name].seconds for each in rounds))
    return Report(
        [
            *_rows("the API", API, rounds),
            _second(rounds),
            *_rows("the relay", RELAY, rounds),
            *_rows(f"the slowest consumer ({slowest.rpartition('.')[2]})", slowest, rounds),
        ],
        [_details(rounds)],
    )


def _rows(name: str, module: str, rounds: Sequence[Mapping[str, Started]]) -> list[Measured]:
    pairs = [(each[module], each[BARE]) for each in rounds]

    def row(what: str, unit: str, digits: int, of: Callable[[Started], float]) -> Measured:
        ours, bare = (median(of(pair[side]) for pair in pairs) for side in (0, 1))
        note = f"{ours:.{digits}f} {unit} beside {bare:.{digits}f} {unit}"
        ratios = [of(one) / of(other) for one, other in pairs]
        return Measured.of(f"{what} of {name}", BESIDE, AIM, ratios, note)

    return [
        row("cold start", "s", 2, lambda one: one.seconds),
        row("cold start in processor time", "s", 2, lambda one: one.processor),
        row("memory", "MB", 0, lambda one: one.megabytes),
    ]


def _second(rounds: Sequence[Mapping[str, Started]]) -> Measured:
    """Nothing was put off until then."""
    pairs = [(each[API].second, each[BARE].second) for each in rounds]
    ours, bare = (1000 * median(pair[side] for pair in pairs) for side in (0, 1))
    note = f"{ours:.1f} ms beside {bare:.1f} ms, which decides nothing"
    ratios = [one / other for one, other in pairs]
    return Measured.of("second request of the API", BESIDE, None, ratios, note)


def _details(rounds: Sequence[Mapping[str, Started]]) -> Table:
    columns = ("function", "import s", "first request s", "processor s", "second ms", "MB")
    rows = []
    for module in (BARE, *FUNCTIONS):
        medians = [
            median(values) for values in zip(*(each[module] for each in rounds), strict=True)
        ]
        *seconds, second, megabytes = medians
        cells = [*(f"{cell:.2f}" for cell in seconds), f"{1000 * second:.1f}", f"{megabytes:.0f}"]
        rows.append([module, *cells])
    return detail(f"Cold starts, medians of {len(rounds)} rounds", columns, rows)


def _events(ledger: Ledger) -> dict[str, Any]:
    """An event of each kind; they tell of what was really committed."""
    ledger.handle(receive(range(3), 1_000_000), context())
    ledger.handle(order(range(3), "COLD-1"), context())
    position, placed = (_first(ledger, stream) for stream in ("stock:SKU-0@main", "order:COLD-1"))
    return {
        "request": _request(),
        "record": {"Records": [stream_record(position)]},
        "position": queue_event(message(position)),
        "order": queue_event(message(placed)),
    }


def _first(ledger: Ledger, stream: str) -> StoredEvent:
    return ledger.recorder.select_events(stream, limit=1)[0]


def _request() -> dict[str, Any]:
    body = json.dumps({"lines": [{"sku": f"SKU-{n}", "quantity": 1} for n in range(3)]})
    http = {"method": "POST", "path": "/v1/orders", "protocol": "HTTP/1.1", "sourceIp": "::1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/v1/orders",
        "rawQueryString": "",
        "headers": {
            "host": "api.example.com",
            "content-type": "application/json",
            "content-length": str(len(body)),
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {"http": http, "stage": "$default", "requestId": "r", "apiId": "a"},
        "body": body,
        "isBase64Encoded": False,
    }


def _start(module: str, event: dict[str, Any], environment: Mapping[str, str]) -> Started:
    events = [event, event]
    if "headers" in event:  # an order of its own each time
        keys = [{"idempotency-key": os.urandom(12).hex()} for _ in events]
        events = [{**event, "headers": event["headers"] | key} for key in keys]
    done = subprocess.run(
        [sys.executable, "-m", "bench.first_request", module],
        input=json.dumps(events),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stdout}{done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    for answer in told["answers"]:
        if answer.get("statusCode", 201) != 201 or answer.get("batchItemFailures"):
            raise RuntimeError(f"{module} answered {answer}:\n{done.stdout}")
    return Started(*(told[name] for name in ("import", "request", *Started._fields[2:])))
