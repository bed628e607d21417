"""What each function does with which table: what Terraform must let it do, and may let it do.

The functions run here as on AWS, under a lease, and everything they ask of AWS is watched. What
they ask for must be the table below, no less and no more; the roles are in
`terraform/modules/pipeline/access.tf`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import boto3
import pytest
from eventsourcing.persistence import StoredEvent
from fastapi.testclient import TestClient

from api import lambda_handler
from ledger.service import Context, SetLanes
from projections.delivery.consumers import CONSUMERS
from projections.handlers.consuming import consuming
from projections.handlers.relay import make_relay
from projections.handlers.runtime import handler_of
from tests.support.api_client import Client
from tests.support.aws_calls import CHECKED, IN_A_COMMIT, OTHER, AwsCalls, Right
from tests.support.delivery import failures, message, queue_event, stream_record
from tests.support.engines import Engines
from tests.support.functions import functions_forgotten
from tests.support.queues import Aws
from tests.support.regions import MELBOURNE, Region, two_regions

SWEEP: Final = {"sweep": True}
SWEEPING: Final = {"order_processor", "notifications", "sequencer"}

# The grant, and the fence: the item `lease#fence` of the commands.
LEASE: Final[set[Right]] = {("lease", "GetItem"), ("commands", "GetItem")}
# Once in each epoch.
TAKING: Final[set[Right]] = {("events", "Scan"), ("lease", "PutItem")}
DEAD_LETTER: Final[set[Right]] = {(OTHER, "sqs:SendMessage")}
SECRET: Final[set[Right]] = {(OTHER, "secretsmanager:GetSecretValue")}
FRESHNESS: Final[set[Right]] = {("checkpoints", "GetItem"), ("checkpoints", "PutItem")}


def of(table: str, *actions: str) -> set[Right]:
    return {(table, action) for action in actions}


RIGHTS: Final[dict[str, set[Right]]] = {
    "api": {
        *of("events", "BatchGetItem", CHECKED, IN_A_COMMIT, "Query"),
        *of("commands", "GetItem", IN_A_COMMIT),
        *of("feed", "Query"),
        *of("stock_levels", "GetItem", "Query"),
        *of("stock_levels/index", "Query"),
        *of("orders/index", "Query"),
        *of("checkpoints", "GetItem"),
        *LEASE,
        *SECRET,
    },
    "relay": {(OTHER, "events:PutEvents"), *DEAD_LETTER},
    "stock_levels": {
        *of("events", "Query"),
        *of("stock_levels", "PutItem"),
        *FRESHNESS,
        *DEAD_LETTER,
    },
    "orders": {
        *of("events", "Query"),
        *of("orders", "BatchGetItem", "GetItem", "PutItem"),
        *FRESHNESS,
        *DEAD_LETTER,
    },
    "open_reservations": {
        *of("events", "Query"),
        *of("open_reservations", "BatchGetItem", "GetItem", "PutItem"),
        *FRESHNESS,
        *DEAD_LETTER,
    },
    "order_processor": {
        *of("events", IN_A_COMMIT, "Query"),
        *of("stock_levels/index", "Query"),
        *of("orders/index", "Query"),
        *of("open_reservations/index", "Query"),
        *of("checkpoints", "GetItem"),
        *LEASE,
        *DEAD_LETTER,
    },
    "notifications": {
        *of("events", "Query"),
        *of("notifications", "GetItem", "UpdateItem"),
        (OTHER, "sns:Publish"),
        *LEASE,
        *TAKING,
        *SECRET,
        *DEAD_LETTER,
    },
    "sequencer": {
        *of("events", "Query"),
        *of("feed", "BatchGetItem", "PutItem", "Query", "UpdateItem"),
        *LEASE,
        *TAKING,
        *DEAD_LETTER,
    },
}


@dataclass
class World:
    """A Region that holds the lease, and what its functions find there."""

    region: Region
    aws: Aws
    calls: AwsCalls

    def split(self) -> str:
        """Stock that an operator splits into lanes: its SKU."""
        self.region.ledger().handle(SetLanes("S2", "main", 2), Context("operator"))
        self.calls.taken()
        return "S2"

    def events(self) -> list[StoredEvent]:
        """Every event there is, stream by stream; reading them doesn't count."""
        found = sorted(self.region.events().items())
        self.calls.taken()
        return [event for _, event in found]


