"""An issuer of tokens with real keys, and a server where its key set is fetched."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import api_jws
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from api.keys import KeySet
from api.tokens import TokenVerifier

ISSUER = "https://issuer.example.com/pool"
AUDIENCE = "ledger-api"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


_RSA: defaultdict[str, rsa.RSAPrivateKey] = defaultdict(
    lambda: rsa.generate_private_key(65_537, 2_048)
)
_EC: defaultdict[str, ec.EllipticCurvePrivateKey] = defaultdict(
    lambda: ec.generate_private_key(ec.SECP256R1())
)


def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """An RSA key, the same for the same name."""
    return _RSA[name]


def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A key on P-256, the same for the same name."""
    return _EC[name]


def published(kid: str, key: PrivateKey, **members: Any) -> dict[str, Any]:
    """The public half of a key as a JWK."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        known = RSAAlgorithm.to_jwk(public, as_dict=True)
    else:
        known = ECAlgorithm.to_jwk(public, as_dict=True)
    return {**known, "kid": kid, "use": "sig", **members}


def claims(**changed: Any) -> dict[str, Any]:
    """Claims of a good token; a claim given as None is left out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "iat": now,
        "exp": now + 600,
        "scope": "inventory:read",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


@dataclass
class Issuer:
    """Signs tokens, and publishes the keys it signs with."""

    keys: dict[str, PrivateKey] = field(
        default_factory=lambda: {"rsa-1": rsa_key("rsa-1"), "ec-1": ec_key("ec-1")}
    )

    def jwks(self) -> dict[str, Any]:
        """The key set as it is published."""
        return {"keys": [published(kid, key) for kid, key in self.keys.items()]}

    def token(self, kid: str = "rsa-1", **changed: Any) -> str:
        """A token signed with one of the keys."""
        key = self.keys[kid]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return signed(claims(**changed), key, algorithm, kid=kid)

    def verifier(self) -> TokenVerifier:
        """A verifier that gets the keys from here."""
        return TokenVerifier(KeySet(self.jwks), ISSUER, [AUDIENCE])


def signed(content: Mapping[str, Any], key: Any, algorithm: str, **header: Any) -> str:
    """A token of any content, with any key, under any algorithm."""
    headers = {name: value for name, value in header.items() if value is not None}
    return api_jws.encode(json.dumps(content).encode(), key, algorithm, headers)


@dataclass
class KeyServer:
    """Publishes a key set over HTTP; `status` other than 200 is an outage."""

    document: Any
    status: int = 200
    asked: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        """Where the key set is."""
        return f"http://127.0.0.1:{self.port}/.well-known/jwks.json"


@contextmanager
def key_server(document: Any) -> Iterator[KeyServer]:
    """A key server on a free port of this machine."""
    state = KeyServer(document)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            body = json.dumps(state.document).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
