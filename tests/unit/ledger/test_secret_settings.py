"""Settings in secrets: what may stand there, what comes first, and that nothing is told of them."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import secret_settings
from ledger.secret_settings import SECRET_SETTINGS, parsed, read_all
from ledger.settings import BadSettings, Settings

ROOT = Path(__file__).parents[3]
HIDDEN = "the value nobody may see"
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/api-AbCdEf"


def holding(secrets: dict[str, dict[str, str]]) -> secret_settings.Read:
    return lambda name: json.dumps(secrets[name])


@given(st.dictionaries(st.sampled_from(SECRET_SETTINGS), st.text()))
def test_a_secret_is_an_object_of_settings(found: dict[str, str]) -> None:
    assert parsed(ARN, json.dumps(found)) == found


@given(
    st.text().filter(lambda text: "{" not in text)
    | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps)
)
def test_whatever_else_it_holds_is_refused(text: str) -> None:
    with pytest.raises(BadSettings, match="is no JSON object"):
        parsed(ARN, text)


def test_settings_know_every_secret_setting() -> None:
    assert set(SECRET_SETTINGS) <= set(Settings.model_fields)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HIDDEN, "no JSON object. Write one that has some of cursor_secret, notify_webhooks"),
        (json.dumps(HIDDEN), "no JSON object"),
        (json.dumps([{"cursor_secret": HIDDEN}]), "no JSON object"),
        (json.dumps({"auth": HIDDEN}), "'auth' is no secret setting. There are cursor_secret,"),
        (json.dumps({"LEDGER_CURSOR_SECRET": HIDDEN}), "'LEDGER_CURSOR_SECRET' is no secret"),
        (
            json.dumps({"notify_webhooks": [{"secret": HIDDEN}]}),
            "its notify_webhooks is no text. Write what LEDGER_NOTIFY_WEBHOOKS would hold,",
        ),
        (json.dumps({"cursor_secret": None, "origin_secrets": HIDDEN}), "cursor_secret is no text"),
    ],
)
def test_what_is_wrong_is_told_without_the_value(text: str, why: str) -> None:
    with pytest.raises(BadSettings) as caught:
        parsed(ARN, text)
    told = str(caught.value)
    assert told.startswith(f"The secret {ARN}, which LEDGER_SECRET_ARNS names, can't be used: ")
    assert why in told
    assert "\n" not in told
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_secrets_are_put_together() -> None:
    read = holding({"a": {"cursor_secret": "1"}, "b": {"origin_secrets": "2"}, "c": {}})
    assert read_all(["a", "b", "c"], read) == {"cursor_secret": "1", "origin_secrets": "2"}


def test_a_setting_in_two_secrets_is_a_contradiction() -> None:
    read = holding({"a": {"cursor_secret": HIDDEN}, "b": {"cursor_secret": "2"}})
    with pytest.raises(BadSettings, match=r"secret b, .* it holds cursor_secret, as a does"):
        read_all(["a", "b"], read)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """What is in Secrets Manager."""
    secrets: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(secret_settings, "reader", lambda: holding(secrets))
    return secrets


def test_the_environment_comes_before_secrets_and_they_before_defaults(
    store: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store["shop/api"] = {"cursor_secret": "from the secret", "origin_secrets": "of the secret"}
    store["shop/hooks"] = {"notify_webhooks": "[1]"}
    dotenv = tmp_path / ".env"
    dotenv.write_text("LEDGER_SECRET_ARNS=shop/hooks\nLEDGER_NOTIFY_WEBHOOKS=[2]\n")
    monkeypatch.setenv("LEDGER_ORIGIN_SECRETS", "of the environment")
    monkeypatch.setenv("LEDGER_SECRETS_VERSION", "3.1")
    monkeypatch.setenv("LEDGER_SECRET_ARNS", " shop/api , shop/hooks,")
    settings = Settings(_env_file=dotenv)
    assert settings.cursor_secret is not None
    assert settings.cursor_secret.get_secret_value() == "from the secret"
    assert (settings.origin_secrets, settings.notify_webhooks) == ("of the environment", "[2]")
    assert "secret_arns" in settings.model_fields_set

    monkeypatch.delenv("LEDGER_SECRET_ARNS")
    assert Settings(_env_file=dotenv).cursor_secret is None
    settings = Settings(_env_file=None, secret_arns="shop/hooks")
    assert settings.notify_webhooks == "[1]"


def test_settings_do_not_show_what_secrets_hold(store: dict[str, Any]) -> None:
    store["a"] = dict.fromkeys(SECRET_SETTINGS, HIDDEN)
    settings = Settings(_env_file=None, secret_arns="a")
    assert settings.origin_secrets == HIDDEN
    assert HIDDEN not in f"{settings!r} {settings}"


@pytest.mark.parametrize("nothing", ["", "off", " , "])
def test_without_secrets_nothing_is_read(nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing loaded: boto3 takes longer than everything else."""
    monkeypatch.setenv("LEDGER_SECRET_ARNS", nothing)
    code = (
        "import sys; from ledger.settings import Settings; Settings();"
        "print([name for name in ('boto3', 'botocore') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
