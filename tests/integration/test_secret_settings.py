"""Settings in Secrets Manager, read over HTTP by functions and servers as they start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from api import lambda_handler
from ledger.secret_settings import read_all
from ledger.settings import BadSettings, Settings
from projections.handlers.consuming import consuming
from tests.support.engines import Engines
from tests.support.functions import functions_forgotten

HIDDEN = "the value nobody may see"


class Vault:
    """Secrets on the emulator."""

    def __init__(self, endpoint: str) -> None:
        self.client = boto3.client("secretsmanager", endpoint_url=endpoint)
        self.prefix = f"test-{uuid4().hex[:12]}"

    def keep(self, name: str, **content: Any) -> str:
        """A new secret with some content or none; its ARN."""
        created = self.client.create_secret(Name=f"{self.prefix}/{name}", **content)
        return str(created["ARN"])

    def settings(self, name: str, **settings: str) -> str:
        """A new secret that holds settings; its ARN."""
        return self.keep(name, SecretString=json.dumps(settings))


@pytest.fixture
def vault(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    vault = Vault(engines.endpoint("ministack"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", engines.endpoint("ministack"))
    yield vault
    vault.client.close()


def refusal(name: str) -> str:
    """The error of settings that name this secret; its value is nowhere in it."""
    with pytest.raises(BadSettings) as caught:
        Settings(_env_file=None, secret_arns=name)
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))
    told = str(caught.value)
    assert told.startswith(f"The secret {name}, which LEDGER_SECRET_ARNS names, can't be used: ")
    return told


def test_secrets_are_read_by_arn_and_by_name(vault: Vault) -> None:
    api = vault.settings("api", cursor_secret="0123456789abcdef")
    vault.settings("edge", origin_secrets="x" * 16)
    settings = Settings(_env_file=None, secret_arns=f"{api},{vault.prefix}/edge")
    assert settings.cursor_secret is not None
    assert settings.cursor_secret.get_secret_value() == "0123456789abcdef"
    assert settings.origin_secrets == "x" * 16


def test_a_secret_that_is_not_there_or_has_no_value_yet(vault: Vault) -> None:
    missing = f"{vault.prefix}/none"
    assert "ResourceNotFoundException: Secrets Manager can't find the spec" in refusal(missing)
    for name in (missing, vault.keep("empty")):
        assert "It isn't there, or has no value yet. Give it one: `aws secretsm" in refusal(name)


def test_a_secret_that_is_no_text_no_json_or_being_deleted(vault: Vault) -> None:
    assert "it holds bytes" in refusal(vault.keep("bytes", SecretBinary=HIDDEN.encode()))
    assert "no JSON object" in refusal(vault.keep("text", SecretString=HIDDEN))
    assert "'auth' is no secret setting" in refusal(vault.settings("auth", auth=HIDDEN))
    arn = vault.settings("gone", cursor_secret=HIDDEN)
    vault.client.delete_secret(SecretId=arn)
    assert "Is it being deleted?" in refusal(arn)


def test_nobody_answers(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = vault.settings("api", cursor_secret=HIDDEN)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "Is the name right, and Secrets Manager within reach?" in refusal(arn)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(BadSettings, match=r"LEDGER_SECRET_ARNS can't be read: .*region"):
        Settings(_env_file=None, secret_arns=arn)


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        (
            "AccessDeniedException",
            "Access to KMS is not allowed",
            "AccessDeniedException: Access to KMS is not allowed. Allow secretsmanager:GetSecret",
        ),
        (
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
            "staging label: AWSCURRENT. It isn't there, or has no value yet.",
        ),
        ("DecryptionFailure", "", "DecryptionFailure. Allow kms:Decrypt on its key"),
        ("InternalServiceError", "Oh.", "Error: Oh. Is the name right, and Secrets Manager"),
    ],
)
def test_answers_the_emulator_never_gives(
    monkeypatch: pytest.MonkeyPatch, code: str, message: str, told: str
) -> None:
    class Answering:
        def get_secret_value(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": code, "Message": message}}, "GetSecretValue")

    monkeypatch.setattr(boto3, "client", lambda *_, **__: Answering())
    with pytest.raises(BadSettings) as caught:
        read_all(["shop/api"])
    assert told in str(caught.value)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Functions that start in this environment, and are forgotten."""
    monkeypatch.setenv("LEDGER_STORE", f"sqlite:{tmp_path}/ledger.db")
    monkeypatch.setenv("LEDGER_AUTH", "none")
    with functions_forgotten():
        yield


def request(**headers: str) -> dict[str, Any]:
    """A request for the levels, as API Gateway hands it to a function."""
    http = {"method": "GET", "path": "/v1/stock", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}
    return {
        "version": "2.0",
        "rawPath": "/v1/stock",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": http, "stage": "$default"},
        "isBase64Encoded": False,
    }


@pytest.mark.usefixtures("functions")
def test_the_api_s_function_reads_its_secrets(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = vault.settings("edge", origin_secrets=HIDDEN)
    monkeypatch.setenv("LEDGER_SECRET_ARNS", arn)
    monkeypatch.setenv("LEDGER_SECRETS_VERSION", "1.1")
    for headers, status in (({"x-origin-secret": HIDDEN}, 200), ({}, 403)):
        answer = lambda_handler.handler(request(**headers), None)  # type: ignore[arg-type]
        assert answer["statusCode"] == status, answer["body"]
    lambda_handler.built_app().state.services.ledger.close()
    told = capsys.readouterr()
    assert HIDDEN not in told.out + told.err


@pytest.mark.usefixtures("functions")
def test_functions_do_not_start_without_their_secrets(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_SECRET_ARNS", vault.keep("empty"))
    with pytest.raises(BadSettings, match="has no value yet"):
        lambda_handler.handler(request(), None)  # type: ignore[arg-type]
    with pytest.raises(BadSettings, match="has no value yet"):
        consuming("notifications")({"Records": []}, None)


def test_a_server_says_in_one_line_what_is_wrong(vault: Vault, tmp_path: Path) -> None:
    ledger = Path(sys.executable).with_name("ledger")
    environment = {**os.environ, "LEDGER_SECRET_ARNS": vault.keep("text", SecretString="?")}
    arguments = ["serve", "--port", "0", "--store", f"sqlite:{tmp_path}/ledger.db"]
    done = subprocess.run(
        [ledger, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: The secret arn:aws:secretsmanager:")
    assert done.stderr.count("\n") == 1
