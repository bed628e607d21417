"""The Lambda handler, asked as API Gateway asks it (HTTP API, payload format 2.0)."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api import lambda_handler
from api.access import Misconfigured
from ledger.errors import Contention
from ledger.service import Ledger
from tests.support.functions import functions_forgotten
from tests.support.issuer import AUDIENCE, ISSUER, Issuer


def _event(method: str, path: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    """A request as API Gateway hands it to a function."""
    path, _, query = path.partition("?")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "host": "api.example.com",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "requestContext": {
            "apiId": "a1b2c3d4e5",
            "domainName": "api.example.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
            },
            "requestId": "Fxq3ChkhoAMEJ7g=",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 1769860800000,
        },
        "isBase64Encoded": False,
    }
    if body is not None:
        event["body"] = body
        event["headers"] |= {
            "content-type": "application/json",
            "content-length": str(len(body.encode())),
        }
    return event


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LEDGER_STORE", f"sqlite:{tmp_path}/ledger.db")
    monkeypatch.setenv("LEDGER_AUTH", "none")
    with functions_forgotten():
        yield
        services = lambda_handler.built_app().state.services
        services.ledger.close()


def _ask(event: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    answer = lambda_handler.handler(event, None)  # type: ignore[arg-type]
    assert answer["isBase64Encoded"] is False
    return answer, json.loads(answer["body"])


def test_a_command_and_a_query() -> None:
    receipt = json.dumps({"sku": "MUG", "location": "main", "quantity": 5, "reference": "é"})
    recorded, body = _ask(_event("POST", "/v1/receipts", receipt, idempotency_key="k-1"))
    assert recorded["statusCode"] == 201
    assert recorded["headers"]["content-type"] == "application/json"
    assert body["stock"][0]["on_hand"] == 5
    level, body = _ask(_event("GET", "/v1/stock/MUG/main?consistent=true"))
    assert (level["statusCode"], level["headers"]["etag"]) == (200, '"1"')
    assert body["available"] == 5


def test_a_problem_travels_as_text() -> None:
    refused, problem = _ask(_event("POST", "/v1/receipts", "{", idempotency_key="k-1"))
    assert refused["statusCode"] == problem["status"] == 400
    assert refused["headers"]["content-type"] == "application/problem+json"
    missing, problem = _ask(_event("GET", "/v1/orders/NONE"))
    assert missing["statusCode"] == problem["status"] == 404


def test_csv_travels_as_text() -> None:
    answer = lambda_handler.handler(_event("GET", "/v1/stock", accept="text/csv"), None)  # type: ignore[arg-type]
    assert answer["isBase64Encoded"] is False
    assert answer["body"].startswith("sku,location,on_hand")


def test_the_application_is_built_once() -> None:
    _ask(_event("GET", "/healthz"))
    first = lambda_handler.built_app()
    _ask(_event("GET", "/healthz"))
    assert lambda_handler.built_app() is first


def test_a_change_is_logged_with_what_it_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    receipt = json.dumps({"sku": "MUG", "location": "main", "quantity": 5})
    event = _event("POST", "/v1/receipts", receipt, idempotency_key="k-1", x_correlation_id="c-7")
    recorded, body = _ask(event)
    _ask(event)
    _ask(_event("GET", "/v1/stock"))
    assert recorded["headers"]["x-correlation-id"] == "c-7"
    first, again = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in (first, again):
        assert (line["service"], line["level"], line["status"]) == ("api", "INFO", 201)
        assert (line["request_id"], line["correlation_id"]) == ("c-7", body["command"])
    assert (first["replayed"], again["replayed"]) == (False, True)


def test_tokens_are_verified_behind_the_gateway_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = Issuer()
    (tmp_path / "keys.json").write_text(json.dumps(issuer.jwks()))
    monkeypatch.setenv("LEDGER_AUTH", "jwt")
    monkeypatch.setenv("LEDGER_JWT_ISSUER", ISSUER)
    monkeypatch.setenv("LEDGER_JWT_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("LEDGER_JWT_JWKS", f"{tmp_path}/keys.json")
    monkeypatch.setenv("LEDGER_JWT_SCOPE_PREFIX", "ledger/")
    monkeypatch.setenv("LEDGER_ORIGIN_SECRETS", "a secret of the edge")
    edge = {"x_origin_secret": "a secret of the edge"}
    token = issuer.token(scope="ledger/stock:write ledger/inventory:read")
    receipt = json.dumps({"sku": "MUG", "location": "main", "quantity": 5})
    headers = {**edge, "authorization": f"Bearer {token}", "idempotency_key": "k"}
    recorded, body = _ask(_event("POST", "/v1/receipts", receipt, **headers))
    assert recorded["statusCode"] == 201, body
    assert recorded["headers"]["strict-transport-security"].startswith("max-age=")
    _, body = _ask(_event("GET", "/v1/stock/MUG/main/movements", **headers))
    assert [item["actor"] for item in body["items"]] == ["sub:alice"]
    refused, problem = _ask(_event("GET", "/v1/stock", **edge))
    assert (refused["statusCode"], problem["type"][-14:]) == (401, "token-required")
    assert refused["headers"]["www-authenticate"].startswith("Bearer ")
    for path in ("/v1/stock", "/healthz"):
        refused, problem = _ask(_event("GET", path, authorization=f"Bearer {token}"))
        assert (refused["statusCode"], problem["type"][-15:]) == (403, "origin-required")


def test_a_function_is_not_open_by_oversight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_AUTH")
    with pytest.raises(Misconfigured, match="LEDGER_AUTH is not set"):
        lambda_handler.handler(_event("GET", "/healthz"), None)  # type: ignore[arg-type]
    monkeypatch.setenv("LEDGER_AUTH", "none")


def _metrics(output: str) -> list[dict[str, Any]]:
    """The metrics among the lines of the log: all in one namespace, of one consumer."""
    found = [line for line in map(json.loads, output.splitlines()) if "_aws" in line]
    for line in found:
        (definition,) = line["_aws"]["CloudWatchMetrics"]
        assert (definition["Namespace"], definition["Dimensions"]) == ("Ledger", [["consumer"]])
        assert line["consumer"] == "api"
    return found


def test_requests_that_are_turned_away_are_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "api")
    receipt = json.dumps({"sku": "MUG", "location": "main", "quantity": 5})
    refused = json.dumps({"lines": [{"sku": "MUG", "quantity": 9}]})
    _ask(_event("POST", "/v1/receipts", receipt, idempotency_key="k-1"))
    _ask(_event("POST", "/v1/orders", refused, idempotency_key="k-2"))
    assert _metrics(capsys.readouterr().out) == []

    def busy(*_: object) -> None:
        raise Contention("gave up after 12 conflicting commits")

    monkeypatch.setattr(Ledger, "handle", busy)
    for key in ("k-3", "k-4"):
        answer, problem = _ask(_event("POST", "/v1/receipts", receipt, idempotency_key=key))
        assert (answer["statusCode"], problem["type"][-10:]) == (503, "contention")
        (told,) = _metrics(capsys.readouterr().out)
        assert told["Contention"] == [1.0]


def test_metrics_are_written_also_if_the_function_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        lambda_handler.metrics().measure("Contention", 1)
        raise RuntimeError("no application")

    with monkeypatch.context() as patch:
        patch.setattr(lambda_handler, "built_app", fail)
        with pytest.raises(RuntimeError):
            lambda_handler.handler(_event("GET", "/healthz"), None)  # type: ignore[arg-type]
    assert [told["Contention"] for told in _metrics(capsys.readouterr().out)] == [[1.0]]


def test_processes_of_one_snapshot_draw_different_numbers() -> None:
    numbers = set()
    for _ in range(2):
        random.seed(7)  # as the snapshot has it
        lambda_handler.built_app.cache_clear()
        lambda_handler.built_app().state.services.ledger.close()
        numbers.add(random.random())
    assert len(numbers) == 2
