"""The services behind the queues, put together as the handlers do: each start builds them anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from eventsourcing.persistence import PersistenceError

from ledger.settings import Settings
from projections.delivery.consumer import Consumer
from projections.delivery.consumers import CONSUMERS, Parts
from projections.delivery.dead_letters import SqsDeadLetters
from projections.delivery.meters import Totals
from projections.delivery.publisher import Publisher
from projections.delivery.relay import RELAY, Relay
from projections.notifications.channels.base import Unavailable
from projections.notifications.dynamodb_marks import DynamoDBMarks
from projections.notifications.notification import Kind, Notification
from projections.notifications.notifier import Notifier
from tests.simulation.judge.findings import LawBroken
from tests.simulation.world.processes import PREFIX, Process

SETTINGS: Final = Settings(store=f"dynamodb:{PREFIX}")
SWEEP_SECONDS: Final = 4.0
ALONE: Final = "a message that can't be handled fails alone"


def idle(process: Process, *, longest: float) -> None:
    """Wait a moment for work."""
    process.world.scheduler.sleep(process.world.chance.uniform(0.1, longest))


def relaying(process: Process) -> None:
    """The relay."""
    world = process.world
    publisher = Publisher(world.bus, "bus", budget=2.0)
    relay = Relay(publisher, _letters(process, RELAY), clock=process.clock)
    world.pipe.settle(None)
    while True:
        batch = world.pipe.receive()
        if batch is None:
            idle(process, longest=1.5)
        else:
            world.pipe.settle(relay.handle(json.loads(json.dumps(batch))))


def consuming(name: str) -> Callable[[Process], None]:
    """The consumer of the queue of that name."""

    def body(process: Process) -> None:
        world, queue = process.world, process.world.queues[name]
        consumer = _made(name, process)
        while True:
            if world.weather.strikes("poison"):
                queue.poison()
            batch = queue.receive(world.chance.choice((1, 3, 10)))
            if not batch["Records"]:
                idle(process, longest=3.0 if queue.empty else 1.2)
            else:
                queue.settle(batch, _answered(consumer, batch))

    return body


def _answered(consumer: Consumer, batch: dict[str, Any]) -> dict[str, Any]:
    try:
        return consumer(batch)
    except Exception as error:
        raise LawBroken(ALONE, f"{consumer.name} fails on a whole batch: {error!r}") from error


def sweeping(process: Process) -> None:
    """The schedule of the order processor: it sweeps, and tells the world what that came to."""
    world = process.world
    sweep = _made("order_processor", process)
    while True:
        before, since = world.events_stored, world.scheduler.now
        try:
            sweep({"sweep": True})
        except PersistenceError:
            before = -1  # the invocation failed: the schedule asks again
        at_rest = world.rests_since is not None and since >= world.rests_since
        if at_rest and world.events_stored == before:
            world.swept_at = before
        world.scheduler.sleep(SWEEP_SECONDS)


def _made(name: str, process: Process) -> Consumer:
    parts = Parts(
        SETTINGS, process.ledger, lambda _: Totals(), lambda n: _letters(process, n), process.clock
    )
    if name == "notifications":
        return parts.consumer(name, _notifier(process).handle, takes_replays=False)
    return CONSUMERS[name](parts)


def _letters(process: Process, name: str) -> SqsDeadLetters:
    return SqsDeadLetters(process.world.sqs, name)  # type: ignore[arg-type]


class RecordingChannel:
    """Somebody who wants to know everything, and can't always be reached."""

    name = "recording"

    def __init__(self, process: Process) -> None:
        self._process = process

    def wants(self, kind: Kind) -> bool:  # noqa: ARG002 - all of them
        return True

    def send(self, notification: Notification) -> None:
        """Take one; the answer may be lost."""
        world = self._process.world
        world.scheduler.pause("send")
        if world.weather.strikes("channel"):
            raise Unavailable("nobody answers")
        world.told.append(notification)
        world.scheduler.pause("sent")
        if world.weather.strikes("channel"):
            raise Unavailable("the answer was lost")


def _notifier(process: Process) -> Notifier:
    channel = RecordingChannel(process)
    marks = DynamoDBMarks(process.client, PREFIX, channel.name)  # type: ignore[arg-type]
    return Notifier(channel, marks, process.ledger.history, clock=process.clock)
