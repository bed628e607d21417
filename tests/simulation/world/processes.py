"""Processes that share nothing but the tables: killed at any call, and started anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ledger.service import Ledger
from ledger.service.attempts import Retry
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from projections.store.dynamodb import DynamoDBViewStore
from tests.simulation.dynamodb.client import FakeClient
from tests.simulation.engine.scheduler import Crash
from tests.simulation.engine.substitutes import moment
from tests.simulation.world.wishes import CANDIDATES

if TYPE_CHECKING:
    from tests.simulation.world.world import World

PREFIX = "sim"
CLOCKS_APART_SECONDS = 3.0


class Process:
    """One process: its body runs in one task, with a client, a ledger and a clock of its own.

    `body` is called with the process whenever it starts; it ends when the body returns.
    """

    def __init__(self, world: World, name: str, body: Callable[[Process], None]) -> None:
        self.world = world
        self.name = name
        self._body = body
        self._off = 0.0
        self.starts = 0
        self.done = False

    def start(self) -> None:
        """Give it a task."""
        self._set_clock()
        self._task = self.world.scheduler.spawn(self.name, self._run)
        self.world.of_task[self.name] = self

    def clock(self) -> datetime:
        """What this process thinks the time is; now and then it is set anew."""
        if self.world.weather.strikes("clock"):
            self._set_clock()
        return moment(self.world.scheduler.now + self._off)

    def _set_clock(self) -> None:
        apart = CLOCKS_APART_SECONDS if self.world.weather.rates.clock else 0.0
        self._off = self.world.chance.uniform(-apart, apart)

    def right_clock(self) -> None:
        """Set the clock right for good."""
        self._off = 0.0

    def open_views(self) -> DynamoDBViewStore:
        """The view store of this start of the process."""
        return DynamoDBViewStore(self.client, PREFIX)  # type: ignore[arg-type]

    def _run(self) -> None:
        while not self.done:
            self.starts += 1
            self._build()
            self._task.mortal = True
            try:
                self._body(self)
                self.done = True
            except Crash:
                self._task.mortal = self._task.crashed = False
                self.world.scheduler.sleep(self.world.chance.uniform(0, 1))

    def _build(self) -> None:
        """Everything anew: what was remembered is lost."""
        world = self.world
        self.client = FakeClient(world.database, world.weather)
        self.tables = DynamoDBTables(self.client, PREFIX)  # type: ignore[arg-type]
        self.recorder = DynamoDBLedgerRecorder(self.tables, uuids=False)
        self.ledger = Ledger(
            self.recorder,
            locations=CANDIDATES,
            clock=self.clock,
            new_id=world.new_id,
            cache_size=world.cache_size,
            retry=Retry(attempts=6),
        )
        self.ledger._appender._sleep = world.scheduler.sleep
        vars(self.ledger._appender)["_split_into"] = world.split_into
