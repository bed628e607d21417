"""Verification of access tokens: JSON Web Tokens (RFC 7519) signed with a key of the issuer.

What is accepted is narrow on purpose (RFC 8725): two algorithms, both asymmetric; keys only from
the issuer's key set; this issuer, this audience; an expiry always; no token that was made for
something else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from typing import Any, Final

import jwt

from api.auth import ACTOR_PREFIX, SCOPES, Principal, invalid_token
from api.keys import ALGORITHMS, KeySet

LEEWAY_SECONDS: Final = 30
"""How far the issuer's clock may be ahead: for `nbf` and `iat`. `exp` is taken at its word."""

MAX_TOKEN_LENGTH: Final = 8_192

_FORM: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_TYPES: Final = frozenset({"jwt", "at+jwt"})
"""What `typ` of an access token may be (RFC 9068, 2.1), if it is there: Cognito's have none."""

_SUBJECT: Final = re.compile(r"[\x20-\x7e]{1,255}")  # OpenID Connect Core, 2: at most 255, ASCII

_WHY: Final[tuple[tuple[type[jwt.PyJWTError], str], ...]] = (
    (jwt.ExpiredSignatureError, "The token has expired."),
    (jwt.ImmatureSignatureError, "The token is not valid yet."),
    (jwt.InvalidIssuerError, "The token is of another issuer."),
    (jwt.MissingRequiredClaimError, "The token lacks a claim: exp, iss and sub are required."),
)
_MALFORMED: Final = "The token is malformed, or not signed by a key of the issuer."


class TokenVerifier:
    """Makes principals of tokens.

    Parameters
    ----------
    keys
        The issuer's keys.
    issuer
        What `iss` must be, to the letter.
    audiences
        One of them must be in `aud`; in a token without `aud` (Cognito's access tokens) it must
        be the `client_id`.
    scope_prefix
        What stands before each scope, such as `ledger/`; a scope without it doesn't count.
    """

    def __init__(
        self, keys: KeySet, issuer: str, audiences: Collection[str], scope_prefix: str = ""
    ) -> None:
        self._keys = keys
        self._scopes = {f"{scope_prefix}{scope}": scope for scope in SCOPES}
        self._issuer = issuer
        self._audiences = frozenset(audiences)

    def __call__(self, token: str) -> Principal:
        """The principal a token stands for. It may wait for the key set.

        Raises
        ------
        Problem
            The token proves nothing, or there are no keys to verify it with.
        """
        claims = self._claims(token)
        if not self._is_for_us(claims):
            raise invalid_token("The token is for another audience.")
        if claims.get("token_use", "access") != "access":
            raise invalid_token("The token is not an access token.")
        if not _SUBJECT.fullmatch(claims["sub"]):
            raise invalid_token("The subject is not 1 to 255 printable ASCII characters.")
        scopes = frozenset(self._scopes[name] for name in _given(claims) if name in self._scopes)
        return Principal(ACTOR_PREFIX + claims["sub"], scopes)

    def _claims(self, token: str) -> dict[str, Any]:
        """What the issuer claims, after its signature and the times were checked."""
        if len(token) > MAX_TOKEN_LENGTH or not _FORM.fullmatch(token):
            raise invalid_token(_MALFORMED)
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.get("alg") not in ALGORITHMS or not kid:
                raise invalid_token(
                    "The token must be signed with RS256 or ES256 and name its key."
                )
            if str(header.get("typ", "JWT")).lower().removeprefix("application/") not in _TYPES:
                raise invalid_token("The token is not an access token.")
            key = self._keys.find(kid)
            if key is None:
                raise invalid_token("The token is signed with a key the issuer does not publish.")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={
                    "require": ["exp", "iss", "sub"],
                    "verify_aud": False,
                    "enforce_minimum_key_length": True,
                },
            )
            if int(claims["exp"]) <= time.time():
                raise jwt.ExpiredSignatureError
        except (jwt.PyJWTError, ArithmeticError, TypeError, ValueError) as error:
            why = (text for kind, text in _WHY if isinstance(error, kind))
            raise invalid_token(next(why, _MALFORMED)) from None
        return claims

    def _is_for_us(self, claims: dict[str, Any]) -> bool:
        named = claims["aud"] if "aud" in claims else claims.get("client_id")
        audiences = named if isinstance(named, list) else [named]
        return any(isinstance(one, str) and one in self._audiences for one in audiences)


def _given(claims: dict[str, Any]) -> list[str]:
    """The scopes of a token, as they stand there: `scope` (RFC 8693, 4.2), else `scp`."""
    given = claims["scope"] if "scope" in claims else claims.get("scp")
    names = given.split(" ") if isinstance(given, str) else given
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
