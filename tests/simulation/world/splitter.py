"""An operator who splits positions into lanes and mends them, whatever else is going on."""

from __future__ import annotations

from random import Random

from eventsourcing.persistence import PersistenceError

from ledger.service import Context, SetLanes
from tests.simulation.world.processes import Process
from tests.simulation.world.wishes import LOCATIONS, SKUS, Taste


class Splitter:
    """Splits what clients want, more often than anybody would."""

    def __init__(self, chance: Random, taste: Taste) -> None:
        self._chance = chance
        self._taste = taste
        self._left = chance.randint(2, 6)

    def body(self, process: Process) -> None:
        """Split something, wait, and split something again; who is too busy is left in peace."""
        chance = self._chance
        while self._left:
            self._left -= 1
            sku = chance.choice(SKUS[: self._taste.skus])
            location = chance.choice(LOCATIONS[: self._taste.locations])
            command = SetLanes(sku, location, chance.choice((1, 2, 2, 3)))
            try:
                outcome = process.ledger.handle(command, Context("operator"))
            except PersistenceError:
                process.world.happened("split in vain")
            else:
                process.world.happened("split" if outcome.events else "split already")
            process.world.scheduler.sleep(chance.expovariate(0.5))
