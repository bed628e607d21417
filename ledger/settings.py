"""Settings: one documented table, read from the environment (`LEDGER_…`) or a `.env` file."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ledger.domain.lanes import check_auto_lanes
from ledger.domain.values import Id

OFF: Final = "off"

PREFIX: Final = "ledger_"
NO_SETTINGS: Final = ("secrets_version",)
"""Variables that nothing reads: changing it makes functions start anew, and read their secrets."""
LIKENESS: Final = 0.7
"""From which `difflib.SequenceMatcher.ratio` on a name is taken for a setting, misspelt."""

Auth = Literal["none", "jwt"]

TOPIC_ARN = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"


class BadSettings(ValueError):
    """A setting that can't be used; names it and says what to write, without its secrets."""


class _Secrets(PydanticBaseSettingsSource):
    """The settings in the secrets that the sources before it name, if they name any."""

    def get_field_value(self, _field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """One setting; asked for by nobody, since all of them come together."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every setting that the secrets hold.

        Raises
        ------
        BadSettings
            See `ledger.secret_settings.read_all`.
        """
        named = str(self.current_state.get("secret_arns", OFF))
        names = [name.strip() for name in named.split(",") if name.strip() not in ("", OFF)]
        if not names:
            return {}
        # Imported when it is asked for: boto3 takes longer than everything else.
        from ledger.aws_session import share_session
        from ledger.secret_settings import read_all

        share_session()
        return dict(read_all(names))


def _refuse_misspelt(known: Collection[str], *sources: PydanticBaseSettingsSource) -> None:
    """Refuse a variable that is called nearly as a setting is: it would be passed over.

    Other names are let pass: the environment of a container may hold `LEDGER_PORT` and the like
    because a service is called so.
    """
    read = [source for source in sources if isinstance(source, EnvSettingsSource)]
    given = {name.lower() for source in read for name in source.env_vars}
    names = {name.removeprefix(PREFIX) for name in given if name.startswith(PREFIX)}
    unknown = sorted(names.difference(known, NO_SETTINGS))
    if not unknown:
        return
    # Imported when it is needed, which it is next to never.
    from difflib import get_close_matches

    for name in unknown:
        for meant in get_close_matches(name, known, 1, LIKENESS):
            msg = f"There is no setting LEDGER_{name.upper()}. Did you mean"
            raise BadSettings(f"{msg} LEDGER_{meant.upper()}?")


class Settings(BaseSettings):
    """Everything that can be configured, with its default and meaning.

    What is given by hand comes first, then the environment, the file `.env`, and secrets: so a
    single process can be given a secret of its own, by whoever may change its environment anyway.
    """

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
    auto_lanes: int = Field(
        1,
        description="Lanes that an order splits a position into when processes contend for it "
        "(`docs/lanes.md`), 16 at most; 1 splits none.",
    )
    idempotency_ttl_seconds: int = Field(
        7 * 24 * 3600, ge=60, description="How long an idempotency key is remembered."
    )
    cursor_secret: SecretStr | None = Field(
        None, description="Signs list cursors; set the same on every instance (default: random)."
    )
    secret_arns: str = Field(
        OFF,
        description="ARNs or names of secrets in AWS Secrets Manager, comma separated. Each holds "
        "a JSON object of secret settings by their names (see `ledger.secret_settings`), read when "
        "a process starts.",
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
    jwt_scope_prefix: str = Field(
        OFF,
        description="What stands before each scope of a token, such as `ledger-dev/`: scopes "
        "without it don't count. `off` (or nothing): only bare scopes count.",
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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where settings come from, the first that has one wins.

        Raises
        ------
        BadSettings
            A variable is called nearly as a setting is.
        """
        _refuse_misspelt(settings_cls.model_fields, env_settings, dotenv_settings)
        before = (init_settings, env_settings, dotenv_settings)
        return (*before, _Secrets(settings_cls), file_secret_settings)

    @field_validator("locations", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("auto_lanes")
    @classmethod
    def _fit_a_commit(cls, value: int, info: ValidationInfo) -> int:
        check_auto_lanes(value, len(info.data.get("locations", ("main",))))
        return value

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
