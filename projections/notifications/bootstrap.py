"""The composition root of the notifications: which channels there are, and their marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ledger.service.history import History
from ledger.settings import BadSettings, Settings
from ledger.store.base import LedgerRecorder
from projections.notifications.channels.base import Channel
from projections.notifications.follower import LogFollower
from projections.notifications.marks import Marks
from projections.notifications.marks_file import MarksFile
from projections.notifications.notification import Kind
from projections.notifications.notifier import Notifier, Outcome

OFF = ("", "off")


class _Webhook(BaseModel):
    """One entry of `LEDGER_NOTIFY_WEBHOOKS`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    secret: str | tuple[str, ...]
    kinds: tuple[Kind, ...] = ()


def open_notifiers(
    recorder: LedgerRecorder,
    settings: Settings,
    *,
    observe: Callable[[Outcome], None] = lambda _: None,
) -> list[Notifier]:
    """A notifier for each channel the settings name, with marks beside the recorder's events.

    Raises
    ------
    BadSettings
        A setting can't be used.
    """
    if settings.sqlite_path is not None:
        return _notifiers(recorder, settings, MarksFile(settings.sqlite_path), observe)
    return _notifiers(recorder, settings, None, observe)


def open_follower(
    recorder: LedgerRecorder,
    settings: Settings,
    *,
    observe: Callable[[Outcome], None] = lambda _: None,
) -> LogFollower:
    """The follower of the embedded store's log, for every channel the settings name.

    Raises
    ------
    BadSettings
        A setting can't be used.
    """
    assert settings.sqlite_path is not None, "only the embedded store has a log to follow"
    file = MarksFile(settings.sqlite_path)
    return LogFollower(recorder, _notifiers(recorder, settings, file, observe), file)


def channels_of(settings: Settings) -> list[Channel]:
    """The channels the settings name; the log alone if they name none.

    Raises
    ------
    BadSettings
        A setting can't be used.
    """
    channels: list[Channel] = list(_webhooks(settings))
    topic = settings.notify_sns_topic_arn
    if topic not in OFF:
        # Imported when it is asked for: boto3 takes longer than everything else.
        from projections.notifications.channels.sns import SNSChannel, make_client

        channels.append(SNSChannel(make_client(topic), topic))
    wanted = settings.notify_log
    if wanted is True or (wanted == "auto" and not channels):
        from projections.notifications.channels.log import LogChannel

        channels.append(LogChannel())
    return channels


def _notifiers(
    recorder: LedgerRecorder,
    settings: Settings,
    file: MarksFile | None,
    observe: Callable[[Outcome], None],
) -> list[Notifier]:
    return [
        Notifier(
            channel,
            _marks(recorder, settings, file, channel.name),
            History(recorder),
            max_age_seconds=settings.notify_max_age_seconds,
            observe=observe,
        )
        for channel in channels_of(settings)
    ]


def _marks(
    recorder: LedgerRecorder, settings: Settings, file: MarksFile | None, channel: str
) -> Marks:
    if file is not None:
        from projections.notifications.sqlite_marks import SQLiteMarks

        return SQLiteMarks(file, channel)
    from ledger.store.dynamodb import DynamoDBLedgerRecorder
    from projections.notifications.dynamodb_marks import DynamoDBMarks

    assert isinstance(recorder, DynamoDBLedgerRecorder), "the settings name a file or tables"
    assert settings.table_prefix is not None, "the settings name a file or tables"
    tables = recorder.tables
    return DynamoDBMarks(tables.client, settings.table_prefix, channel, leased=tables.leased)


def _webhooks(settings: Settings) -> Sequence[Channel]:
    entries = _entries(settings.notify_webhooks)
    if not entries:
        return ()
    from projections.notifications.channels.webhook import Manners, WebhookChannel

    manners = replace(Manners(), allow_loopback=settings.webhooks_allow_loopback)
    found: dict[str, Channel] = {}
    for number, entry in enumerate(entries, 1):
        secrets = (entry.secret,) if isinstance(entry.secret, str) else entry.secret
        try:
            channel = WebhookChannel(entry.url, secrets, entry.kinds, manners)
        except ValueError as error:
            raise _bad(f"entry {number}: {error}") from None
        if channel.name in found:
            raise _bad(f"entry {number} has the URL of another one; put their kinds together")
        found[channel.name] = channel
    return list(found.values())


def _entries(text: str) -> list[_Webhook]:
    adapter: TypeAdapter[list[_Webhook]] = TypeAdapter(
        list[_Webhook], config=ConfigDict(hide_input_in_errors=True)
    )
    try:
        return adapter.validate_json(text or "[]")
    except ValidationError as error:
        raise _bad(_first(error.errors(include_input=False, include_url=False))) from None


def _first(errors: Sequence[Any]) -> str:
    where = errors[0]["loc"]
    if not where:
        return str(errors[0]["msg"])
    path = ".".join(str(part) for part in where[1:])
    return f"entry {int(where[0]) + 1}{f', {path}' if path else ''}: {errors[0]['msg']}"


def _bad(why: str) -> BadSettings:
    return BadSettings(
        f"LEDGER_NOTIFY_WEBHOOKS can't be used: {why}. Write a JSON list such as "
        '[{"url": "https://example.com/hook", "secret": "whsec_...", "kinds": ["low_stock"]}]; '
        f"kinds (all if left out) are {', '.join(Kind)}."
    )
