"""Events to be sequenced, and how tests talk about their positions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ConnectionClosedError
from eventsourcing.persistence import Notification, StoredEvent

PATIENCE = 20.0
"""Seconds within which another process's events must be seen."""


def events(stream: str, *versions: int, topic: str = "T") -> list[StoredEvent]:
    return [StoredEvent(stream, v, topic, f"{stream}{v}".encode()) for v in versions]


def told(notifications: Any) -> list[tuple[int, str, int]]:
    return [(n.id, n.originator_id, n.originator_version) for n in notifications]


def ids(notifications: Sequence[Notification]) -> list[int]:
    return [n.id for n in notifications]


def sooner_or_later(see: Callable[[], object], expected: object) -> None:
    until = time.monotonic() + PATIENCE
    while (seen := see()) != expected:
        assert time.monotonic() < until, f"{seen} is not {expected}"
        time.sleep(0.02)


def refuse(**_: Any) -> None:
    raise ConnectionClosedError(endpoint_url="nowhere")
