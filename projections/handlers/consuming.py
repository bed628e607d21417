"""What the consumers' functions share: batches of a queue in, those to come again out."""

from __future__ import annotations

from math import inf
from typing import Any

from ledger.bootstrap import open_ledger
from ledger.settings import Settings
from projections.delivery.consumer import Consumer
from projections.delivery.consumers import CONSUMERS, Parts
from projections.handlers.runtime import Handler, dead_letters, handler_of, metrics


class Invocation:
    """The invocation under way; a process of a function has one at a time."""

    def __init__(self) -> None:
        self.context: Any = None

    def seconds_left(self) -> float:
        """How long it may still take; without a context that says so, as long as it needs."""
        tell = getattr(self.context, "get_remaining_time_in_millis", None)
        return inf if tell is None else float(tell()) / 1000


def consuming(name: str) -> Handler:
    """The handler of a consumer's function: batches of its queue, and sweeps of a schedule."""
    invocation = Invocation()

    def make() -> Consumer:
        settings = Settings()
        letters = dead_letters(settings)
        parts = Parts(
            settings,
            open_ledger(settings),
            metrics,
            lambda _: letters,
            seconds_left=invocation.seconds_left,
        )
        return CONSUMERS[name](parts)

    handle = handler_of(name, make)

    def handler(event: Any, context: object) -> dict[str, Any]:
        invocation.context = context
        return handle(event, context)

    return handler
