"""The issuer's public keys: fetched when needed, kept while the issuer can't be reached.

A key is looked up on every request, and fetched seldom: when the set is older than `FRESH_SECONDS`,
and when a token names a key that is not in it (the issuer may have a new one), but never sooner
than `COOLDOWN_SECONDS` after the last try, whatever tokens say.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jwt

from api import problems
from api.problems import Problem

ALGORITHMS: Final = ["RS256", "ES256"]

FRESH_SECONDS: Final = 300.0
"""A key the issuer withdrew is refused after this long at the latest."""
KEPT_SECONDS: Final = 24 * 3600.0
"""How long keys are good while the issuer can't be reached: longer than any token should last."""
COOLDOWN_SECONDS: Final = 10.0
TIMEOUT_SECONDS: Final = 3.0
PATIENCE_SECONDS: Final = 1.0
"""How long a request waits for another one that is fetching."""

Fetch = Callable[[], Any]
"""Gets a JWK Set (RFC 7517, 5) as parsed JSON; fails with `OSError`, `ValueError` or PyJWT's."""

logger = logging.getLogger("api")


def from_url(url: str) -> Fetch:
    """Fetches the key set over HTTP, without following redirects."""
    return jwt.PyJWKClient(url, cache_jwk_set=False, timeout=TIMEOUT_SECONDS).fetch_data


def from_file(path: Path) -> Fetch:
    """Reads the key set from a file."""
    return lambda: json.loads(path.read_bytes())


def usable(document: Any) -> dict[str, jwt.PyJWK]:
    """The public signing keys of a JWK Set that have an id and an algorithm used here, by id.

    Raises
    ------
    ValueError, PyJWTError
        It is no JWK Set, or has no such key.
    """
    if not isinstance(document, dict):
        raise ValueError("not a JWK Set: it must be a JSON object with keys")
    entries = document.get("keys")
    public = [
        entry
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and "d" not in entry and isinstance(entry.get("kid"), str)
    ]
    found = {
        str(key.key_id): key
        for key in jwt.PyJWKSet.from_dict({"keys": public}).keys
        if key.public_key_use in {None, "sig"} and key.algorithm_name in ALGORITHMS
    }
    if not found:
        raise ValueError("the JWK Set has no public signing key (RS256 or ES256) with a kid")
    return found


class KeySet:
    """The keys of an issuer, for many threads."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._tried = -KEPT_SECONDS
        self._reached = True

    def load(self) -> None:
        """Fetch the keys now; what fails is raised (see `Fetch` and `usable`)."""
        self._tried = self._clock()
        self._reached = False
        self._keys = usable(self._fetch())
        self._fetched = self._clock()
        self._reached = True

    def find(self, kid: str) -> jwt.PyJWK | None:
        """The key with an id, or None if the issuer has none.

        Raises
        ------
        Problem
            That can't be said: the key isn't here, and the issuer can't be reached.
        """
        key = self._keys.get(kid)
        age = self._clock() - self._fetched
        if key is not None and age < FRESH_SECONDS:
            return key
        # A request whose key is here never waits for another one that is fetching.
        known = key is not None and age < KEPT_SECONDS
        if self._lock.acquire(timeout=0 if known else PATIENCE_SECONDS):
            try:
                self._refresh(kid)
            finally:
                self._lock.release()
        elif not known:
            raise _unavailable()
        if self._clock() - self._fetched >= KEPT_SECONDS:
            raise _unavailable()
        key = self._keys.get(kid)
        if key is None and not self._reached:
            raise _unavailable()
        return key

    def _refresh(self, kid: str) -> None:
        now = self._clock()
        here = kid in self._keys and now - self._fetched < FRESH_SECONDS
        if here or now - self._tried < COOLDOWN_SECONDS:
            return
        try:
            self.load()
        except (OSError, ValueError, RecursionError, jwt.PyJWTError) as error:
            logger.warning("the issuer's keys can't be fetched: %s", error)


def _unavailable() -> Problem:
    kind = problems.KEYS_UNAVAILABLE
    headers = {"Retry-After": str(int(COOLDOWN_SECONDS))}
    return Problem(kind, "The issuer's keys can't be fetched just now.", headers=headers)
