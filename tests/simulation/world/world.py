"""One seed's world: the database, the processes, and how they come to rest."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, Final
from unittest.mock import patch

from ledger.service.clock import instant
from ledger.service.locks import StreamLocks
from ledger.store.tables import create_table_request, full_name, manifest
from projections.delivery.consumers import CONSUMERS
from projections.delivery.relay import RELAY
from projections.delivery.rules import rules
from projections.notifications.notification import Notification
from tests.simulation.dynamodb.client import FakeClient
from tests.simulation.dynamodb.storage import Database
from tests.simulation.engine.scheduler import Scheduler
from tests.simulation.engine.substitutes import moment, substituted
from tests.simulation.engine.weather import SimulatedWeather, drawn
from tests.simulation.world.bus import Bus, Pipe
from tests.simulation.world.processes import PREFIX, Process
from tests.simulation.world.queues import Queue, SqsClient
from tests.simulation.world.readers import reading
from tests.simulation.world.rebuilder import Operator
from tests.simulation.world.services import consuming, relaying, sweeping
from tests.simulation.world.splitter import Splitter
from tests.simulation.world.wishes import Taste
from tests.simulation.world.writers import Writer
from tests.support.histories import small_commits

REST_SECONDS: Final = 30.0
"""How long a world goes on after its clients are done: whatever is to expire soon does."""


class World:
    """Everything that one seed decides."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.scheduler = Scheduler(seed)
        self.chance: Random = self.scheduler.chance
        self.weather = SimulatedWeather(self.scheduler, drawn(self.chance))
        self.doubtful = self.weather.rates.doubtful
        """Whether a sender may not know that it has sent."""
        self.database = Database(lambda: self.scheduler.now)
        for name in manifest():
            FakeClient(self.database).create_table(**create_table_request(PREFIX, name))
        self.cache_size = self.chance.choice((0, 1_000, 1_000))
        self.large = self.chance.random() < 0.3
        """Whether commits are cut so small that most orders are large ones."""
        self.taste = Taste.drawn(self.chance)
        self.crowded = self.chance.random() < 0.3
        """Whether orders split positions, as they do where processes contend for them."""
        self.orders: list[str] = []
        """Orders that clients know of."""
        self.told: list[Notification] = []
        """Every notification that the channel took, in its order."""
        self.seen: list[tuple[str, Any]] = []
        """Rows that readers read, with their views' names."""
        self.swept_at = -1
        """How many events there were when a sweep last found nothing to do, at rest."""
        self.rests_since: float | None = None
        """When the clients were done."""
        self._ids = count()
        self._wire()

    def _wire(self) -> None:
        """Queues, bus and processes."""
        self.queues = {
            name: Queue(name, self.scheduler, self.weather) for name in (*CONSUMERS, RELAY)
        }
        self.sqs = SqsClient(self.queues, self.scheduler, self.weather)
        consumers = {name: self.queues[name] for name in CONSUMERS}
        self.bus = Bus(consumers, rules(), self.scheduler, self.weather)
        self._events = self.database.tables[full_name(PREFIX, "events")]
        self.pipe = Pipe(self._events, self.scheduler, self.weather)
        self.of_task: dict[str, Process] = {}
        self.writers = [
            Writer(f"writer{n}", self.chance, self.taste, self.chance.randint(4, 10))
            for n in range(self.chance.randint(2, 4))
        ]
        self._writing = [Process(self, writer.name, writer.body) for writer in self.writers]
        if self.chance.random() < 0.6:
            splitter = Splitter(self.chance, self.taste)
            self._writing.append(Process(self, "splitter", splitter.body))
        self._serving = [
            Process(self, RELAY, relaying),
            Process(self, "schedule", sweeping),
            Process(self, "reader", reading),
        ]
        self.rebuilding = Process(self, "operator", Operator(self.chance).body)
        for name in CONSUMERS:
            for n in range(self.chance.choice((1, 1, 2))):
                self._serving.append(Process(self, f"{name}-{n}", consuming(name)))

    @property
    def events_stored(self) -> int:
        """How many events there are."""
        return len(self._events.stream)

    def happened(self, what: str) -> None:
        """Count something."""
        self.scheduler.happened[what] += 1

    def split_into(self, _: str) -> int:
        """How many lanes an order is to split a position into; so small a world has no crowds."""
        if not self.crowded or self.chance.random() > 0.2:
            return 1
        self.happened("order to split")
        return self.chance.choice((2, 3))

    def new_id(self) -> str:
        """An id nobody has."""
        return f"00000000-0000-7000-8000-{next(self._ids):012d}"

    def clock(self) -> datetime:
        """The time, as whoever is running has it."""
        task = self.scheduler.current
        process = self.of_task.get(task.name) if task is not None else None
        return process.clock() if process is not None else moment(self.scheduler.now)

    @property
    def now(self) -> str:
        """The true time, as the ledger writes it."""
        return instant(moment(self.scheduler.now))

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """The product runs in this world, and keeps quiet about it."""
        before = logging.root.manager.disable
        with ExitStack() as stack:
            stack.callback(logging.disable, before)
            logging.disable(logging.CRITICAL)
            stack.enter_context(substituted(self.scheduler, self.clock))
            # Thousands of locks for every start of every process: time, and nothing else.
            stack.enter_context(patch.object(StreamLocks.__init__, "__defaults__", (1,)))
            if self.large:
                stack.enter_context(small_commits(positions=2, lines=3))
            yield

    def run(self) -> None:
        """Let everybody do what they want, then let it come to rest."""
        for process in (*self._writing, *self._serving, self.rebuilding):
            process.start()
        try:
            self.scheduler.run(lambda: all(process.done for process in self._writing))
            self.weather.calm()
            for process in self.of_task.values():
                process.right_clock()
            self.rests_since = self.scheduler.now + REST_SECONDS
            self.scheduler.run(self._at_rest)
        finally:
            self.scheduler.stop()

    def _at_rest(self) -> bool:
        """Whether nothing is under way and nothing is to be done; dead letters are sent again."""
        if not self.rebuilding.done:
            return False
        if not self.pipe.empty or not all(queue.empty for queue in self.queues.values()):
            return False
        if sum(queue.redrive() for queue in self.queues.values()):
            return False
        return self.swept_at == self.events_stored
