"""The relay: records of the event table's stream become events on the bus."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from ledger.codec import CorruptEvent, Recorded
from ledger.service.clock import Clock, instant, utc_now
from projections.delivery.dead_letters import DeadLetter, DeadLetters, reason_of
from projections.delivery.envelopes import INSERT, StreamRecord, batch_json, read_batch
from projections.delivery.meters import Meter, Totals

log = logging.getLogger(__name__)

RELAY: Final = "relay"
"""What the relay is called among the consumers."""


class Publishes(Protocol):
    """Where events go."""

    def publish(self, events: Sequence[Recorded], *, replay: str | None = None) -> list[Recorded]:
        """Publish events; answers those that were not taken."""


class Relay:
    """Publishes inserted events. Stateless: a batch may come again, in part or as a whole.

    A record that holds no event of ours would come again until the stream forgets it, and keep
    its shard waiting. It is put away with the reason, and everything behind it goes on; without a
    place to put it, it is reported as failed, and the mapping's own bisection and on-failure
    destination deal with it.

    Events are inserted and nothing else ever happens to them. A record of another change is
    never published: it is an alarm (`EventTableMutated`).
    """

    def __init__(
        self,
        publisher: Publishes,
        dead_letters: DeadLetters | None = None,
        *,
        meter: Meter | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._publisher = publisher
        self._dead_letters = dead_letters
        self._meter = meter or Totals()
        self._clock = clock

    def handle(self, event: object) -> dict[str, Any]:
        """Publish a batch; answers what of it is to come again, in the terms of who sent it.

        Raises
        ------
        UnreadableBatch
            It is no batch of a DynamoDB stream.
        """
        batch = read_batch(event)
        failed: list[StreamRecord] = []
        found: list[tuple[StreamRecord, Recorded]] = []
        for record in batch.records:
            if record.change != INSERT:
                self._alarm(record)
            elif not record.of_another_purpose:
                try:
                    found.append((record, record.recorded()))
                except CorruptEvent as error:
                    if not self._reject(record, error):
                        failed.append(record)
        left = self._publisher.publish([recorded for _, recorded in found])
        refused = {(event.stream, event.version) for event in left}
        failed += [record for record, told in found if (told.stream, told.version) in refused]
        self._count("Published", len(found) - len(left))
        self._count("PublishFailed", len(left))
        return batch.answer(failed)

    def _alarm(self, record: StreamRecord) -> None:
        self._count("EventTableMutated", 1)
        log.error("%s of %s: history was changed", record.change, record.place)

    def _reject(self, record: StreamRecord, error: CorruptEvent) -> bool:
        """Put a record away that holds no event of ours; answers whether that was possible."""
        self._count("RelayRejected", 1)
        log.error("%s can't be published: %s", record.place, error)
        if self._dead_letters is None:
            return False
        failed_at = instant(self._clock())
        letter = DeadLetter(RELAY, batch_json([record.raw]), reason_of(error), failed_at)
        return attempted(self._dead_letters.put, letter)

    def _count(self, name: str, value: int) -> None:
        if value:
            self._meter.measure(name, value)


def attempted(put: Callable[[DeadLetter], None], letter: DeadLetter) -> bool:
    """Whether a dead letter could be put away; if not, its message must come again."""
    try:
        put(letter)
    except Exception:
        log.exception("a dead letter of %s could not be kept", letter.consumer)
        return False
    return True
