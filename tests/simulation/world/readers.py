"""Somebody who reads what the API reads, and remembers it for the judge."""

from __future__ import annotations

from typing import Any

from eventsourcing.persistence import PersistenceError

from projections.generations import Registry
from projections.store.dynamodb import DynamoDBViewStore
from projections.views import OrdersView, StockLevelsView, View
from tests.simulation.judge.findings import insist
from tests.simulation.world.processes import PREFIX, Process
from tests.simulation.world.wishes import LOCATIONS, NAMED, SKUS

MONOTONIC = "a row never goes back to an older version"


def reading(process: Process) -> None:
    """Look at rows of the active generations, again and again."""
    world = process.world
    store = DynamoDBViewStore(process.client, PREFIX)  # type: ignore[arg-type]
    registry = Registry(store)
    newest: dict[tuple[str, tuple[str, ...]], int] = {}
    while True:
        world.scheduler.sleep(world.chance.uniform(0.5, 2.0))
        try:
            looked_at: tuple[tuple[View[Any], tuple[str, ...]], ...] = (
                (StockLevelsView(), (world.chance.choice(SKUS), world.chance.choice(LOCATIONS))),
                (OrdersView(), (world.chance.choice((*world.orders, *NAMED)),)),
            )
            for view, key in looked_at:
                active = registry.active(view)
                row = store.load(active, [key]).get(key)
                version = 0 if row is None else row.version
                before = newest.get((active.name, key), 0)
                insist(version >= before, MONOTONIC, f"{active.name} {key}: {before}, {version}")
                newest[active.name, key] = version
                if row is not None:
                    world.seen.append((active.name, row))
        except PersistenceError:
            continue
