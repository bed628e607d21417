"""From the event table's stream to the queues: a pipe, and a bus that refuses now and then."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from projections.delivery.rules import Pattern, matches
from tests.simulation.dynamodb.errors import no_answer, refused
from tests.simulation.dynamodb.storage import Table, Write
from tests.simulation.engine.scheduler import Scheduler
from tests.simulation.engine.weather import SimulatedWeather
from tests.simulation.world.queues import LATE_SECONDS, Queue

BATCH: Final = 12


class Pipe:
    """Takes records from the table's stream to the relay: at least once, late, in any order.

    Every event is an item of its own, and a stream keeps order within an item only.
    """

    def __init__(self, table: Table, scheduler: Scheduler, weather: SimulatedWeather) -> None:
        self._table = table
        self._scheduler = scheduler
        self._weather = weather
        self._chance = scheduler.chance
        self._taken = 0
        self._waiting: list[tuple[float, dict[str, Any]]] = []
        self._under_way: list[dict[str, Any]] = []
        self._of_a_pipe = self._chance.random() < 0.5
        self._batch = self._chance.choice((1, 3, BATCH))

    @property
    def empty(self) -> bool:
        """Whether everything was published."""
        return self._taken == len(self._table.stream) and not self._waiting and not self._under_way

    def receive(self) -> Any:
        """A batch in one of the two shapes there are; None if there is none."""
        self._take_over()
        now = self._scheduler.now
        ready = [pair for pair in self._waiting if pair[0] <= now]
        self._chance.shuffle(ready)
        batch = ready[: self._chance.randint(1, self._batch)]
        if not batch:
            return None
        self._waiting = [pair for pair in self._waiting if pair not in batch]
        self._under_way = [record for _, record in batch]
        return self._under_way if self._of_a_pipe else {"Records": self._under_way}

    def settle(self, answer: Mapping[str, Any] | None) -> None:
        """Forget what was published; what failed comes again, with all that came after it."""
        records, self._under_way = self._under_way, []
        first = 0
        if answer is not None:
            failures = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            first = next(
                (n for n, r in enumerate(records) if failures & {r["eventID"], _number(r)}),
                len(records),
            )
        for record in records[first:]:
            self._waiting.append((self._scheduler.now + self._chance.random(), record))

    def _take_over(self) -> None:
        for number in range(self._taken, len(self._table.stream)):
            record = _record(self._table, self._table.stream[number], number)
            for _ in range(2 if self._weather.strikes("record_twice") else 1):
                delay = 0.1 * self._chance.random()
                if self._weather.strikes("late"):
                    delay = LATE_SECONDS * self._chance.random()
                self._waiting.append((self._scheduler.now + delay, record))
        self._taken = len(self._table.stream)


class Bus:
    """A client of EventBridge, and the bus behind it."""

    def __init__(
        self,
        queues: Mapping[str, Queue],
        rules: Mapping[str, Pattern],
        scheduler: Scheduler,
        weather: SimulatedWeather,
    ) -> None:
        self._queues = queues
        self._rules = rules
        self._scheduler = scheduler
        self._weather = weather

    def put_events(self, *, Entries: Sequence[Any]) -> dict[str, Any]:  # noqa: N803
        """Take entries, each for itself."""
        self._scheduler.pause("PutEvents")
        if self._weather.strikes("bus_call"):
            raise refused("ThrottlingException", "PutEvents")
        results = []
        for entry in Entries:
            if self._weather.strikes("bus_entry"):
                results.append({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"})
            else:
                results.append({"EventId": "e"})
                self._deliver(entry)
        self._scheduler.pause("PutEvents answered")
        if self._weather.strikes("lost_after"):
            raise no_answer()
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def _deliver(self, entry: Mapping[str, Any]) -> None:
        event = {
            "version": "0",
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "detail": json.loads(entry["Detail"]),
        }
        body = json.dumps(event)
        for name, queue in self._queues.items():
            if name not in self._rules or matches(self._rules[name], event):
                queue.send(body)


def _record(table: Table, write: Write, number: int) -> dict[str, Any]:
    """A record as Lambda and Pipes carry it: JSON, its bytes in base64."""
    assert write.new is not None, "history is append only"
    return {
        "eventID": f"event-{number}",
        "eventName": "INSERT" if write.old is None else "MODIFY",
        "dynamodb": {
            "SequenceNumber": f"{number:021}",
            "Keys": _json(table.keys.pick(write.new)),
            "NewImage": _json(write.new),
        },
    }


def _json(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else dict(value)
        for name, value in item.items()
    }


def _number(record: Mapping[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
