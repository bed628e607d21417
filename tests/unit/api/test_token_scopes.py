"""Scopes of tokens: what counts as one."""

from __future__ import annotations

from typing import Any

import pytest

from api.keys import KeySet
from api.tokens import TokenVerifier
from tests.support.issuer import AUDIENCE, ISSUER, Issuer

THE_ISSUER = Issuer()
VERIFY = THE_ISSUER.verifier()


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ({"scope": "orders:write stock:write"}, {"orders:write", "stock:write"}),
        ({"scope": "inventory/orders:write /orders:write"}, set()),
        ({"scope": "https://api.example.com/v1/admin openid"}, set()),
        ({"scope": None, "scp": "admin"}, {"admin"}),
        ({"scope": None, "scp": ["stock:write", "x", 7]}, {"stock:write"}),
        ({"scope": "", "scp": "admin"}, set()),
        ({"scope": "aws.cognito.signin.user.admin"}, set()),
        ({"scope": "Admin ADMIN admin: :admin admin/ orders:write/x"}, set()),
        ({"scope": "orders:write\u2028admin\u00a0admin\tadmin\nadmin"}, set()),
        ({"scope": " orders:write  admin "}, {"orders:write", "admin"}),
        ({"scope": 7}, set()),
        ({"scope": {"admin": True}}, set()),
        ({"scope": None}, set()),
    ],
)
def test_scopes(given: dict[str, Any], scopes: set[str]) -> None:
    assert VERIFY(THE_ISSUER.token(**given)).scopes == scopes


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ("ledger-dev/orders:write ledger-dev/admin", {"orders:write", "admin"}),
        ("admin orders:write", set()),
        ("billing/admin ledger/admin ledger-prod/admin", set()),
        (
            "xledger-dev/admin a/ledger-dev/admin ledger-dev/x/admin ledger-dev/ledger-dev/admin",
            set(),
        ),
        ("ledger-dev//admin ledger-dev/ LEDGER-DEV/admin ledger-devadmin", set()),
    ],
)
def test_with_a_prefix_only_scopes_with_exactly_that_prefix_count(
    given: str, scopes: set[str]
) -> None:
    verify = TokenVerifier(KeySet(THE_ISSUER.jwks), ISSUER, [AUDIENCE], "ledger-dev/")
    assert verify(THE_ISSUER.token(scope=given)).scopes == scopes


def test_admin_implies_the_others_and_no_other_does() -> None:
    every = ["inventory:read", "orders:write", "stock:write", "admin"]
    for scope in every:
        who = VERIFY(THE_ISSUER.token(scope=scope))
        assert [one for one in every if who.may(one)] == (every if scope == "admin" else [scope])
