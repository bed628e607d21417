"""The issuer's keys: rotation, outages, and how seldom they are fetched."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.keys import COOLDOWN_SECONDS, FRESH_SECONDS, KEPT_SECONDS, KeySet, from_file, from_url
from api.keys import usable as usable_keys
from api.problems import Problem
from api.tokens import TokenVerifier
from tests.support.issuer import (
    AUDIENCE,
    ISSUER,
    Issuer,
    KeyServer,
    ec_key,
    key_server,
    published,
    rsa_key,
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer({"one": rsa_key("rsa-1")})


@pytest.fixture
def server(issuer: Issuer) -> Iterator[KeyServer]:
    with key_server(issuer.jwks()) as server:
        yield server


@pytest.fixture
def verify(server: KeyServer, clock: Clock) -> TokenVerifier:
    return TokenVerifier(KeySet(from_url(server.url), clock), ISSUER, [AUDIENCE])


def slug(verify: TokenVerifier, token: str) -> str:
    """What a token is answered: `ok` or the kind of the problem."""
    try:
        verify(token)
    except Problem as problem:
        return problem.kind.slug
    return "ok"


def test_keys_are_fetched_once_for_many_tokens(
    verify: TokenVerifier, server: KeyServer, issuer: Issuer
) -> None:
    assert server.asked == 0, "only when a token is there"
    assert [slug(verify, issuer.token("one")) for _ in range(20)] == ["ok"] * 20
    assert server.asked == 1


def test_a_new_key_is_found_and_a_withdrawn_one_is_refused(
    verify: TokenVerifier, server: KeyServer, issuer: Issuer, clock: Clock
) -> None:
    old = issuer.token("one")
    assert slug(verify, old) == "ok"
    issuer.keys = {"two": rsa_key("rsa-2")}
    server.document = issuer.jwks()
    clock.now += COOLDOWN_SECONDS
    assert slug(verify, old) == "ok", "nobody looked since"
    assert slug(verify, issuer.token("two")) == "ok"
    assert slug(verify, old) == "invalid-token"


def test_a_withdrawn_key_is_refused_within_minutes_by_itself(
    verify: TokenVerifier, server: KeyServer, issuer: Issuer, clock: Clock
) -> None:
    old = issuer.token("one")
    assert slug(verify, old) == "ok"
    server.document = Issuer({"two": rsa_key("rsa-2")}).jwks()
    clock.now += FRESH_SECONDS
    assert slug(verify, old) == "invalid-token"


def test_tokens_of_unknown_keys_do_not_make_it_fetch_often(
    verify: TokenVerifier, server: KeyServer, issuer: Issuer, clock: Clock
) -> None:
    assert slug(verify, issuer.token("one")) == "ok"
    for n in range(50):
        issuer.keys[f"made up {n}"] = rsa_key("other")
        assert slug(verify, issuer.token(f"made up {n}")) == "invalid-token"
    assert server.asked == 1
    clock.now += COOLDOWN_SECONDS
    assert slug(verify, issuer.token("made up 7")) == "invalid-token"
    assert slug(verify, issuer.token("made up 8")) == "invalid-token"
    assert server.asked == 2


@pytest.mark.parametrize("broken", ["status", "document", "no usable key"])
def test_known_keys_outlast_an_outage(
    verify: TokenVerifier, server: KeyServer, issuer: Issuer, clock: Clock, broken: str
) -> None:
    assert slug(verify, issuer.token("one")) == "ok"
    good = server.document
    if broken == "status":
        server.status = 503
    else:
        server.document = ["?"] if broken == "document" else {"keys": [{"kty": "oct", "k": "x"}]}
    issuer.keys["two"] = rsa_key("rsa-2")
    clock.now += FRESH_SECONDS
    assert slug(verify, issuer.token("one")) == "ok"
    assert slug(verify, issuer.token("two")) == "keys-unavailable", "it may be a new one"
    assert slug(verify, issuer.token("one")) == "ok"
    assert server.asked == 2, "an issuer in trouble is left alone for a while"
    clock.now += COOLDOWN_SECONDS
    server.status, server.document = 200, good
    assert slug(verify, issuer.token("two")) == "invalid-token"
    assert slug(verify, issuer.token("one")) == "ok"


def test_known_keys_do_not_last_for_ever(
    verify: TokenVerifier, server: KeyServer, issuer: Issuer, clock: Clock
) -> None:
    assert slug(verify, issuer.token("one")) == "ok"
    server.status = 500
    clock.now += KEPT_SECONDS - 1
    assert slug(verify, issuer.token("one")) == "ok"
    clock.now += COOLDOWN_SECONDS
    assert slug(verify, issuer.token("one")) == "keys-unavailable"
    server.status = 200
    clock.now += COOLDOWN_SECONDS
    assert slug(verify, issuer.token("one")) == "ok"


def test_without_keys_nothing_can_be_said(
    verify: TokenVerifier, server: KeyServer, issuer: Issuer, clock: Clock
) -> None:
    server.status = 404
    for _ in range(5):
        with pytest.raises(Problem) as caught:
            verify(issuer.token("one"))
        assert caught.value.kind.slug == "keys-unavailable"
        assert int(caught.value.headers["Retry-After"]) == COOLDOWN_SECONDS
    assert server.asked == 1
    server.status = 200
    clock.now += COOLDOWN_SECONDS
    assert slug(verify, issuer.token("one")) == "ok"


def test_an_issuer_that_is_not_there(issuer: Issuer, clock: Clock) -> None:
    with key_server({}) as gone:
        url = gone.url
    verify = TokenVerifier(KeySet(from_url(url), clock), ISSUER, [AUDIENCE])
    assert slug(verify, issuer.token("one")) == "keys-unavailable"


def test_nobody_with_a_known_key_waits_while_keys_are_fetched(issuer: Issuer, clock: Clock) -> None:
    fetching, go_on = threading.Event(), threading.Event()
    answers = [issuer.jwks(), issuer.jwks()]

    def fetch() -> Any:
        if len(answers) == 1:
            fetching.set()
            assert go_on.wait(20)
        return answers.pop()

    keys = KeySet(fetch, clock)
    assert keys.find("one") is not None
    clock.now += FRESH_SECONDS
    slow = threading.Thread(target=keys.find, args=["one"])
    slow.start()
    assert fetching.wait(20)
    assert keys.find("one") is not None
    with pytest.raises(Problem, match="can't be fetched"):
        keys.find("unknown")
    go_on.set()
    slow.join()
    assert answers == []


def test_a_file_is_read_again(tmp_path: Path, issuer: Issuer, clock: Clock) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(issuer.jwks()))
    verify = TokenVerifier(KeySet(from_file(path), clock), ISSUER, [AUDIENCE])
    assert slug(verify, issuer.token("one")) == "ok"
    issuer.keys["two"] = ec_key("ec-1")
    path.write_text(json.dumps(issuer.jwks()))
    clock.now += COOLDOWN_SECONDS
    assert slug(verify, issuer.token("two")) == "ok"


def test_only_public_signing_keys_of_the_right_kind_are_used() -> None:
    good = published("good", rsa_key("rsa-1"))
    private = {**good, "kid": "private", "d": "AQAB"}
    others = [
        private,
        {**good, "kid": "encryption", "use": "enc"},
        {**good, "kid": "another algorithm", "alg": "RS384"},
        {**good, "kid": 7},
        {name: value for name, value in good.items() if name != "kid"},
        published("another curve", ec.generate_private_key(ec.SECP384R1())),
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        {"kty": "oct", "kid": "disguised", "alg": "RS256", "k": "c2VjcmV0"},
        "?",
    ]
    assert list(usable_keys({"keys": [*others, good]})) == ["good"]
    nothing: Any
    for nothing in ({"keys": others}, {"keys": []}, {}, [], None, {"keys": "?"}):
        with pytest.raises((ValueError, jwt.PyJWTError)):
            usable_keys(nothing)


def test_a_short_key_is_refused(clock: Clock) -> None:
    short = Issuer({"short": rsa.generate_private_key(65_537, 1_024)})
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = short.token("short")
    verify = TokenVerifier(KeySet(short.jwks, clock), ISSUER, [AUDIENCE])
    assert slug(verify, token) == "invalid-token"
