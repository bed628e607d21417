"""Queues that deliver at least once, in any order, late, and not for ever (as SQS does)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.simulation.dynamodb.errors import no_answer, refused
from tests.simulation.engine.scheduler import Scheduler
from tests.simulation.engine.weather import SimulatedWeather

VISIBILITY_SECONDS: Final = 5.0
"""How long a message that was received is hidden from other receivers."""

LATE_SECONDS: Final = 8.0
"""How much later than others a late message comes at most."""

MAX_RECEIVES: Final = 5
"""Receipts after which the queue itself puts a message among the dead letters."""

POISON: Final = ("", "{", "null", '{"detail": 5}', '{"detail": {"subject": "stock:A@east"}}')
"""Bodies that nobody can read."""


@dataclass
class Message:
    """One message of a queue."""

    id: str
    body: str
    visible_at: float
    receives: int = 0


class Queue:
    """One consumer's queue, and its dead letters."""

    def __init__(self, name: str, scheduler: Scheduler, weather: SimulatedWeather) -> None:
        self.name = name
        self._scheduler = scheduler
        self._weather = weather
        self._chance = scheduler.chance
        self._messages: dict[str, Message] = {}
        self._sent = 0
        self.dead: list[str] = []
        """Bodies of dead letters, however they came to be such."""
        self.poisoned: list[str] = []
        """Bodies that nobody can read and that were put in."""

    @property
    def empty(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._messages

    def send(self, body: str) -> None:
        """Put a message in; it may be late, or there twice."""
        for _ in range(2 if self._weather.strikes("message_twice") else 1):
            delay = self._chance.random() * 0.1
            if self._weather.strikes("late"):
                delay = self._chance.random() * LATE_SECONDS
            self._sent += 1
            name = f"{self.name}-{self._sent}"
            self._messages[name] = Message(name, body, self._scheduler.now + delay)

    def poison(self) -> None:
        """Put something in that nobody can read."""
        self.poisoned.append(self._chance.choice(POISON))
        self.send(self.poisoned[-1])

    def receive(self, most: int) -> dict[str, Any]:
        """A batch as Lambda hands it over; its records may be none."""
        now = self._scheduler.now
        ready = [message for message in self._messages.values() if message.visible_at <= now]
        self._chance.shuffle(ready)
        records: list[dict[str, Any]] = []
        for message in ready:
            message.receives += 1
            if message.receives > MAX_RECEIVES:
                self._bury(message)
            elif len(records) < most:
                message.visible_at = now + VISIBILITY_SECONDS
                if self._weather.strikes("message_twice"):
                    message.visible_at = now  # somebody else receives it as well
                count = {"ApproximateReceiveCount": str(message.receives)}
                records.append({"messageId": message.id, "body": message.body, "attributes": count})
            else:
                message.receives -= 1
        return {"Records": records}

    def settle(self, batch: Mapping[str, Any], answer: Mapping[str, Any] | None) -> None:
        """Delete what was handled; None: the receiver failed as a whole."""
        if answer is None:
            return
        again = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for record in batch["Records"]:
            if record["messageId"] not in again:
                self._messages.pop(record["messageId"], None)

    def redrive(self) -> int:
        """Send the dead letters again, but for those nobody can read; answers how many."""
        again = [body for body in self.dead if body not in POISON]
        self.dead = [body for body in self.dead if body in POISON]
        for body in again:
            self.send(body)
        return len(again)

    def _bury(self, message: Message) -> None:
        self._scheduler.happened["buried by the queue"] += 1
        self._messages.pop(message.id, None)
        self.dead.append(message.body)


class SqsClient:
    """What a consumer has to put its dead letters away with; queue URLs are consumers' names."""

    def __init__(
        self, queues: Mapping[str, Queue], scheduler: Scheduler, weather: SimulatedWeather
    ) -> None:
        self._queues = queues
        self._scheduler = scheduler
        self._weather = weather

    def send_message(self, **request: Any) -> dict[str, Any]:
        """Put a dead letter away."""
        self._scheduler.pause("SendMessage")
        if self._weather.strikes("throttled"):
            raise refused("RequestThrottled", "SendMessage")
        self._queues[request["QueueUrl"]].dead.append(request["MessageBody"])
        self._scheduler.happened["dead letter"] += 1
        self._scheduler.pause("SendMessage answered")
        if self._weather.strikes("lost_after"):
            raise no_answer()
        return {}
