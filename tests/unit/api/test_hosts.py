"""By which names a server on loopback may be called."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api.hosts import LoopbackNames, as_host


def answered(address: str, *hosts: str) -> int:
    routes = [Route("/", lambda _: PlainTextResponse("here"))]
    app = Starlette(routes=routes, middleware=[Middleware(LoopbackNames, address=address)])
    with TestClient(app) as client:
        request = client.build_request("GET", "/")
        request.headers = type(request.headers)([("Host", host) for host in hosts])
        answer = client.send(request)
    if answer.status_code != 200:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["type"] == "urn:problem-type:inventory-ledger:invalid-parameter"
        assert problem["errors"][0]["header"] == "Host"
        assert hosts == () or all(host not in answer.text for host in hosts if len(host) > 9)
    return answer.status_code


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "LocalHost:8000", "127.0.0.1", "127.0.0.1:80", "[::1]:8000"],
)
def test_the_names_of_loopback_are_answered(host: str) -> None:
    assert answered("127.0.0.1", host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "evil.example:localhost",
        "localhost:8000:8000",
        "127.0.0.1.nip.io",
        "[::1",
        "::1",
        "[::1].evil.example",
        "localhost:80 evil.example",
        "localhost@evil.example",
        "127.0.0.2",
    ],
)
def test_any_other_name_is_not(host: str) -> None:
    assert answered("127.0.0.1", host) == 400


def test_a_request_has_one_host() -> None:
    assert answered("127.0.0.1") == 400
    assert answered("127.0.0.1", "localhost", "evil.example") == 400
    assert answered("127.0.0.1", "evil.example", "localhost") == 400


def test_the_address_it_listens_on_is_a_name() -> None:
    assert answered("127.0.0.2", "127.0.0.2:8000") == 200
    assert (as_host("::1"), as_host("localhost")) == ("[::1]", "localhost")
