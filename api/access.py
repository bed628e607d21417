"""Who is let in, as the settings say; settings that contradict each other are refused here.

What verifies tokens and counts requests is imported only if it is asked for: it takes a tenth of
a second, which a server that needs neither, or a function that starts, shouldn't pay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from api.auth import Principal
from ledger.settings import OFF, BadSettings, Settings

if TYPE_CHECKING:
    from api.keys import KeySet
    from api.limits import RateLimit

MIN_SECRET_LENGTH: Final = 16
MAX_SECRETS: Final = 2

_RATE: Final = re.compile(r"[1-9][0-9]{0,6}/(second|minute|hour|day)")


class Misconfigured(BadSettings):
    """Settings nothing safe can be made of. The text names the variable and the fix."""


@dataclass(frozen=True, slots=True)
class Access:
    """What requests must pass: by default everyone may do everything.

    `verify` makes a principal of a token, or raises a problem.
    """

    verify: Callable[[str], Principal] | None = None
    limit: RateLimit | None = None
    origin_secrets: tuple[str, ...] = ()


OPEN: Final = Access()


def access_from_settings(settings: Settings) -> Access:
    """What the settings ask for.

    Raises
    ------
    Misconfigured
        A variable is missing, malformed, or set in vain.
    """
    secrets = _origin_secrets(settings)
    rate = settings.rate_limit
    if rate != OFF and not _RATE.fullmatch(rate):
        raise Misconfigured(
            f"LEDGER_RATE_LIMIT can't be {rate!r}: write a number per second, minute, hour or "
            "day, such as 600/minute, or off."
        )
    verify = _verifier(settings)
    if rate == OFF:
        return Access(verify, None, secrets)
    from api.limits import RateLimit

    return Access(verify, RateLimit(rate), secrets)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _origin_secrets(settings: Settings) -> tuple[str, ...]:
    if settings.origin_secrets == OFF:
        return ()
    secrets = _parts(settings.origin_secrets)
    well_formed = all(len(one) >= MIN_SECRET_LENGTH and one.isascii() for one in secrets)
    if not 0 < len(secrets) <= MAX_SECRETS or not well_formed:
        raise Misconfigured(
            f"LEDGER_ORIGIN_SECRETS must be one secret, or two while it is being replaced, comma "
            f"separated, of {MIN_SECRET_LENGTH} ASCII characters or more each; or off."
        )
    return secrets


def _verifier(settings: Settings) -> Callable[[str], Principal] | None:
    if settings.auth == "none":
        if "auth" not in settings.model_fields_set:
            _refuse_what_is_in_vain(settings)
        return None
    issuer, audiences = settings.jwt_issuer, _parts(settings.jwt_audience)
    if issuer == OFF:
        raise Misconfigured(
            "LEDGER_JWT_ISSUER is not set, and LEDGER_AUTH is jwt: set it to the `iss` of your "
            "tokens, such as https://cognito-idp.REGION.amazonaws.com/POOL."
        )
    if settings.jwt_audience == OFF or not audiences:
        raise Misconfigured(
            "LEDGER_JWT_AUDIENCE is not set, and LEDGER_AUTH is jwt: set it to the `aud` of your "
            "tokens (with Cognito: the client ids), comma separated."
        )
    keys = _keys(settings.jwt_jwks, issuer)
    from api.tokens import TokenVerifier

    return TokenVerifier(keys, issuer, audiences, _scope_prefix(settings))


def _scope_prefix(settings: Settings) -> str:
    prefix = "" if settings.jwt_scope_prefix == OFF else settings.jwt_scope_prefix
    if any(character.isspace() for character in prefix):
        raise Misconfigured(
            f"LEDGER_JWT_SCOPE_PREFIX can't be {prefix!r}: write what stands before each scope, to "
            "the letter and without spaces, such as ledger-dev/, or off."
        )
    return prefix


def _refuse_what_is_in_vain(settings: Settings) -> None:
    """Somebody who names an issuer, but forgets to ask for tokens, believes to be safe."""
    for name in ("jwt_issuer", "jwt_audience", "jwt_jwks", "jwt_scope_prefix"):
        if name in settings.model_fields_set:
            raise Misconfigured(
                f"LEDGER_{name.upper()} is set, but LEDGER_AUTH isn't: set LEDGER_AUTH=jwt to "
                "ask for tokens, or LEDGER_AUTH=none if everyone may do everything."
            )


def _keys(source: str, issuer: str) -> KeySet:
    from jwt import PyJWTError

    from api.keys import KeySet, from_file, from_url

    url = f"{issuer.rstrip('/')}/.well-known/jwks.json" if source == "auto" else source
    if "://" in url:
        if _is_safe(url):
            return KeySet(from_url(url))
        raise Misconfigured(
            f"LEDGER_JWT_JWKS can't be {url!r}: keys come from a file, by https, or by http from "
            "this machine."
        )
    if source == "auto":
        raise Misconfigured(
            "LEDGER_JWT_JWKS is not set, and LEDGER_JWT_ISSUER is no URL to find the keys at: "
            "set it to the URL or the file of the issuer's key set."
        )
    keys = KeySet(from_file(Path(source)))
    try:
        keys.load()
    except (OSError, ValueError, PyJWTError) as error:
        raise Misconfigured(
            f"LEDGER_JWT_JWKS can't be {source!r}: {error}. Name a file that holds a JWK Set, "
            "or its URL."
        ) from None
    return keys


def _is_safe(url: str) -> bool:
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""
    except ValueError:
        return False
    return bool(host) and (scheme == "https" or (scheme == "http" and is_loopback(host)))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
