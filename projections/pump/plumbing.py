"""Relay, bus, queues and consumers of one process, without any thread."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from projections.delivery.consumer import Consumer
from projections.delivery.dead_letters import DeadLetters
from projections.delivery.envelopes import batch_json
from projections.delivery.meters import Meter
from projections.delivery.publisher import Publisher
from projections.delivery.relay import Relay
from projections.pump.bus import LocalBus
from projections.pump.queues import LocalQueue, sqs_event
from projections.pump.tickets import Ticket

log = logging.getLogger(__name__)


class Plumbing:
    """Takes records of the stream and brings them to the consumers, as AWS does.

    One thread relays; each queue is served by one thread at a time.
    """

    def __init__(
        self, consumers: Iterable[Consumer], relay_letters: DeadLetters | None, meter: Meter
    ) -> None:
        self.consumers = {consumer.name: consumer for consumer in consumers}
        self.queues = {name: LocalQueue(name) for name in self.consumers}
        self._bus = LocalBus(list(self.queues.values()))
        self._relay = Relay(Publisher(self._bus, "local"), relay_letters, meter=meter)

    def relay(self, records: Sequence[Mapping[str, Any]], ticket: Ticket) -> bool:
        """Publish records under a ticket; answers whether all of them were.

        Not all: all are to be relayed again. What comes twice does no harm.
        """
        return self.relay_json(batch_json(records), ticket)

    def relay_json(self, batch: str, ticket: Ticket) -> bool:
        """`relay` for records that are JSON already."""
        with self._bus.under(ticket):
            answer = self._relay.handle(json.loads(batch))
        return not answer["batchItemFailures"]

    def serve(self, name: str, wait: float = 0.0) -> bool:
        """Hand a batch of a queue to its consumer; answers whether there was one."""
        queue = self.queues[name]
        messages = queue.receive(wait)
        if not messages:
            return False
        try:
            answer = self.consumers[name](sqs_event(messages, name))
        except Exception:
            log.exception("%s failed with %s messages", name, len(messages))
            queue.settle(messages, {message.id for message in messages})
            return True
        failures = answer["batchItemFailures"]
        queue.settle(messages, {failure["itemIdentifier"] for failure in failures})
        return True

    def sweep(self) -> None:
        """Have swept what sweeps. A failure is logged; the next sweep comes."""
        for consumer in self.consumers.values():
            if consumer.sweeps:
                try:
                    consumer({"sweep": True})
                except Exception:
                    log.exception("%s could not sweep", consumer.name)

    @property
    def waiting(self) -> int:
        """Messages that are in the queues or under way."""
        return sum(len(queue) for queue in self.queues.values())
