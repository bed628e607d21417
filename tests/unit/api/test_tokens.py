"""Tokens: what is accepted, and everything that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt import get_unverified_header

from api.problems import Problem
from api.tokens import MAX_TOKEN_LENGTH
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, claims, ec_key, rsa_key, signed

THE_ISSUER = Issuer()
VERIFY = THE_ISSUER.verifier()


def refusal(token: str) -> Problem:
    with pytest.raises(Problem) as caught:
        VERIFY(token)
    problem = caught.value
    assert problem.kind.slug == "invalid-token"
    challenge = problem.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="inventory-ledger", error="invalid_token", ')
    assert challenge.endswith(f'error_description="{problem.detail}"')
    assert '"' not in problem.detail
    assert "\\" not in problem.detail
    return problem


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1"])
def test_a_good_token_is_its_subject(kid: str) -> None:
    who = VERIFY(THE_ISSUER.token(kid))
    assert (who.subject, set(who.scopes)) == ("sub:alice", {"inventory:read"})


def b64(content: object) -> str:
    raw = json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(algorithm: str) -> str:
    return f"{b64({'alg': algorithm, 'kid': 'rsa-1', 'typ': 'JWT'})}.{b64(claims())}."


def signed_with_public_key() -> str:
    """The classic confusion: the public key, which everyone has, as an HMAC secret."""
    public = rsa_key("rsa-1").public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    content = f"{b64({'alg': 'HS256', 'kid': 'rsa-1'})}.{b64(claims())}"
    mac = hmac.new(secret, content.encode(), hashlib.sha256).digest()
    return f"{content}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def grafted() -> str:
    """The signature of a good token under the claims of another."""
    header, _, signature = THE_ISSUER.token().split(".")
    return f"{header}.{b64(claims(scope='admin'))}.{signature}"


def headed(**header: Any) -> str:
    """A token signed with the real key, under a header of choice."""
    return signed(claims(), rsa_key("rsa-1"), "RS256", **header)


def at(**seconds: int) -> str:
    """A token whose times are so many seconds from now."""
    now = int(time.time())
    times: dict[str, Any] = {name: now + value for name, value in seconds.items()}
    return THE_ISSUER.token(**times)


FORGED: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no token": lambda: "secret",
    "two parts": lambda: "a.b",
    "four parts": lambda: f"{THE_ISSUER.token()}.x",
    "no signature": lambda: THE_ISSUER.token().rpartition(".")[0] + ".",
    "padded": lambda: THE_ISSUER.token() + "==",
    "a list": lambda: f"{b64([])}.{b64([])}.{b64([])}",
    "nested beyond reason": lambda: f"{b64('x')}.{b64('x')}.x".replace(
        b64("x"), base64.urlsafe_b64encode(b"[" * 2_000).rstrip(b"=").decode(), 1
    ),
    "too long": lambda: THE_ISSUER.token(scope="x" * MAX_TOKEN_LENGTH),
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg nOnE with a signature": lambda: unsigned("nOnE") + "AAAA",
    "HS256 with the public key": signed_with_public_key,
    "another algorithm of the same key": lambda: signed(
        claims(), rsa_key("rsa-1"), "PS256", kid="rsa-1"
    ),
    "RS512": lambda: signed(claims(), rsa_key("rsa-1"), "RS512", kid="rsa-1"),
    "ES384": lambda: signed(claims(), ec.generate_private_key(ec.SECP384R1()), "ES384", kid="ec-1"),
    "ES256 under the id of an RSA key": lambda: signed(
        claims(), ec_key("ec-1"), "ES256", kid="rsa-1"
    ),
    "RS256 under the id of an EC key": lambda: signed(
        claims(), rsa_key("rsa-1"), "RS256", kid="ec-1"
    ),
    "a key of somebody else": lambda: signed(claims(), rsa_key("other"), "RS256", kid="rsa-1"),
    "an unknown key": lambda: signed(claims(), rsa_key("rsa-1"), "RS256", kid="rsa-9"),
    "no key id": lambda: headed(),
    "an empty key id": lambda: headed(kid=""),
    "a key of its own": lambda: signed(
        claims(), rsa_key("other"), "RS256", jwk={"kty": "RSA"}, kid="rsa-1"
    ),
    "a critical extension": lambda: headed(kid="rsa-1", crit=["mood"], mood="good"),
    "grafted claims": grafted,
    "expired": lambda: at(exp=-1),
    "expired within the leeway": lambda: at(exp=-20, iat=-60),
    "no expiry": lambda: THE_ISSUER.token(exp=None),
    "an expiry that is no number": lambda: THE_ISSUER.token(exp="later"),
    "an endless expiry": lambda: THE_ISSUER.token(exp=float("inf")),
    "not valid yet": lambda: at(nbf=45),
    "issued in the future": lambda: at(iat=45),
    "another issuer": lambda: THE_ISSUER.token(iss="https://evil.example.com"),
    "the issuer with a slash": lambda: THE_ISSUER.token(iss=f"{ISSUER}/"),
    "part of the issuer": lambda: THE_ISSUER.token(iss=ISSUER[:-1]),
    "a list of issuers": lambda: THE_ISSUER.token(iss=[ISSUER]),
    "no issuer": lambda: THE_ISSUER.token(iss=None),
    "another audience": lambda: THE_ISSUER.token(aud="billing"),
    "part of the audience": lambda: THE_ISSUER.token(aud=AUDIENCE[:-1]),
    "other audiences": lambda: THE_ISSUER.token(aud=["billing", 7]),
    "no audience": lambda: THE_ISSUER.token(aud=None),
    "an empty audience": lambda: THE_ISSUER.token(aud=[], client_id=AUDIENCE),
    "another audience, the right client": lambda: THE_ISSUER.token(
        aud="billing", client_id=AUDIENCE
    ),
    "another client": lambda: THE_ISSUER.token(aud=None, client_id="billing"),
    "an id token": lambda: THE_ISSUER.token(token_use="id"),
    "no subject": lambda: THE_ISSUER.token(sub=None),
    "an empty subject": lambda: THE_ISSUER.token(sub=""),
    "a subject that is a number": lambda: THE_ISSUER.token(sub=7),
    "a subject of 256 characters": lambda: THE_ISSUER.token(sub="x" * 256),
    "a subject with a line break": lambda: THE_ISSUER.token(sub="a\nb"),
    "a subject beyond ASCII": lambda: THE_ISSUER.token(sub="zoë"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_proves_nothing(name: str) -> None:
    refusal(FORGED[name]())


def test_what_is_wrong_is_told_as_far_as_it_helps() -> None:
    assert refusal(at(exp=-1)).detail == "The token has expired."
    assert refusal(at(nbf=45)).detail == "The token is not valid yet."
    assert "issuer" in refusal(THE_ISSUER.token(iss="x")).detail
    assert "audience" in refusal(THE_ISSUER.token(aud="x")).detail
    assert "access token" in refusal(THE_ISSUER.token(token_use="id")).detail
    assert "lacks a claim" in refusal(THE_ISSUER.token(exp=None)).detail


@pytest.mark.parametrize(
    "token",
    [
        lambda: at(iat=20, nbf=20),
        lambda: THE_ISSUER.token(iat=None),
        lambda: THE_ISSUER.token(aud=["billing", AUDIENCE]),
        lambda: THE_ISSUER.token(aud=None, client_id=AUDIENCE),
        lambda: THE_ISSUER.token(token_use="access"),
        lambda: THE_ISSUER.token(sub="x" * 255),
    ],
)
def test_what_issuers_do_differently(token: Callable[[], str]) -> None:
    assert VERIFY(token()).may("inventory:read")


TYPED = ["", "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"]
MADE_FOR_SOMETHING_ELSE = [
    "logout+jwt",
    "dpop+jwt",
    "secevent+jwt",
    "id+jwt",
    "JOSE",
    "at+jwt ",
    "application/application/jwt",
    "JW\u017f",
]


@pytest.mark.parametrize("typ", TYPED)
def test_an_access_token_says_so_or_nothing(typ: str) -> None:
    token = headed(kid="rsa-1", typ=typ)
    # The library leaves out a type that is empty.
    assert get_unverified_header(token).get("typ", "") == typ
    assert VERIFY(token).may("inventory:read")


@pytest.mark.parametrize("typ", MADE_FOR_SOMETHING_ELSE)
def test_a_token_of_another_type_is_none_of_ours(typ: str) -> None:
    assert refusal(headed(kid="rsa-1", typ=typ)).detail == "The token is not an access token."


@pytest.mark.parametrize("typ", [None, 7, True, ["JWT"], {"JWT": 1}])
def test_a_type_that_is_no_text_is_refused(typ: object) -> None:
    """As it can't be signed here, the header is changed; it is read before the signature is."""
    _, content, signature = THE_ISSUER.token().split(".")
    header = b64({"alg": "RS256", "kid": "rsa-1", "typ": typ})
    problem = refusal(f"{header}.{content}.{signature}")
    assert problem.detail == "The token is not an access token."


