"""A commit's request is the one botocore would have made, and goes the way botocore sends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
import botocore
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError
from eventsourcing.persistence import InterfaceError, StoredEvent, Tracking
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import NotTheWriter, UnknownOutcome
from ledger.store.base import CommandRecord
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_requests import Actions
from ledger.store.dynamodb_tracking import DynamoDBTrackingRecorder
from ledger.store.sending import check_each_try, sending_under
from tests.support.engines import Engines

NOWHERE = "http://127.0.0.1:9"
ITEM: dict[str, Any] = {"k": {"S": "ü"}, "b": {"B": b"\xfb\xff"}}
SIGNED = "authorization", "x-amz-date", "amz-sdk-invocation-id", "user-agent"
"""Headers that differ from one request to the next, or are made otherwise on purpose."""


class Wire:
    """Takes a client's requests instead of the network, and what it was asked for."""

    def __init__(self, client: Any, unanswered: int = 0) -> None:
        self.requests: list[Any] = []
        self.asked: list[dict[str, Any]] = []
        self.unanswered = unanswered
        client.meta.events.register_last("before-send.dynamodb", self._send)
        client.meta.events.register("provide-client-params.dynamodb", self._ask)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        self.asked.append(dict(params))

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.requests.append(request)
        if len(self.requests) <= self.unanswered:
            raise ConnectionClosedError(endpoint_url=NOWHERE)
        answer = AWSResponse(NOWHERE, 200, HTTPHeaders(), None)
        answer._content = b"{}"  # type: ignore[attr-defined]
        return answer

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.requests]


@pytest.fixture(scope="module")
def environment(engines: Engines) -> None:
    """boto3 finds credentials and no account."""


Connect = Callable[..., tuple[Any, Wire]]


@pytest.fixture
def connect(environment: None) -> Iterator[Connect]:  # noqa: ARG001
    clients = []

    def connect(unanswered: int = 0, **config: Any) -> tuple[Any, Wire]:
        client = make_client(NOWHERE, **config)
        clients.append(client)
        check_each_try(client)
        return client, Wire(client, unanswered)

    yield connect
    for client in clients:
        client.close()


def act(table: str = "t", item: dict[str, Any] = ITEM) -> Actions:
    return Actions([{"Put": {"TableName": table, "Item": item}}])


def plainly(actions: Any, token: str, url: str | None = NOWHERE) -> Any:
    """The request a client of boto3's defaults makes of it."""
    with closing(boto3.client("dynamodb", endpoint_url=url)) as client:
        wire = Wire(client)
        client.transact_write_items(TransactItems=list(actions), ClientRequestToken=token)
    return wire.requests[0]


def headers(request: Any) -> dict[str, str]:
    found = {name.lower(): value for name, value in request.headers.items()}
    return {name: value for name, value in found.items() if name not in SIGNED}


names = st.text(max_size=20)
stored = st.builds(StoredEvent, names, st.integers(0, 10**12), names, st.binary(max_size=60))
records = st.builds(
    CommandRecord,
    names,
    names,
    st.lists(st.tuples(names, st.integers(1, 9))).map(tuple),
    st.none() | st.integers(0, 10**11),
)


@given(
    events=st.lists(
        stored, max_size=4, unique_by=lambda e: (e.originator_id, e.originator_version)
    ),
    command=st.none() | records,
    unmoved=st.dictionaries(names, st.integers(0, 99), max_size=3),
)
def test_a_commit_is_sent_as_botocore_would_send_it(
    environment: None,  # noqa: ARG001
    events: list[StoredEvent],
    command: CommandRecord | None,
    unmoved: dict[str, int],
) -> None:
    with closing(make_client(NOWHERE)) as client:
        wire = Wire(client)
        DynamoDBLedgerRecorder(DynamoDBTables(client, "p"), sequences=False).insert_events(
            events, command=command, unmoved=unmoved
        )
    if not wire.requests:
        assert (events, command, unmoved) == ([], None, {})
        return
    (sent,), (asked,) = wire.requests, wire.asked
    assert isinstance(asked["TransactItems"], Actions)
    plain = plainly(asked["TransactItems"], wire.bodies[0]["ClientRequestToken"])
    assert sent.body == plain.body
    assert (sent.url, sent.method, headers(sent)) == (plain.url, plain.method, headers(plain))


