"""What every path has in common: problems, methods, bodies, headers, health, documentation."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import routed_app
from api.bodies import BodyRoute
from api.middleware import MAX_BODY_BYTES
from ledger.errors import CommitTooLarge, Contention, UnknownOutcome
from ledger.service import Ledger
from tests.support.shop import Shop, slug

JSON = {"Content-Type": "application/json", "Idempotency-Key": "k"}
RECEIPT = {"sku": "MUG", "location": "main", "quantity": 5}


@pytest.mark.parametrize("path", ["/v1", "/v1/nope", "/v1/orders/", "/v1/stock/a/b/c", "/v2"])
def test_an_unknown_path_is_not_found(shop: Shop, path: str) -> None:
    answer = shop.client.get(path, follow_redirects=False)
    assert (answer.status_code, slug(answer)) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/orders", "GET, HEAD, POST"),
        ("GET", "/v1/receipts", "POST"),
        ("POST", "/v1/stock/a/b/policy", "PUT"),
        ("PATCH", "/v1/orders/x", "GET, HEAD"),
        ("TRACE", "/v1/events", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    shop: Shop, method: str, path: str, allow: str
) -> None:
    answer = shop.client.request(method, path)
    assert (answer.status_code, slug(answer)) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[1,", b"{'a': 1}", b"[" * 100_000, b"1" * 5_000, b"nul"]
)
def test_malformed_json(shop: Shop, body: bytes) -> None:
    answer = shop.client.post("/v1/receipts", content=body, headers=JSON)
    assert (answer.status_code, slug(answer)) == (400, "malformed-json")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"sku":"MUG","location":"main","quantity":5,"quantity":50}', '"quantity"'),
        (b'{"lines":[{"sku":"A","sku":"A","location":"main","quantity":1}]}', '"sku"'),
        (b'{"sku":"A","\\u0073ku":"B","location":"main","quantity":1}', '"sku"'),
        (b'{"x":1,"' + b"y" * 999 + b'":1,"' + b"y" * 999 + b'":2}', '"' + "y" * 60 + '\\u2026"'),
    ],
    ids=["one line", "a line of several", "another spelling", "a long name"],
)
def test_a_name_that_is_there_twice_is_not_read_by_halves(
    shop: Shop, body: bytes, name: str
) -> None:
    answer = shop.client.post("/v1/receipts", content=body, headers=JSON)
    assert (answer.status_code, slug(answer)) == (400, "malformed-json")
    assert answer.json()["detail"] == (
        f"The body can be read in two ways: the name {name} is there twice in one object."
    )
    assert shop.client.get("/v1/events").json()["items"] == []


def test_every_body_is_read_so() -> None:
    routes = [route for route in routed_app().routes if isinstance(route, APIRoute)]
    with_body = [route for route in routes if route.body_field is not None]
    assert len(with_body) >= 6
    assert [route.path for route in with_body if not isinstance(route, BodyRoute)] == []


def test_many_names_are_looked_through_once(shop: Shop) -> None:
    names = ",".join(f'"{n}":1' for n in range(150_000))
    answer = shop.client.post("/v1/receipts", content=f'{{{names},"0":2}}', headers=JSON)
    assert 'the name "0" is there twice' in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/events", "/healthz", "/docs"])
def test_head_answers_as_get_does_without_the_body(shop: Shop, path: str) -> None:
    shop.receive("MUG", 5)
    told, asked = shop.client.get(path), shop.client.head(path)
    assert (asked.status_code, asked.content) == (200, b"")
    differ = {"date", "x-correlation-id"}
    assert {k: v for k, v in asked.headers.items() if k not in differ} == {
        k: v for k, v in told.headers.items() if k not in differ
    }


def test_head_of_what_is_not_there(shop: Shop) -> None:
    answer = shop.client.head("/v1/orders/nobody")
    assert (answer.status_code, answer.content) == (404, b"")
    assert shop.client.head("/v1/receipts").status_code == 405


def test_the_root_leads_to_the_documentation(shop: Shop) -> None:
    answer = shop.client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/docs")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1" * 400])
def test_numbers_json_does_not_have(shop: Shop, number: str) -> None:
    body = f'{{"sku":"MUG","location":"main","quantity":{number}}}'.encode()
    answer = shop.client.post("/v1/receipts", content=body, headers=JSON)
    assert answer.status_code == 422
    json.loads(answer.text, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json"]
)
def test_a_body_that_is_not_json_is_refused(shop: Shop, kind: str) -> None:
    headers = {**JSON, "Content-Type": kind}
    answer = shop.client.post("/v1/receipts", content=json.dumps(RECEIPT), headers=headers)
    assert (answer.status_code, slug(answer)) == (415, "unsupported-media-type")


def test_json_with_a_charset_is_json(shop: Shop) -> None:
    headers = {**JSON, "Content-Type": "Application/JSON; charset=utf-8"}
    answer = shop.client.post("/v1/receipts", content=json.dumps(RECEIPT), headers=headers)
    assert answer.status_code == 201


def test_a_body_has_a_limit_with_and_without_its_length(shop: Shop) -> None:
    too_much = b" " * (MAX_BODY_BYTES + 1)

    def stream() -> Iterator[bytes]:
        for start in range(0, len(too_much), 65_536):
            yield too_much[start : start + 65_536]

    for content in (too_much, stream()):
        answer = shop.client.post("/v1/orders", content=content, headers=JSON)
        assert (answer.status_code, slug(answer)) == (413, "body-too-large")
    padded = json.dumps(RECEIPT).encode().ljust(MAX_BODY_BYTES)
    assert shop.client.post("/v1/receipts", content=padded, headers=JSON).status_code == 201


def test_every_answer_forbids_sniffing_and_says_how_long_it_keeps(shop: Shop) -> None:
    for answer in (shop.get("/stock"), shop.get("/nope"), shop.client.get("/docs")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, no-cache"
    for answer in (shop.post("/receipts", RECEIPT), shop.post("/receipts", {})):
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status", "kind", "retry"),
    [
        (Contention("busy"), 503, "contention", "1"),
        (UnknownOutcome("lost"), 503, "unknown-outcome", "1"),
        (CommitTooLarge("5 MB"), 422, "commit-too-large", None),
        (RuntimeError("the secret"), 500, "internal-error", None),
    ],
)
def test_what_can_go_wrong_inside(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    kind: str,
    retry: str | None,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Ledger, "handle", fail)
    with caplog.at_level(logging.ERROR, "api"):
        answer = shop.post("/receipts", RECEIPT)
    assert (answer.status_code, slug(answer)) == (status, kind)
    assert answer.headers.get("Retry-After") == retry
    assert "secret" not in answer.text
    if status == 500:
        assert answer.json()["instance"] in caplog.text
        assert "the secret" in caplog.text


def test_health(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.client.get("/healthz").json() == {"status": "ok", "applied_to": None}
    at = shop.receive("MUG", 1)["as_of"]
    shop.settle()
    assert shop.client.get("/healthz").json() == {"status": "ok", "applied_to": at}

    def fail(*_: object) -> None:
        raise Contention("locked")

    monkeypatch.setattr(type(shop.ledger.history), "newest", fail)
    assert shop.client.get("/healthz").status_code == 503


def test_the_documentation_needs_no_internet(shop: Shop) -> None:
    page = shop.client.get("/docs")
    assert page.status_code == 200
    assert "https://cdn" not in page.text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/docs/assets/{asset}" in page.text
        assert shop.client.get(f"/docs/assets/{asset}").status_code == 200
    app = shop.client.app
    assert isinstance(app, FastAPI)
    assert shop.client.get("/openapi.json").json() == app.openapi()
