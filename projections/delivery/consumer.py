"""A consumer: takes batches of its queue and answers which messages are to come again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from ledger.codec import Recorded
from ledger.service.clock import Clock, instant, parse_instant, utc_now
from projections.delivery.dead_letters import DeadLetter, DeadLetters, reason_of
from projections.delivery.details import Fetch, UnreadableDetail, recorded_of
from projections.delivery.meters import Meter, Totals
from projections.delivery.relay import attempted
from projections.failures import passes

log = logging.getLogger(__name__)

MAX_RECEIVES: Final = 5

Handle = Callable[[Sequence[Recorded]], Mapping[str, Exception]]
"""Handles events of any streams in any order; answers the streams that failed, and why."""


@dataclass(slots=True)
class _Message:
    """A message of the queue. It holds an event, or why it can't be read."""

    id: str
    body: str
    receives: int
    event: Recorded | None = None
    replay: bool = False
    error: Exception | None = None


class Consumer:
    """Hands the events of a queue's batches to somebody, and keeps account of the messages.

    Messages come at least once and in any order, several of one stream together. The messages of
    a stream that fails come again, and no others; one that can't be read fails alone. What fails
    at its last receipt becomes a dead letter with the reason, and is acknowledged. A failure that
    passes (see `projections.failures`) is no reason: its messages come again as often as it takes.

    Parameters
    ----------
    name
        What the consumer is called in metrics, logs and dead letters.
    fetch
        Reads an event whose data was too large to travel.
    dead_letters
        Where messages go that failed at their last receipt. Without it, or when it fails, they
        are left to the queue's own redrive policy.
    max_receives
        The receipt of a message that is its last.
    takes_replays
        Whether history that is published again is handled; else it is acknowledged unseen.
    sweep
        Does what no message tells of any more. A schedule asks for it: `{"sweep": true}`.
    """

    def __init__(
        self,
        name: str,
        handle: Handle,
        fetch: Fetch,
        dead_letters: DeadLetters | None = None,
        *,
        max_receives: int = MAX_RECEIVES,
        takes_replays: bool = True,
        sweep: Callable[[], object] | None = None,
        meter: Meter | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.name = name
        self._handle = handle
        self._fetch = fetch
        self._dead_letters = dead_letters
        self._max_receives = max_receives
        self._takes_replays = takes_replays
        self._sweep = sweep
        self._meter = meter or Totals()
        self._clock = clock

    @property
    def sweeps(self) -> bool:
        """Whether it is to be asked to sweep now and then."""
        return self._sweep is not None

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle a batch of SQS, or sweep; answers the messages that are to come again."""
        if event.get("sweep") and self._sweep is not None:
            self._sweep()
            return {"batchItemFailures": []}
        return self._handle_batch(event["Records"])

    def _handle_batch(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        messages = [self._read(record) for record in records]
        wanted = [m for m in messages if m.event is not None and self._wants(m)]
        self._count("Skipped", sum(m.event is not None for m in messages) - len(wanted))
        if wanted:
            self._hand_over(wanted)
        failed = [message for message in messages if message.error is not None]
        again = [message for message in failed if not self._given_up(message)]
        self._count("Failed", len(failed))
        self._count("DeadLettered", len(failed) - len(again))
        self._measure_lag([m for m in wanted if m.error is None and not m.replay])
        return {"batchItemFailures": [{"itemIdentifier": message.id} for message in again]}

    def _read(self, record: Mapping[str, Any]) -> _Message:
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        message = _Message(record["messageId"], record["body"], receives)
        try:
            detail = _detail(message.body)
            message.replay = "replay" in detail
            message.event = recorded_of(detail, self._fetch)
        except Exception as error:
            message.error = error
        return message

    def _wants(self, message: _Message) -> bool:
        return self._takes_replays or not message.replay

    def _hand_over(self, messages: Sequence[_Message]) -> None:
        """Have the events handled; note the failure of a stream on each of its messages."""
        events = [message.event for message in messages if message.event is not None]
        try:
            failed = self._handle(events)
        except Exception as error:
            failed = dict.fromkeys((event.stream for event in events), error)
        for message, event in zip(messages, events, strict=True):
            message.error = failed.get(event.stream)
            if message.error is None:
                about = {"correlation_id": event.command, "event_type": event.type}
                log.info("%s: %s version %s", self.name, event.stream, event.version, extra=about)

    def _given_up(self, message: _Message) -> bool:
        """Whether a message that failed was put away, so that it need not come again."""
        error = message.error
        assert error is not None, "only failed messages are given up"
        last = message.receives >= self._max_receives and not passes(error)
        about = {"correlation_id": message.event.command} if message.event else {}
        log.warning(
            "%s failed on %s (receipt %s): %s",
            self.name,
            f"{message.event.stream} version {message.event.version}"
            if message.event
            else f"message {message.id}",
            message.receives,
            reason_of(error),
            extra=about,
            exc_info=error if last else None,
        )
        if not last or self._dead_letters is None:
            return False
        failed_at = instant(self._clock())
        letter = DeadLetter(self.name, message.body, reason_of(error), failed_at)
        return attempted(self._dead_letters.put, letter)

    def _measure_lag(self, handled: Sequence[_Message]) -> None:
        """How old the newest event of a stream is now that it is handled; the oldest of them."""
        newest: dict[str, str] = {}
        for message in handled:
            if message.event is not None:
                stream = message.event.stream
                newest[stream] = max(message.event.at, newest.get(stream, ""))
        if newest:
            lag = (self._clock() - parse_instant(min(newest.values()))).total_seconds() * 1000
            self._meter.measure("ProjectionLagMs", max(0.0, lag), "Milliseconds")

    def _count(self, name: str, value: int) -> None:
        if value:
            self._meter.measure(name, value)


def _detail(body: str) -> Mapping[str, Any]:
    event = from_json(body)
    detail = event.get("detail") if isinstance(event, dict) else None
    if not isinstance(detail, dict):
        raise UnreadableDetail("the message is no event of a bus: it has no detail")
    return detail
