"""Webhooks as tests send them, and what a receiver makes of them."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

from projections.notifications.channels.webhook import Manners, WebhookChannel
from projections.notifications.notification import Kind, Notification
from tests.support.receivers import Request

KEYS = (bytes(range(32)), b"an older key of thirty-two bytes")
SECRETS = tuple("whsec_" + base64.b64encode(key).decode() for key in KEYS)
FACT = Notification(
    "05ea1add-c034-5074-895d-d218ea1b7a87",
    Kind.LOW_STOCK,
    "2026-11-22T09:39:56.123456Z",
    "stock:85123A@main",
    3,
    "01a202b7-55b7-7024-b8d6-c58ccd19bb7e",
    {"sku": "85123A", "customer": "Zoë “Q”"},
)
QUICK = Manners(attempt=0.5, budget=1.5, allow_loopback=True, sleep=lambda _: None)


def channel(
    url: str, manners: Manners = QUICK, secrets: Sequence[str] = SECRETS[:1]
) -> WebhookChannel:
    return WebhookChannel(url, secrets, manners=manners)


def verified(request: Request, key: bytes) -> bool:
    """What a receiver checks."""
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}."
    digest = hmac.digest(key, content.encode() + request.body, "sha256")
    expected = f"v1,{base64.b64encode(digest).decode()}"
    return expected in request.headers["webhook-signature"].split(" ")