@pytest.fixture
def world(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The environment of functions; those that are made in a test are watched."""
    endpoint = engines.endpoint("ministack")
    monkeypatch.setenv("AWS_DEFAULT_REGION", MELBOURNE)
    with two_regions(endpoint) as (region, _), ExitStack() as stack:
        stack.enter_context(functions_forgotten())
        aws = Aws(endpoint, "letters", prefix=region.prefix)
        stack.callback(aws.close)
        secrets = boto3.client("secretsmanager", endpoint_url=endpoint)
        sns = boto3.client("sns", endpoint_url=endpoint)
        for name, settings in (
            ("api", {"cursor_secret": "0123456789abcdef"}),
            ("notifications", {"notify_webhooks": "[]"}),
        ):
            secret = f"{region.prefix}/{name}"
            secrets.create_secret(Name=secret, SecretString=json.dumps(settings))
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "LEDGER_AUTH": "none",
            "LEDGER_BUS": aws.bus,
            "LEDGER_DEAD_LETTER_QUEUE_URL": aws.urls["letters"],
            "LEDGER_LEASE": "true",
            "LEDGER_NOTIFY_SNS_TOPIC_ARN": sns.create_topic(Name=region.prefix)["TopicArn"],
            "LEDGER_REGION": MELBOURNE,
            "LEDGER_STORE": f"dynamodb:{region.prefix}",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        calls = AwsCalls(region.prefix)
        stack.enter_context(calls.watching())
        yield World(region, aws, calls)
        secrets.close()
        sns.close()


def consumed(world: World, name: str, events: Sequence[StoredEvent]) -> set[Right]:
    """What a consumer's function needs: events in a bad order, late ones, a bad one, a sweep."""
    handler = consuming(name)
    newest = {event.originator_id: event for event in events}.values()
    big = message(events[-1], with_data=False)
    late = [message(event) for event in newest]
    for bodies in (late[:1], late, list(map(message, events)), [big]):
        for start in range(0, len(bodies), 100):
            assert failures(handler(queue_event(*bodies[start : start + 100]), None)) == []
    assert failures(handler(queue_event("{}", receives=5), None)) == []
    if name in SWEEPING:
        handler(SWEEP, None)
    return world.calls.taken()


def test_functions_need_what_they_are_given_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed: dict[str, set[Right]] = {}
    monkeypatch.setenv("LEDGER_SECRET_ARNS", f"{world.region.prefix}/api")
    with TestClient(lambda_handler.built_app()) as http:
        client = Client(http)
        client.trade()
        needed["api"] = world.calls.taken()
        client.be_refused(world.split())
        needed["api"] |= world.calls.taken()
        events = world.events()
        monkeypatch.delenv("LEDGER_SECRET_ARNS")
        relay = handler_of("relay", make_relay)
        records = [stream_record(event) for event in events[:10]]
        garbage = stream_record(events[0], state={"B": "eA=="})
        assert relay([*records, garbage], None) == {"batchItemFailures": []}
        needed["relay"] = world.calls.taken()
        for name in CONSUMERS:
            if name == "notifications":
                monkeypatch.setenv("LEDGER_SECRET_ARNS", f"{world.region.prefix}/notifications")
            needed[name] = consumed(world, name, events)
            monkeypatch.delenv("LEDGER_SECRET_ARNS", raising=False)
        client.look()
        needed["api"] |= world.calls.taken()
    assert needed == RIGHTS


def test_history_is_only_read_and_added_to() -> None:
    rights = {action for every in RIGHTS.values() for table, action in every if table == "events"}
    assert rights == {"BatchGetItem", CHECKED, IN_A_COMMIT, "Query", "Scan"}
