"""Settings that are kept in AWS Secrets Manager: read once, when a process starts.

Each secret that `LEDGER_SECRET_ARNS` names holds a JSON object of secret settings by their names::

    {"cursor_secret": "...", "origin_secrets": "new,old", "notify_webhooks": "[...]"}

Only secret settings may stand there: whoever may change a secret must not be able to, say, turn
authentication off. Errors name the secret and the fix, and never repeat what is in it.

Each secret takes a request of its own. `BatchGetSecretValue` would save one, and needs a permission
that can't be given for these secrets alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ledger.settings import BadSettings

SECRET_SETTINGS: Final = ("cursor_secret", "notify_webhooks", "origin_secrets")

_CONFIG: Final[dict[str, Any]] = {
    "connect_timeout": 2,
    "read_timeout": 5,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}

_FIXES: Final = {
    "ResourceNotFoundException": "It isn't there, or has no value yet. Give it one: `aws "
    "secretsmanager put-secret-value --secret-id NAME --secret-string JSON`",
    "AccessDeniedException": "Allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its "
    "key",
    "DecryptionFailure": "Allow kms:Decrypt on its key, and see that the key is enabled",
    "InvalidRequestException": "Is it being deleted? Restore it, or name another one",
}
_OTHERWISE: Final = "Is the name right, and Secrets Manager within reach?"

Read = Callable[[str], str]
"""What a secret holds, by its ARN or name."""


def read_all(names: Sequence[str], read: Read | None = None) -> dict[str, str]:
    """The settings that these secrets hold together.

    Raises
    ------
    BadSettings
        A secret can't be read or used, or two of them hold the same setting.
    """
    read = read or reader()
    found: dict[str, str] = {}
    source: dict[str, str] = {}
    for name in names:
        for setting, value in parsed(name, read(name)).items():
            if setting in found:
                why = f"it holds {setting}, as {source[setting]} does"
                raise _bad(name, why, "Keep it in one of them")
            found[setting], source[setting] = value, name
    return found


def parsed(name: str, text: str) -> dict[str, str]:
    """The settings in the text of a secret.

    Raises
    ------
    BadSettings
        It is no JSON object of secret settings, each a text.
    """
    known = ", ".join(SECRET_SETTINGS)
    try:
        found = json.loads(text)
    except ValueError:
        found = None  # and the error, which holds the text, is forgotten
    if not isinstance(found, dict):
        raise _bad(name, "it is no JSON object", f"Write one that has some of {known}")
    unknown = sorted(set(found) - set(SECRET_SETTINGS))
    if unknown:
        named = ", ".join(map(repr, unknown))
        raise _bad(name, f"{named} is no secret setting", f"There are {known}")
    for setting, value in found.items():
        if not isinstance(value, str):
            fix = f"Write what LEDGER_{setting.upper()} would hold, in quotes"
            raise _bad(name, f"its {setting} is no text", fix)
    return found


def reader() -> Read:
    """Reads secrets with one client; `AWS_ENDPOINT_URL` and its like are honoured.

    What it returns raises `BadSettings` if a secret can't be read.
    """
    try:
        client = boto3.client("secretsmanager", config=Config(**_CONFIG))
    except BotoCoreError as error:
        raise BadSettings(f"LEDGER_SECRET_ARNS can't be read: {error}") from error

    def read(name: str) -> str:
        try:
            answer = client.get_secret_value(SecretId=name)
        except ClientError as error:
            told = error.response["Error"]
            why = f"{told['Code']}: {told.get('Message', '')}".rstrip(" .:")
            raise _bad(name, why, _FIXES.get(told["Code"], _OTHERWISE)) from error
        except BotoCoreError as error:
            raise _bad(name, str(error).rstrip("."), _OTHERWISE) from error
        if "SecretString" in answer:
            return str(answer["SecretString"])
        if "SecretBinary" in answer:
            raise _bad(name, "it holds bytes", "Write a JSON object as its SecretString")
        raise _bad(name, "it is empty", _FIXES["ResourceNotFoundException"])

    return read


def _bad(name: str, why: str, fix: str) -> BadSettings:
    stop = "" if fix.endswith("?") else "."
    return BadSettings(
        f"The secret {name}, which LEDGER_SECRET_ARNS names, can't be used: {why}. {fix}{stop}"
    )
