"""Settings: one documented table, read from the environment (`LEDGER_…`) or a `.env` file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ledger.domain.values import Id

OFF: Final = "off"

Auth = Literal["none", "jwt"]

TOPIC_ARN = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"


class BadSettings(ValueError):
    """A setting that can't be used; names it and says what to write, without its secrets."""


class Settings(BaseSettings):
    """Everything that can be configured, with its default and meaning."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", env_file=".env", extra="ignore")

    store: str = Field(
        "sqlite:var/ledger.db",
        pattern=r"^(sqlite:.+|dynamodb:[A-Za-z0-9_.-]{0,100})$",
        description="Where events and views are kept: `sqlite:PATH`, or `dynamodb:PREFIX` for "
        "the tables of that prefix (default `ledger`) in the account and Region of boto3.",
    )
    locations: Annotated[tuple[Id, ...], NoDecode] = Field(
        ("main",),
        min_length=1,
        description="Locations that serve order lines naming none, comma separated, in order.",
    )
    region: str = Field("local", pattern=r"^[a-z0-9-]+$", description="Recorded with every event.")
    lease: bool = Field(
        False,
        description="On DynamoDB: write only while LEDGER_REGION holds the lease (`ledger lease`). "
        "For tables that have replicas in several Regions.",
    )
    cache_size: int = Field(
        50_000, ge=0, description="Streams whose newest state a process remembers."
    )
    idempotency_ttl_seconds: int = Field(
        7 * 24 * 3600, ge=60, description="How long an idempotency key is remembered."
    )
    cursor_secret: SecretStr | None = Field(
        None, description="Signs list cursors; set the same on every instance (default: random)."
    )
    notify_sns_topic_arn: str = Field(
        "off", description="The SNS topic that notifications are published to; `off` for none."
    )
    notify_webhooks: str = Field(
        "[]",
        repr=False,
        description='Who else is notified: a JSON list of {"url", "secret" (or a list of them), '
        '"kinds" (optional)}. Read in `projections.notifications.bootstrap`, which says what is '
        "wrong with it without repeating the secrets.",
    )
    notify_log: bool | Literal["auto"] = Field(
        "auto", description="Whether notifications are logged; `auto`: if they go nowhere else."
    )
    notify_max_age_seconds: int = Field(
        7 * 24 * 3600, ge=1, description="Facts older than this are not notified of any more."
    )
    webhooks_allow_loopback: bool = Field(
        False,
        description="For development: webhooks may go to this machine, by http and to any port.",
    )
    bus: str = Field(
        "off",
        description="The EventBridge bus that the relay publishes to; `off` where there is none.",
    )
    max_receives: int = Field(
        5, ge=1, description="The receipt of a message that is its last: then it is a dead letter."
    )
    dead_letter_queue_url: str = Field(
        "off", description="The SQS queue a consumer's dead letters go to; `off` for none."
    )
    auth: Auth = Field(
        "none", description="Whether the API asks for tokens; `none` is for loopback only."
    )
    jwt_issuer: str = Field(OFF, description="What `iss` of a token must be.")
    jwt_audience: str = Field(
        OFF, description="What `aud` (or else `client_id`) of a token may be, comma separated."
    )
    jwt_jwks: str = Field(
        "auto",
        description="URL or file of the issuer's keys; `auto`: its /.well-known/jwks.json.",
    )
    origin_secrets: str = Field(
        OFF,
        repr=False,
        description="The secret the edge sends as `X-Origin-Secret`; two, comma separated, while "
        "it is being replaced. Read in `api.access`, which doesn't repeat it.",
    )
    rate_limit: str = Field(
        OFF, description="Requests per principal, else per client address, such as `600/minute`."
    )

    @field_validator("locations", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("notify_sns_topic_arn")
    @classmethod
    def _topic(cls, value: str) -> str:
        if value in ("", "off") or re.fullmatch(TOPIC_ARN, value):
            return value
        raise ValueError("write a topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME, or off")

    @field_validator("lease")
    @classmethod
    def _has_regions(cls, value: bool, info: ValidationInfo) -> bool:
        there = str(info.data.get("store")).startswith("dynamodb:")
        if value and (not there or info.data.get("region") == "local"):
            raise ValueError("it is for a dynamodb: store, with LEDGER_REGION the Region's name")
        return value

    @property
    def sqlite_path(self) -> Path | None:
        """The file of a `sqlite:PATH` store; None for another kind of store."""
        kind, _, rest = self.store.partition(":")
        return Path(rest) if kind == "sqlite" else None

    @property
    def table_prefix(self) -> str | None:
        """The table prefix of a `dynamodb:PREFIX` store; None for another kind of store."""
        kind, _, rest = self.store.partition(":")
        return (rest or "ledger") if kind == "dynamodb" else None
