"""The time a function's invocation has left, as its consumer learns it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from projections.delivery.consumer import Consumer
from projections.delivery.consumers import Parts
from projections.handlers import consuming
from tests.support.functions import functions_forgotten


class Context:
    """What Lambda hands to a handler."""

    def __init__(self, left: int) -> None:
        self.left = left

    def get_remaining_time_in_millis(self) -> int:
        return self.left


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    with functions_forgotten():
        yield


def test_a_sweep_knows_how_long_its_invocation_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    def make(parts: Parts) -> Consumer:
        return parts.consumer(
            "sweeper", lambda _: {}, sweep=lambda: left.append(parts.seconds_left())
        )

    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-4")
    monkeypatch.setenv("LEDGER_STORE", "dynamodb:test")
    monkeypatch.setenv("LEDGER_DEAD_LETTER_QUEUE_URL", "off")
    monkeypatch.setattr(consuming, "CONSUMERS", {"sweeper": make})
    handler = consuming.consuming("sweeper")
    for context in (Context(20_000), Context(1_500), None, object()):
        assert handler({"sweep": True}, context) == {"batchItemFailures": []}
    assert left == [20.0, 1.5, math.inf, math.inf]
