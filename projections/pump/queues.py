"""A queue in memory with the ways of SQS: at least once, receipts counted, redelivery."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from pydantic_core import from_json, to_json

from projections.pump.tickets import Ticket

BATCH: Final = 10
"""Messages handed over at a time: the most SQS hands to a function without a window."""

BACKOFF_BASE_SECONDS: Final = 0.2
BACKOFF_CAP_SECONDS: Final = 5.0


@dataclass(slots=True)
class Message:
    """A message, the batch of the stream it came of, and how often it was received."""

    id: str
    body: str
    ticket: Ticket
    receives: int = 0


class LocalQueue:
    """One consumer's messages. What fails comes again after a pause that grows.

    In memory: what is not settled when the process ends comes again from the stream.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.name = name
        self._clock = clock
        self._jitter = jitter
        self._ready: deque[Message] = deque()
        self._later: list[tuple[float, int, Message]] = []
        self._held = 0
        self._numbers = count(1)
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """Messages that are not settled, those under way included."""
        with self._changed:
            return len(self._ready) + len(self._later) + self._held

    def send(self, body: str, ticket: Ticket) -> None:
        """Add a message; its ticket is settled when the message is."""
        ticket.add()
        with self._changed:
            self._ready.append(Message(f"{self.name}-{next(self._numbers)}", body, ticket))
            self._changed.notify()

    def receive(self, wait: float = 0.0) -> list[Message]:
        """Some messages that are due, after at most `wait` seconds; to be settled by the caller."""
        deadline = self._clock() + wait
        with self._changed:
            while not self._due():
                left = min([deadline, *(at for at, _, _ in self._later[:1])]) - self._clock()
                if self._clock() >= deadline:
                    return []
                self._changed.wait(max(left, 0.001))
            messages = [self._ready.popleft() for _ in range(min(BATCH, len(self._ready)))]
            self._held += len(messages)
        for message in messages:
            message.receives += 1
        return messages

    def settle(self, messages: Sequence[Message], failed: Collection[str]) -> None:
        """Forget received messages, except those of the failed ids: they come again."""
        with self._changed:
            self._held -= len(messages)
            for message in messages:
                if message.id in failed:
                    at = self._clock() + self._pause(message.receives)
                    heapq.heappush(self._later, (at, next(self._numbers), message))
                else:
                    message.ticket.settle()
            self._changed.notify()

    def wake(self) -> None:
        """Let who waits for messages look around."""
        with self._changed:
            self._changed.notify_all()

    def _due(self) -> bool:
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            self._ready.append(heapq.heappop(self._later)[2])
        return bool(self._ready)

    def _pause(self, receives: int) -> float:
        longest = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** min(receives, 10))
        return self._jitter(longest / 2, longest)


def sqs_event(messages: Sequence[Message], queue: str) -> dict[str, Any]:
    """The messages as a function gets them from SQS, through JSON and back."""
    records = [
        {
            "messageId": message.id,
            "receiptHandle": f"{message.id}/{message.receives}",
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.receives)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:local:000000000000:{queue}",
            "awsRegion": "local",
        }
        for message in messages
    ]
    event: dict[str, Any] = from_json(to_json({"Records": records}))
    return event
