"""`ledger redrive` on SQS; on the local pump's dead letters: `tests/integration/pump`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ledger.codec import decode
from projections.delivery.dead_letters import DeadLetter, SqsDeadLetters
from projections.delivery.details import recorded_of
from projections.delivery.envelopes import batch_json
from projections.delivery.relay import RELAY
from tests.integration.cli.support import error_of, run
from tests.support.delivery import AT, message, placed, received, stream_record
from tests.support.engines import Engines
from tests.support.queues import Aws

CONSUMERS = ("stock_levels", "orders", "open_reservations", "order_processor")
OTHERS = ("notifications", "sequencer", RELAY)


@pytest.fixture
def aws(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", engines.endpoint("ministack"))
    aws = Aws(engines.endpoint("ministack"), *CONSUMERS, *OTHERS)
    monkeypatch.setenv("LEDGER_STORE", f"dynamodb:{aws.prefix}")
    monkeypatch.setenv("LEDGER_BUS", aws.bus)
    yield aws
    aws.close()


def bury(aws: Aws, consumer: str, body: str, queue: str | None = None) -> None:
    letters = SqsDeadLetters(aws.sqs, aws.urls[f"{queue or consumer}-dead-letters"])
    letters.put(DeadLetter(consumer, body, "ValueError: no", AT))


def test_letters_are_shown_and_sent_to_their_queue(aws: Aws) -> None:
    for version in (1, 2):
        bury(aws, "stock_levels", message(received("MUG", version)))
    bury(aws, "orders", message(placed("A-1")))
    for _ in range(2):
        shown = " ".join(run("redrive", "--list", code=1).stdout.split())
        assert "StockReceived stock:MUG@main version 2 │ ValueError: no" in shown
        assert "OrderPlaced order:A-1 version 1" in shown
    assert run("redrive", "stock_levels").stdout == "stock_levels: 2 sent again, 0 failed\n"
    bodies = [found["body"] for found in aws.received("stock_levels", 2)]
    assert sorted(bodies) == sorted(message(received("MUG", version)) for version in (1, 2))
    assert run("redrive").stdout == "orders: 1 sent again, 0 failed\n"
    assert run("redrive").stderr == "There are no dead letters.\n"


def test_what_a_queue_gave_up_itself_has_no_reason(aws: Aws) -> None:
    aws.sqs.send_message(QueueUrl=aws.urls["orders-dead-letters"], MessageBody="half a mess")
    shown = " ".join(run("redrive", "orders", "--list", code=1).stdout.split())
    assert "half a mess" in shown
    assert "nobody acknowledged it" in shown
    assert run("redrive", "orders").stdout == "orders: 1 sent again, 0 failed\n"


def test_letters_can_be_forgotten(aws: Aws) -> None:
    bury(aws, "orders", message(placed("A-1")))
    assert run("redrive", "orders", "--purge", "--yes").stdout == "orders: 1 forgotten\n"
    assert run("redrive").stderr == "There are no dead letters.\n"


def test_queues_can_be_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_BUS")
    bury(aws, "orders", message(placed("A-1")), queue="notifications")
    dead, queue = aws.urls["notifications-dead-letters"], aws.urls["sequencer"]
    run("redrive", "orders", "--queue-url", queue, "--dead-letter-queue-url", dead)
    assert aws.received("sequencer")[0]["body"] == message(placed("A-1"))


def test_the_relays_letters_are_published(aws: Aws) -> None:
    bury(aws, RELAY, batch_json([stream_record(placed("A-1"))]))
    bury(aws, RELAY, batch_json([stream_record(placed("A-2"), state={"B": "AAAA"})]))
    printed = run("redrive", RELAY, code=1)
    assert printed.stdout == "relay: 1 sent again, 1 failed\n"
    assert "order:A-2 version 1" in printed.stderr
    detail = json.loads(aws.received("orders")[0]["body"])["detail"]
    assert recorded_of(detail) == decode(placed("A-1"))
    assert "order:A-2 version 1" in run("redrive", RELAY, "--list", code=1).stdout


def test_what_cant_be_used_is_said(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no consumer 'stock'" in error_of("redrive", "stock")
    assert "say whose" in error_of("redrive", "--queue-url", aws.urls["orders"])
    assert "a queue can't be used" in error_of("redrive", "--store", "dynamodb:nobody")
    monkeypatch.setenv("LEDGER_BUS", "off")
    assert "ledger tables create" in error_of("redrive", "--store", "dynamodb:nobody")
    assert "name the tables" in error_of("redrive", "--store", "sqlite:x.db")
