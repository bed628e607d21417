"""Whatever lanes its positions are in, the ledger answers what the model of whole positions answers.

The ledger's own machine, with operators who split and mend positions at any moment: between the
reads of a command and its commit too. After every commit the laws are judged, those of lanes
among them: what one lane escrows another has, nothing free is on a closed lane, and nobody waits
while several lanes are open.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from ledger.service import AdjustStock, Command, PlaceOrder, SetLanes
from ledger.store.base import LedgerRecorder
from ledger.store.sqlite import open_recorder
from tests.property.test_ledger_machine import (
    CACHE_SIZES,
    LedgerMachine,
    losses,
    processes,
    recent,
)
from tests.support.laned_trial import LanedTrial
from tests.support.lost_answers import Loss
from tests.support.stale_reads import StaleRecorder
from tests.support.trial import Trial
from tests.support.wishes import (
    CANDIDATES,
    LOCATIONS,
    SKUS,
    adjusting,
    locations,
    placing,
    receiving,
    skus,
    stocking,
)

counts = st.sampled_from((1, 2, 3, 5))
splitting = st.builds(SetLanes, skus, locations, counts)


class LanedMachine(LedgerMachine):
    """Clients, processes, clocks, lost answers, and operators who can't decide."""

    trial: LanedTrial

    def open_trial(self) -> Trial:
        return LanedTrial(self.recorder, CANDIDATES, CACHE_SIZES)

    @initialize(count=counts, goods=stocking, more=stocking)
    def split_first(self, count: int, goods: Command, more: Command) -> None:
        """Everything is split, and then there are goods enough for lanes to stay apart."""
        for sku in SKUS:
            for location in LOCATIONS[:2]:
                self.trial.split(SetLanes(sku, location, count), 0)
        for n, wish in enumerate((goods, more, goods)):
            self.trial.perform(self.trial.address(wish, 0, None, None), n)

    @rule(command=splitting, by=processes, lost=losses)
    def split(self, command: SetLanes, by: int, lost: list[Loss]) -> None:
        """A position is split, or mended."""
        self.trial.faults.losses = list(lost)
        self.trial.split(command, by)

    @rule(wish=placing | adjusting, command=splitting, by=processes, ahead=st.integers(1, 2))
    def split_meanwhile(self, wish: Command, command: SetLanes, by: int, ahead: int) -> None:
        """A position is split just before a command is appended that was decided without that."""
        assert isinstance(wish, PlaceOrder | AdjustStock)
        trial, other = self.trial, (by + ahead) % len(CACHE_SIZES)
        sent = trial.address(wish, 0, None, None)
        trial.faults.overtake = lambda: trial.split(command, other)
        trial.perform(sent, by)

    @rule(wish=receiving, by=processes)
    def receive_much(self, wish: Command, by: int) -> None:
        """So much comes in that gathered lanes are worth splitting again."""
        for _ in range(3):
            self.trial.perform(self.trial.address(wish, 0, None, None), by)

    @rule(wish=placing, by=processes, back=recent)
    def trade_more(self, wish: Command, by: int, back: int) -> None:
        """An order, and another process the next."""
        self.trial.perform(self.trial.address(wish, back, None, None), by)


class StaleLanedMachine(LanedMachine):
    """On a file whose weak reads answer from the past."""

    def open_store(self, folder: Path) -> LedgerRecorder:
        return StaleRecorder(open_recorder(folder / "ledger.db"))


TestLanedMachine = LanedMachine.TestCase
TestLanedMachine.settings = settings(max_examples=2 * settings().max_examples)
TestWithStaleReads = StaleLanedMachine.TestCase
TestWithStaleReads.settings = settings(max_examples=settings().max_examples)
