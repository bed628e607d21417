"""Which channels there are, and what is said of settings that can't be used."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import ValidationError

from ledger.settings import BadSettings, Settings
from projections.notifications.bootstrap import channels_of
from projections.notifications.channels.log import LogChannel
from projections.notifications.channels.webhook import WebhookChannel

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDhWq1CZ0vtP8="
HOOK = {"url": "https://example.com/hook", "secret": SECRET}


def names(**fields: object) -> list[str]:
    """What the channels are called, without what tells those of a kind apart."""
    channels = channels_of(Settings(_env_file=None, **fields))  # type: ignore[arg-type]
    return [channel.name.partition("-")[0] for channel in channels]


def test_without_settings_notifications_are_logged() -> None:
    (channel,) = channels_of(Settings(_env_file=None))
    assert isinstance(channel, LogChannel)


def test_each_receiver_is_a_channel_and_the_log_steps_back() -> None:
    hooks = json.dumps([HOOK, {**HOOK, "url": "https://example.org/", "kinds": ["low_stock"]}])
    assert names(notify_webhooks=hooks) == ["webhook", "webhook"]
    assert names(notify_webhooks=hooks, notify_log="true") == ["webhook", "webhook", "log"]
    assert names(notify_log=False) == []
    topic = "arn:aws:sns:eu-west-1:123456789012:stock.fifo"
    assert names(notify_sns_topic_arn=topic) == ["sns"]
    assert names(notify_sns_topic_arn="", notify_webhooks="") == ["log"]


def test_a_secret_may_be_a_list_while_it_is_replaced() -> None:
    hooks = json.dumps([{**HOOK, "secret": [SECRET, "k" * 24]}])
    (channel,) = channels_of(Settings(_env_file=None, notify_webhooks=hooks))
    assert isinstance(channel, WebhookChannel)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{", "Invalid JSON"),
        ("5", "valid array"),
        ('{"url": "https://example.com", "secret": "s3cret"}', "valid array"),
        ('["https://example.com"]', "entry 1:"),
        ('[{"url": "https://example.com"}]', "entry 1, secret"),
        ('[{"secret": "s3cret"}]', "entry 1, url"),
        ('[{"url": "https://example.com", "secret": "s3cret"}]', "entry 1: a secret has 6 bytes"),
        ('[{"url": "https://example.com", "secret": []}]', "entry 1: a webhook needs a secret"),
        (json.dumps([HOOK, {**HOOK, "url": "http://example.com"}]), "entry 2: .* https://"),
        (json.dumps([{**HOOK, "kinds": ["low"]}]), "entry 1, kinds.0"),
        (json.dumps([{**HOOK, "kind": "low_stock"}]), "entry 1, kind"),
        (json.dumps([HOOK, HOOK]), "entry 2 has the URL of another"),
    ],
)
def test_bad_webhooks_are_named_with_what_to_write_and_no_secret(value: str, why: str) -> None:
    with pytest.raises(BadSettings, match=why) as refused:
        channels_of(Settings(_env_file=None, notify_webhooks=value))
    said = str(refused.value)
    assert said.startswith("LEDGER_NOTIFY_WEBHOOKS can't be used")
    assert "Write a JSON list such as" in said
    assert SECRET not in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "value", ["on", "topic", "arn:aws:sqs:eu-west-1:123456789012:queue", "arn:aws:sns:x:1:t"]
)
def test_a_topic_that_is_none_is_said(value: str) -> None:
    with pytest.raises(ValidationError, match=re.escape("arn:aws:sns:REGION:ACCOUNT:NAME")):
        Settings(_env_file=None, notify_sns_topic_arn=value)


def test_the_settings_do_not_show_the_secrets() -> None:
    assert SECRET not in repr(Settings(_env_file=None, notify_webhooks=json.dumps([HOOK])))


def test_loopback_needs_its_setting() -> None:
    hooks = json.dumps([{**HOOK, "url": "http://127.0.0.1:8080/hook"}])
    with pytest.raises(BadSettings, match="https://"):
        names(notify_webhooks=hooks)
    assert names(notify_webhooks=hooks, webhooks_allow_loopback=True) == ["webhook"]