@pytest.mark.parametrize("name", ["system", "import", "anonymous"])
def test_no_token_takes_a_name_of_the_system(name: str) -> None:
    assert VERIFY(THE_ISSUER.token(sub=name)).subject == f"sub:{name}"


FAR = int(time.time()) + 24 * 3600
"""These are signed when the tests are collected, and may be looked at long after."""
GOOD = {kid: THE_ISSUER.token(kid, exp=FAR) for kid in ("rsa-1", "ec-1")}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="


@given(data=st.data())
def test_no_mutation_of_a_token_is_accepted(data: st.DataObject) -> None:
    token = GOOD[data.draw(st.sampled_from(sorted(GOOD)))]
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, min(len(token), start + 4)))
    instead = data.draw(st.text(ALPHABET, max_size=4))
    mutated = token[:start] + instead + token[end:]
    if mutated == token:
        VERIFY(token)
    else:
        refusal(mutated)


@given(data=st.data())
def test_no_bit_of_a_token_can_be_turned(data: st.DataObject) -> None:
    token = GOOD[data.draw(st.sampled_from(sorted(GOOD)))]
    parts = [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]
    which = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, 8 * len(parts[which]) - 1))
    turned = bytearray(parts[which])
    turned[bit // 8] ^= 1 << bit % 8
    parts[which] = bytes(turned)
    refusal(".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts))


@given(
    st.text(max_size=60) | st.lists(st.text(ALPHABET, max_size=30), max_size=5).map(".".join),
)
def test_whatever_is_sent_is_refused_in_order(text: str) -> None:
    refusal(text)


@given(
    changed=st.dictionaries(
        st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "scope", "scp", "token_use"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
        max_size=3,
    )
)
def test_whatever_the_issuer_claims_is_a_principal_or_a_problem(changed: dict[str, Any]) -> None:
    token = THE_ISSUER.token(**changed)
    try:
        who = VERIFY(token)
    except Problem:
        refusal(token)
    else:
        assert who.subject.startswith("sub:")
