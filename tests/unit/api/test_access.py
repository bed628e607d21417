"""Settings of who is let in: what they make, and which contradictions are refused at the start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.access import Misconfigured, access_from_settings, is_loopback
from api.auth import ADMIN, ANONYMOUS
from api.gates import is_open
from ledger.settings import Settings
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, key_server

ROOT = Path(__file__).parents[3]
SECRET = "0123456789abcdef"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(Issuer().jwks()))
    return path


def jwt_settings(**changed: Any) -> Settings:
    given = {"auth": "jwt", "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, **changed}
    return Settings(**{name: value for name, value in given.items() if value is not None})


def test_everyone_may_do_everything_by_default() -> None:
    access = access_from_settings(Settings())
    assert (access.verify, access.limit, access.origin_secrets) == (None, None, ())
    assert ANONYMOUS.may(ADMIN)


def test_tokens_with_a_file_of_keys(keys: Path) -> None:
    audience = f" other , {AUDIENCE} "
    access = access_from_settings(jwt_settings(jwt_jwks=str(keys), jwt_audience=audience))
    assert access.verify is not None
    assert access.verify(Issuer().token("ec-1")).subject == "sub:alice"


@pytest.mark.parametrize(
    ("prefix", "scope"), [("ledger/", "ledger/admin"), ("off", "admin"), ("", "admin")]
)
def test_scopes_may_have_a_prefix(keys: Path, prefix: str, scope: str) -> None:
    access = access_from_settings(jwt_settings(jwt_jwks=str(keys), jwt_scope_prefix=prefix))
    assert access.verify is not None
    assert access.verify(Issuer().token(scope=scope)).may(ADMIN)
    assert not access.verify(Issuer().token(scope=f"x{scope}")).may(ADMIN)


def test_the_keys_are_where_the_issuer_publishes_them() -> None:
    issuer = Issuer()
    with key_server(issuer.jwks()) as server:
        name = server.url.removesuffix("/.well-known/jwks.json")
        for given in (name, f"{name}/"):
            access = access_from_settings(jwt_settings(jwt_issuer=given))
            assert access.verify is not None
            assert access.verify(issuer.token(iss=given)).subject == "sub:alice"


def test_an_issuer_that_is_away_does_not_keep_it_from_starting() -> None:
    assert access_from_settings(jwt_settings(jwt_issuer="https://gone.invalid")).verify is not None


def test_a_limit_and_secrets() -> None:
    settings = Settings(rate_limit="600/minute", origin_secrets=f"{SECRET}, {SECRET[::-1]}")
    access = access_from_settings(settings)
    assert access.limit is not None
    assert access.limit.take("x").limit == 600
    assert access.origin_secrets == (SECRET, SECRET[::-1])


JWT: dict[str, Any] = {"auth": "jwt", "jwt_issuer": "https://a.b", "jwt_audience": "a"}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("LEDGER_JWT_ISSUER", {"auth": "jwt"}),
    ("LEDGER_JWT_AUDIENCE", {"auth": "jwt", "jwt_issuer": ISSUER}),
    ("LEDGER_JWT_AUDIENCE", {"auth": "jwt", "jwt_issuer": ISSUER, "jwt_audience": " , "}),
    ("LEDGER_JWT_JWKS", {"auth": "jwt", "jwt_issuer": "me", "jwt_audience": "a"}),
    ("LEDGER_JWT_JWKS", {"auth": "jwt", "jwt_issuer": "http://a.b", "jwt_audience": "a"}),
    *(
        ("LEDGER_JWT_JWKS", {"auth": "jwt", "jwt_issuer": "me", "jwt_audience": "a", "jwt_jwks": j})
        for j in (
            "http://keys.example.com/jwks.json",
            "https://",
            "https://[::1",
            "file:///etc/passwd",
            "ftp://127.0.0.1/keys",
            "/nothing/here",
            "pyproject.toml",
            "docs/openapi.json",
            "docs",
        )
    ),
    ("LEDGER_JWT_ISSUER", {"jwt_issuer": ISSUER}),
    ("LEDGER_JWT_AUDIENCE", {"jwt_audience": "a"}),
    ("LEDGER_JWT_JWKS", {"jwt_jwks": "https://a.b/keys"}),
    ("LEDGER_JWT_SCOPE_PREFIX", {"jwt_scope_prefix": "ledger/"}),
    *(("LEDGER_JWT_SCOPE_PREFIX", {**JWT, "jwt_scope_prefix": p}) for p in (" ", "ledger/ a/")),
    *(("LEDGER_ORIGIN_SECRETS", {"origin_secrets": s}) for s in ("", "brief", f"{SECRET},brief")),
    ("LEDGER_ORIGIN_SECRETS", {"origin_secrets": ",".join([SECRET] * 3)}),
    ("LEDGER_ORIGIN_SECRETS", {"origin_secrets": "é" * 20}),
    *(
        ("LEDGER_RATE_LIMIT", {"rate_limit": r})
        for r in ("", "600", "0/minute", "-1/minute", "1/fortnight", "1/second;2/minute", "a/day")
    ),
]


@pytest.mark.parametrize(("name", "given"), WRONG)
def test_a_contradiction_is_told_in_one_line(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured) as caught:
        access_from_settings(Settings(**given))
    told = str(caught.value)
    assert told.startswith(name)
    assert "\n" not in told
    if given.get("origin_secrets"):
        assert given["origin_secrets"] not in told
        assert given["origin_secrets"] not in repr(Settings(**given))


def test_to_ask_for_nothing_on_purpose_is_no_contradiction() -> None:
    settings = jwt_settings(auth="none")
    assert access_from_settings(settings).verify is None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("10.0.0.1", False),
        ("2130706433", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("path", "opened"),
    [
        ("/healthz", True),
        ("/docs", True),
        ("/docs/assets/swagger-ui.css", True),
        ("/openapi.json", True),
        ("/", False),
        ("/healthz/", False),
        ("/docs/", False),
        ("/docs/assets", False),
        ("/docs/../v1/stock", False),
        ("/v1/stock", False),
        ("/openapi.json/v1", False),
        ("/nothing", False),
    ],
)
def test_open_paths(path: str, opened: bool) -> None:
    assert is_open(path) is opened


def test_nothing_is_imported_that_is_not_asked_for() -> None:
    code = (
        "import sys; from api.bootstrap import app_from_settings; import api.lambda_handler;"
        "print([name for name in ('jwt', 'limits', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
