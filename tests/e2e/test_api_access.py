"""Who is let in and what they may do: tokens, scopes, the edge's secret, limits, headers."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.access import Access
from api.app import routed_app
from api.auth import SCOPES
from api.gates import is_open
from api.limits import RateLimit
from api.middleware import MAX_BODY_BYTES
from tests.e2e.conftest import opened_shop
from tests.support.issuer import Issuer
from tests.support.shop import Shop, slug

ISSUER = Issuer()
SECRETS = ("the secret of before", "the secret from now on")
RECEIPT = {"sku": "MUG", "location": "main", "quantity": 5}

BODIES: dict[str, Any] = {
    "recordReceipts": RECEIPT,
    "recordAdjustments": {"sku": "MUG", "location": "main", "delta": 1, "reason": "found"},
    "recordReturns": RECEIPT,
    "placeOrder": {"lines": [{"sku": "MUG", "quantity": 1}]},
    "shipOrder": {},
    "cancelOrder": {},
    "setPositionPolicy": {"low_stock_threshold": 3},
}
OPERATIONS = [
    (method, path, operation)
    for path, item in routed_app().openapi()["paths"].items()
    for method, operation in item.items()
    if not is_open(path)
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that asks for tokens."""
    directory = tmp_path_factory.mktemp("guarded")
    with opened_shop(directory, Access(ISSUER.verifier())) as shop:
        yield shop


def bearer(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {ISSUER.token(**claims)}"}


def send(shop: Shop, method: str, path: str, operation: Any, **headers: str) -> httpx2.Response:
    """A request that is right in everything but perhaps its token."""
    for name, value in (("sku", "MUG"), ("location", "main"), ("order_id", "SO-1")):
        path = path.replace(f"{{{name}}}", value)
    body = BODIES.get(operation["operationId"])
    if body is not None:
        key = base64.b32encode(repr((path, headers)).encode())[-200:].decode()
        headers["Idempotency-Key"] = key
    return shop.client.request(method, path, json=body, headers=headers)


def test_every_operation_wants_its_scope_and_no_other_will_do(guarded: Shop) -> None:
    for method, path, operation in OPERATIONS:
        (wanted,) = operation["security"][0]["bearer"]
        for given in SCOPES:
            answer = send(
                guarded, method, path, operation, **bearer(scope=f"billing/admin {given}")
            )
            if given in {wanted, "admin"}:
                assert answer.status_code not in {401, 403}, (path, given, answer.text)
                continue
            assert (answer.status_code, slug(answer)) == (403, "insufficient-scope"), (path, given)
            challenge = answer.headers["WWW-Authenticate"]
            assert 'error="insufficient_scope"' in challenge
            assert f'scope="{wanted}"' in challenge


def test_every_operation_wants_a_token(guarded: Shop) -> None:
    for method, path, operation in OPERATIONS:
        for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": ""}):
            answer = send(guarded, method, path, operation, **headers)
            assert (answer.status_code, slug(answer)) == (401, "token-required"), path
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="inventory-ledger"'
        for token in ("x", "", ISSUER.token(aud="billing"), ISSUER.token(scope=None, exp=1)):
            answer = send(guarded, method, path, operation, Authorization=f"bearer {token}")
            assert (answer.status_code, slug(answer)) == (401, "invalid-token"), path
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/docs/assets/swagger-ui.css"])
def test_what_is_open_to_everyone(guarded: Shop, path: str) -> None:
    assert guarded.client.get(path).status_code == 200
    assert guarded.client.get("/openapi.json").status_code == 200


@pytest.mark.parametrize("path", ["/v1/nope", "/nope", "/docs/", "/healthz/", "/v1//stock"])
def test_a_stranger_does_not_even_learn_what_is_there(guarded: Shop, path: str) -> None:
    answer = guarded.client.get(path, follow_redirects=False)
    assert (answer.status_code, slug(answer)) == (401, "token-required")
    known = guarded.client.get(path, headers=bearer(), follow_redirects=False)
    assert (known.status_code, slug(known)) == (404, "not-found")


def test_nothing_of_a_stranger_is_read(guarded: Shop) -> None:
    too_much = b"[" * (MAX_BODY_BYTES + 1)
    answer = guarded.client.post("/v1/orders", content=too_much)
    assert (answer.status_code, slug(answer)) == (401, "token-required")


def test_two_tokens_are_none(guarded: Shop) -> None:
    token = bearer()["Authorization"]
    both = [("Authorization", token), ("Authorization", token)]
    answer = guarded.client.get("/v1/stock", headers=both)
    assert (answer.status_code, slug(answer)) == (400, "invalid-parameter")
    assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]
    joined = guarded.client.get("/v1/stock", headers={"Authorization": f"{token}, {token}"})
    assert (joined.status_code, slug(joined)) == (401, "invalid-token")


