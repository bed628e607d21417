"""An operator who rebuilds a view while everything else goes on, however often it crashes."""

from __future__ import annotations

from random import Random
from typing import Any

from eventsourcing.persistence import PersistenceError

from projections.rebuild.rebuild import Rebuild
from projections.rebuild.state import Phase
from projections.rebuild.table_history import TableHistory
from projections.store.dynamodb import DynamoDBViewStore
from projections.views import OpenReservationsView, OrdersView, StockLevelsView, View
from tests.simulation.world.processes import PREFIX, Process


class Operator:
    """Rebuilds one view, perhaps gives it up on the way, perhaps goes back afterwards."""

    def __init__(self, chance: Random) -> None:
        self.view: View[Any] = chance.choice(
            (StockLevelsView(), OrdersView(), OpenReservationsView())
        )
        self._begins_at = chance.uniform(0, 8)
        self._abandons = chance.random() < 0.15
        self._goes_back = chance.random() < 0.2
        self._chance = chance

    def body(self, process: Process) -> None:
        """Rebuild, from wherever it was left."""
        scheduler = process.world.scheduler
        scheduler.sleep(self._begins_at - scheduler.now)
        while True:
            store = DynamoDBViewStore(process.client, PREFIX)  # type: ignore[arg-type]
            history = TableHistory(process.recorder, page_items=self._chance.choice((3, None)))
            try:
                if self._step(process, Rebuild(store, history, self.view)):
                    return
            except PersistenceError:
                scheduler.sleep(self._chance.uniform(0, 2))

    def _step(self, process: Process, rebuild: Rebuild) -> bool:
        """Everything that is left to do; answers whether that was all."""
        generations, known = rebuild.generations, rebuild.unfinished()
        if known is not None and known.phase is Phase.DROPPED:
            rebuild.abandon()
            return True
        if known is None and generations.newest > 1:
            if self._goes_back and generations.active > 1 and generations.kept:
                self._goes_back = False
                rebuild.rollback()
            return True
        process.world.happened("rebuild begun or gone on with")
        rebuild.begin(self._chance.choice((1, 3)))
        rebuild.settle()
        if self._abandons:
            self._abandons = False
            rebuild.abandon()
            return True
        rebuild.fill()
        rebuild.switch()
        process.world.happened("generation switched")
        return not self._goes_back