def test_a_commit_is_repeated_under_the_same_token_and_every_try_is_checked(
    connect: Connect,
) -> None:
    client, wire = connect(unanswered=2)
    checks = iter([None, None, None])
    with sending_under(lambda: next(checks)):
        client.transact_write_items(TransactItems=act())
    assert len(wire.requests) == 3
    assert next(checks, "used up") == "used up"
    assert wire.bodies[0]["TransactItems"][0]["Put"]["TableName"] == "t"
    assert wire.bodies[0] == wire.bodies[1] == wire.bodies[2]
    client.transact_write_items(TransactItems=act())
    assert wire.bodies[3]["ClientRequestToken"] != wire.bodies[2]["ClientRequestToken"]


def test_a_lease_that_ends_stops_a_commit_between_its_tries(connect: Connect) -> None:
    client, wire = connect(unanswered=9)
    answers = iter([True])

    def check() -> None:
        if not next(answers, False):
            raise NotTheWriter("elsewhere")

    with sending_under(check), pytest.raises(UnknownOutcome):
        client.transact_write_items(TransactItems=act())
    assert len(wire.requests) == 1


def test_what_other_hooks_change_is_sent(connect: Connect) -> None:
    client, wire = connect()
    events = client.meta.events

    def change(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def replace(params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def head(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["X-Trace"] = "1"

    events.register("provide-client-params.dynamodb.TransactWriteItems", change)
    events.register("before-call.dynamodb", head)
    client.transact_write_items(TransactItems=act())
    events.register("provide-client-params", replace)
    client.transact_write_items(TransactItems=act())
    asked = [(body["ReturnConsumedCapacity"], len(body["TransactItems"])) for body in wire.bodies]
    assert asked == [("TOTAL", 1), ("INDEXES", 1)]
    assert wire.bodies[0]["TransactItems"] == wire.bodies[1]["TransactItems"]
    assert [request.headers["X-Trace"] for request in wire.requests] == [b"1", b"1"]


def test_an_answer_in_place_of_the_service_is_taken(connect: Connect) -> None:
    client, wire = connect()
    answer = (AWSResponse(NOWHERE, 200, HTTPHeaders(), None), {"it": "was"})
    client.meta.events.register("before-call.dynamodb", lambda **_: answer)
    assert client.transact_write_items(TransactItems=act()) == {"it": "was"}
    assert wire.requests == []


@pytest.mark.parametrize("account", [None, "111122223333"])
@pytest.mark.parametrize("table", ["t", "arn:aws:dynamodb:eu-west-1:444455556666:table/t"])
def test_the_endpoint_is_the_one_botocore_chooses(
    environment: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    account: str | None,
    table: str,
) -> None:
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "preferred")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember the account
    if account is not None:
        monkeypatch.setenv("AWS_ACCOUNT_ID", account)
    client: Any = make_client()
    with closing(client):
        wire = Wire(client)
        client.transact_write_items(TransactItems=act(table))
    plain = plainly(act(table), "token", url=None)
    assert wire.requests[0].url == plain.url
    owner = "444455556666" if ":" in table else account
    assert (
        plain.url == f"https://{f'{owner}.ddb' if owner else 'dynamodb'}.eu-west-1.amazonaws.com/"
    )
    assert wire.bodies[0]["TransactItems"] == json.loads(plain.body)["TransactItems"]


def test_what_others_made_is_checked_before_it_is_sent(connect: Connect) -> None:
    client, wire = connect()
    views = DynamoDBTrackingRecorder(DynamoDBTables(client, "p"))
    misspelt = {"Put": {"TableName": "t", "Item": ITEM, "ConditionExpresion": "size(k) < :n"}}
    with pytest.raises(InterfaceError, match="ConditionExpresion"):
        views.transact([misspelt], Tracking("shop", 1))
    assert wire.requests == []


def test_what_is_no_bytes_is_not_sent(connect: Connect) -> None:
    client, wire = connect()
    with pytest.raises(TypeError, match="memoryview"):
        client.transact_write_items(TransactItems=act(item={"b": {"B": memoryview(b"1")}}))
    assert wire.requests == []


def test_a_request_says_who_sends_it(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "shop")
    client, wire = connect()
    client.get_item(TableName="t", Key={"k": {"S": "v"}})
    client.transact_write_items(TransactItems=act())
    for request in wire.requests:
        told = request.headers["User-Agent"].decode().split()
        assert told[:2] == [f"Boto3/{boto3.__version__}", f"md/Botocore#{botocore.__version__}"]
        assert {"exec-env/AWS_Lambda_python3.13", "app/shop"} <= set(told)
