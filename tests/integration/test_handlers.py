"""The functions of AWS, fed as AWS feeds them: stream, bus and queues of the emulator."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from ledger.codec import decode
from projections.delivery.consumers import CONSUMERS
from projections.delivery.details import recorded_of
from projections.delivery.envelopes import batch_json
from projections.handlers.consuming import consuming
from projections.handlers.relay import make_relay
from projections.handlers.runtime import handler_of
from tests.integration.pump.support import Site, soon
from tests.support.delivery import failures, message, placed, queue_event, stream_record
from tests.support.engines import Engines
from tests.support.event_stores import all_events
from tests.support.functions import functions_forgotten
from tests.support.queues import Aws


@pytest.fixture
def site(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A ledger on the emulator that the environment names, and logs put back in the end."""
    site = Site(engines.endpoint("ministack"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", engines.endpoint("ministack"))
    monkeypatch.setenv("LEDGER_STORE", f"dynamodb:{site.prefix}")
    monkeypatch.setenv("LEDGER_NOTIFY_LOG", "true")
    with functions_forgotten():
        yield site
    site.close()


@pytest.fixture
def aws(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """A bus and queues on the same emulator."""
    aws = Aws(site.endpoint, "stock_levels", "orders", "relay", prefix=site.prefix)
    monkeypatch.setenv("LEDGER_BUS", aws.bus)
    yield aws
    aws.close()


def records(site: Site) -> list[dict[str, Any]]:
    return [stream_record(event) for event in all_events(site.recorder)]


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The lines of the log, and the metrics of the one embedded among them."""
    parsed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (told,) = (line for line in parsed if "_aws" in line)
    definition = told["_aws"]["CloudWatchMetrics"][0]
    assert (definition["Namespace"], definition["Dimensions"]) == ("Ledger", [["consumer"]])
    values = {metric["Name"]: sum(told[metric["Name"]]) for metric in definition["Metrics"]}
    return [line for line in parsed if "_aws" not in line], {"of": told["consumer"], **values}


@pytest.mark.parametrize("shape", ["pipe", "mapping"])
def test_from_the_stream_to_the_view(
    site: Site, aws: Aws, shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.receive("MUG", 5)
    site.order("A-1", "MUG")
    relay = handler_of("relay", make_relay)
    batch = json.loads(batch_json(records(site)))
    assert relay(batch["Records"] if shape == "pipe" else batch, None) == {"batchItemFailures": []}
    _, told = lines(capsys)
    assert told == {"of": "relay", "Published": 3}

    levels = {"Records": aws.received("stock_levels", 2)}
    assert consuming("stock_levels")(levels, None) == {"batchItemFailures": []}
    log, told = lines(capsys)
    assert (told["of"], told["Applied"], told["Skipped"]) == ("stock_levels", 1, 1)
    assert told["ProjectionLagMs"] > 0
    commands = {decode(event).command for event in all_events(site.recorder)}
    assert {line["correlation_id"] for line in log} == commands
    assert {line["service"] for line in log} == {"stock_levels"}

    summaries = {"Records": aws.received("orders", 1)}
    detail = json.loads(summaries["Records"][0]["body"])["detail"]
    (stored,) = site.recorder.select_events("order:A-1")
    assert recorded_of(detail) == decode(stored)
    assert consuming("orders")(summaries, None) == {"batchItemFailures": []}
    assert site.stock_rows()["MUG", "main"].reserved == 1
    assert site.order_rows()["A-1",].status == "allocated"


def test_what_stays_bad_goes_to_the_dead_letter_queue_with_the_reason(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEDGER_DEAD_LETTER_QUEUE_URL", aws.urls["orders-dead-letters"])
    monkeypatch.setenv("LEDGER_MAX_RECEIVES", "3")
    handler = consuming("orders")
    body = message(placed("LATE", 2))
    assert failures(handler(queue_event(body, receives=2), None)) == ["m1"]
    assert failures(handler(queue_event(body, receives=3), None)) == []
    (letter,) = aws.received("orders-dead-letters")
    told = {name: value["StringValue"] for name, value in letter["messageAttributes"].items()}
    assert told.keys() == {"reason", "consumer", "failed_at"}
    assert told["consumer"] == "orders"
    assert "order:LATE version 1 is missing" in told["reason"]
    assert letter["body"] == body
    log = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    last = [line for line in log if line.get("level") == "WARNING"][-1]
    assert (last["exception_name"], last["correlation_id"]) == (
        "EventsMissing",
        json.loads(body)["detail"]["command"],
    )
    assert [line["DeadLettered"] for line in log if "DeadLettered" in line] == [[1.0]]


def test_a_rejected_record_of_the_stream_is_kept_as_well(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_DEAD_LETTER_QUEUE_URL", aws.urls["relay-dead-letters"])
    garbage = base64.b64encode(b"no envelope").decode()
    record = stream_record(placed(), state={"B": garbage})
    assert handler_of("relay", make_relay)([record], None) == {"batchItemFailures": []}
    (letter,) = aws.received("relay-dead-letters")
    assert json.loads(letter["body"]) == {"Records": [record]}


def test_the_relay_needs_a_bus(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.settings.bus == "off"
    monkeypatch.delenv("LEDGER_BUS", raising=False)
    with pytest.raises(RuntimeError, match="LEDGER_BUS"):
        handler_of("relay", make_relay)([], None)


def test_every_consumer_does_its_part(site: Site) -> None:
    """Each one on its own, sweeps included; `MUG` is sold, waited for and received."""
    handlers = {name: consuming(name) for name in CONSUMERS}
    site.receive("MUG", 1)
    site.order("A-1", "MUG", reservation_ttl_seconds=3600)
    site.order("A-2", "MUG", policy="backorder")
    site.receive("MUG", 1)

    def deliver() -> None:
        batch = queue_event(*(message(event) for event in all_events(site.recorder)))
        for handler in handlers.values():
            assert handler(batch, None) == {"batchItemFailures": []}

    deliver()
    assert handlers["order_processor"]({"sweep": True}, None) == {"batchItemFailures": []}
    deliver()
    assert site.order_rows()["A-2",].status == "allocated"
    soon(site.everything_is_applied)


def test_every_function_has_a_handler() -> None:
    for name in ("relay", *CONSUMERS):
        assert callable(import_module(f"projections.handlers.{name}").handler)


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("projections.handlers.relay", "fastapi sqlite3 typer projections.views"),
        ("projections.handlers.stock_levels", "fastapi sqlite3 typer uvicorn"),
        ("projections.delivery.consumers", "aws_lambda_powertools fastapi"),
        ("projections.pump.bootstrap", "aws_lambda_powertools fastapi"),
        ("api.bootstrap", "aws_lambda_powertools boto3"),
    ],
)
def test_nothing_is_loaded_that_is_not_needed(module: str, forbidden: str) -> None:
    """Cold starts take as long as what is imported."""
    code = f"import sys, {module}; print(*[m for m in {forbidden.split()} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
