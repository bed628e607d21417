"""What the functions share: they are put together at the first call, and kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ledger.loading import loading
from ledger.observability import EmbeddedMetrics, log_as_json
from ledger.settings import Settings
from projections.delivery.dead_letters import DeadLetters, SqsDeadLetters

Handle = Callable[[Any], dict[str, Any]]
Handler = Callable[[Any, object], dict[str, Any]]


def handler_of(name: str, make: Callable[[], Handle]) -> Handler:
    """The handler of a function; `make` puts together what handles its events.

    Metrics are written at the end of every invocation, also of one that fails.
    """

    @cache
    def made() -> Handle:
        with loading():
            log_as_json(name)
            return make()

    def handler(event: Any, _context: object) -> dict[str, Any]:
        try:
            return made()(event)
        finally:
            metrics(name).flush()

    return handler


@cache
def metrics(name: str) -> EmbeddedMetrics:
    """The metrics of a function."""
    return EmbeddedMetrics(name)


def dead_letters(settings: Settings) -> DeadLetters | None:
    """The dead-letter queue of this function, if it has one."""
    if settings.dead_letter_queue_url == "off":
        return None
    from projections.delivery.clients import make_sqs_client

    return SqsDeadLetters(make_sqs_client(), settings.dead_letter_queue_url)