def test_without_the_issuers_keys_nobody_is_let_in_and_everyone_told_to_wait(
    tmp_path: Path,
) -> None:
    from api.keys import KeySet
    from api.tokens import TokenVerifier

    def gone() -> Any:
        raise OSError("no route to host")

    verify = TokenVerifier(KeySet(gone), "i", ["a"])
    with opened_shop(tmp_path, Access(verify)) as shop:
        answer = shop.client.get("/v1/stock", headers=bearer())
        assert (answer.status_code, slug(answer)) == (503, "keys-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert shop.client.get("/healthz").status_code == 200


def test_the_principal_is_the_actor_and_keys_are_its_own(guarded: Shop) -> None:
    def receive(subject: str) -> httpx2.Response:
        headers = {**bearer(sub=subject, scope="stock:write"), "Idempotency-Key": "same"}
        body = {**RECEIPT, "sku": "CUP"}
        return guarded.client.post("/v1/receipts", json=body, headers=headers)

    subjects = ["alice", "bob", "system", "anonymous", "a#recordReceipts", "a%23recordReceipts"]
    for subject in subjects:
        assert receive(subject).status_code == 201
        again = receive(subject)
        assert again.headers["Idempotency-Replayed"] == "true"
    found = guarded.client.get("/v1/stock/CUP/main/movements?order=asc", headers=bearer())
    assert [item["actor"] for item in found.json()["items"]] == [f"sub:{one}" for one in subjects]


def through_the_edge(secret: str) -> list[tuple[bytes, bytes]]:
    """A good token, and a secret if there is one, as bytes: a header may hold any."""
    headers = [(name.encode(), value.encode()) for name, value in bearer().items()]
    return headers + [(b"X-Origin-Secret", secret.encode())] * bool(secret)


def test_nothing_is_answered_past_the_edge(tmp_path: Path) -> None:
    with opened_shop(tmp_path, Access(ISSUER.verifier(), None, SECRETS)) as shop:
        for path in ("/healthz", "/docs", "/openapi.json", "/v1/stock", "/nope"):
            for wrong in ("", "x", SECRETS[0][:-1], SECRETS[0] + " x", ",".join(SECRETS), "é"):
                answer = shop.client.get(path, headers=through_the_edge(wrong))
                assert (answer.status_code, slug(answer)) == (403, "origin-required"), (path, wrong)
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
            for secret in SECRETS:
                answer = shop.client.get(path, headers=through_the_edge(secret))
                assert answer.status_code in {200, 404}
        twice = [("X-Origin-Secret", SECRETS[0]), ("X-Origin-Secret", SECRETS[0])]
        assert shop.client.get("/healthz", headers=twice).status_code == 403
        token_only = shop.client.get("/v1/stock", headers={"X-Origin-Secret": SECRETS[1]})
        assert (token_only.status_code, slug(token_only)) == (401, "token-required")


def test_each_principal_has_a_limit_and_strangers_have_one_by_address(tmp_path: Path) -> None:
    access = Access(ISSUER.verifier(), RateLimit("3/day"))
    with opened_shop(tmp_path, access) as shop:
        for left in (2, 1, 0):
            answer = shop.client.get("/v1/stock", headers=bearer())
            assert answer.status_code == 200
            assert answer.headers["RateLimit-Policy"] == '"default";q=3;w=86400'
            assert answer.headers["RateLimit"].startswith(f'"default";r={left};t=')
            assert "Retry-After" not in answer.headers
        answer = shop.client.get("/v1/stock", headers=bearer())
        assert (answer.status_code, slug(answer)) == (429, "rate-limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400
        assert answer.headers["RateLimit"].startswith('"default";r=0;t=')
        assert shop.client.get("/v1/stock", headers=bearer(sub="bob")).status_code == 200
        refused = [
            shop.client.get("/v1/stock", headers={"Authorization": f"Bearer {n}"}).status_code
            for n in range(4)
        ]
        assert refused == [401, 401, 401, 429]
        assert shop.client.get("/v1/stock", headers=bearer(sub="bob")).status_code == 200
        assert [shop.client.get("/healthz").status_code for _ in range(5)] == [200] * 5


def test_where_no_tokens_are_asked_for_addresses_are_limited(tmp_path: Path) -> None:
    with opened_shop(tmp_path, Access(None, RateLimit("2/day"))) as shop:
        first = shop.client.post("/v1/receipts", json=RECEIPT, headers={"Idempotency-Key": "k"})
        assert first.status_code == 201
        assert shop.get("/stock").status_code == 200
        assert shop.get("/stock").status_code == 429


def test_every_answer_tells_browsers_what_not_to_do(guarded: Shop) -> None:
    for path in ("/v1/stock", "/healthz", "/nope", "/openapi.json", "/docs/assets/swagger-ui.css"):
        for headers in ({}, bearer()):
            answer = guarded.client.get(path, headers=headers)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            policy = answer.headers["Content-Security-Policy"]
            assert policy == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("forwarded", [None, "http", "HTTPS", "https,http", "http,https"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_https_is_for_good(guarded: Shop, scheme: str, forwarded: str | None) -> None:
    headers = {"X-Forwarded-Proto": forwarded} if forwarded else {}
    answer = guarded.client.get(f"{scheme}://testserver/healthz", headers=headers)
    secure = scheme == "https" or (forwarded or "").lower().startswith("https")
    assert ("Strict-Transport-Security" in answer.headers) == secure


def test_the_documentation_runs_under_its_own_policy(guarded: Shop) -> None:
    page = guarded.client.get("/docs")
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in page.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    inline = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    assert len(inline) == 1
    digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    for loaded in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert loaded.startswith("/docs/assets/"), "allowed by 'self'"
    assert not re.search(r"\son\w+=|<style|\sstyle=", page.text), "nothing else is in the page"
    assert "url: '/openapi.json'" in page.text
    assert policy["connect-src"] == "'self'"
