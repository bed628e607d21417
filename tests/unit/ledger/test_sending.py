"""Every try of a request is checked just before it is sent, the SDK's own tries too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from ledger.errors import NotTheWriter, UnknownOutcome
from ledger.store.dynamodb_client import make_client
from ledger.store.sending import check_each_try, sending_under

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.support.engines import Engines


class Wire:
    """Takes requests instead of the network: the first ones get no answer."""

    def __init__(self, unanswered: int) -> None:
        self.unanswered = unanswered
        self.sent = 0

    def __call__(self, **_: Any) -> AWSResponse:
        self.sent += 1
        if self.sent <= self.unanswered:
            raise ConnectionClosedError(endpoint_url="http://dynamodb")
        answer = AWSResponse("http://dynamodb", 200, HTTPHeaders(), None)
        answer._content = b"{}"  # type: ignore[attr-defined]
        return answer


class Permission:
    """Holds for some checks only."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked = 0

    def __call__(self) -> None:
        self.asked += 1
        if self.asked > self.times:
            raise NotTheWriter("elsewhere")


@pytest.fixture
def client(engines: Engines) -> Iterator[DynamoDBClient]:  # noqa: ARG001 - credentials
    client = make_client("http://127.0.0.1:9")
    check_each_try(client)
    check_each_try(client)
    yield client
    client.close()


def listen(client: DynamoDBClient, wire: Wire) -> None:
    hooks: Any = client.meta.events
    hooks.register_last("before-send.dynamodb", wire)


def put(client: DynamoDBClient) -> None:
    client.put_item(TableName="t", Item={"k": {"S": "v"}})


def test_each_try_is_checked_once(client: DynamoDBClient) -> None:
    wire, permission = Wire(unanswered=2), Permission(9)
    listen(client, wire)
    with sending_under(permission):
        put(client)
    assert (wire.sent, permission.asked) == (3, 3)
    put(client)
    assert (wire.sent, permission.asked) == (4, 3)


def test_nothing_is_sent_without_permission(client: DynamoDBClient) -> None:
    wire = Wire(unanswered=0)
    listen(client, wire)
    with sending_under(Permission(0)), pytest.raises(NotTheWriter):
        put(client)
    assert wire.sent == 0


def test_permission_that_ends_between_two_tries_leaves_the_outcome_unknown(
    client: DynamoDBClient,
) -> None:
    wire = Wire(unanswered=9)
    listen(client, wire)
    with sending_under(Permission(1)), pytest.raises(UnknownOutcome):
        put(client)
    assert wire.sent == 1
