"""Whatever lanes its positions are in, the ledger answers what a model of whole positions answers.

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

from ledger.domain.values import OrderPolicy
from ledger.service import (
    AdjustmentLine,
    AdjustStock,
    CancelOrder,
    Command,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    SetLanes,
)
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
from tests.support.wishes import CANDIDATES, ORDERS

HOT = ("A", CANDIDATES[0])
"""The position that everybody wants; what it lacks may come from another, in lanes as well."""

counts = st.sampled_from((1, 2, 2, 3, 4))
places = st.sampled_from((CANDIDATES[0], CANDIDATES[0], CANDIDATES[0], CANDIDATES[1]))
splitting = st.builds(SetLanes, st.just("A"), places, counts)
units = st.sampled_from((1, 1, 2, 3, 5, 8))
ordering = st.builds(
    PlaceOrder,
    st.lists(
        st.builds(OrderRequestLine, st.just("A"), units, st.sampled_from((*HOT[1:], None))),
        min_size=1,
        max_size=2,
    ).map(tuple),
    st.none() | st.sampled_from(ORDERS),
    policy=st.sampled_from(OrderPolicy),
)
restocking = st.builds(
    ReceiveStock,
    st.builds(ReceiptLine, st.just("A"), places, st.integers(2, 15)).map(lambda line: (line,)),
)
correcting = st.builds(
    AdjustStock,
    st.lists(
        st.builds(AdjustmentLine, st.just("A"), places, st.integers(-9, 2), st.just("counted")),
        min_size=1,
        max_size=2,
    ).map(tuple),
)
giving_back = st.builds(
    CancelOrder, st.just(""), st.none() | st.lists(st.integers(1, 2), max_size=2).map(tuple)
)
hot = st.one_of(ordering, ordering, giving_back, correcting, restocking)


class LanedMachine(LedgerMachine):
    """Clients, processes, clocks, lost answers, and operators who can't decide."""

    trial: LanedTrial

    def open_trial(self) -> Trial:
        return LanedTrial(self.recorder, CANDIDATES, CACHE_SIZES)

    @initialize(first=counts, second=counts, goods=st.integers(4, 20), more=st.integers(0, 9))
    def split_first(self, first: int, second: int, goods: int, more: int) -> None:
        """Lanes, and goods enough for them to stay apart, or not."""
        for count, location in zip((first, second), CANDIDATES, strict=True):
            self.trial.split(SetLanes("A", location, count), 0)
        for n, at in ((goods, CANDIDATES[0]), (more, CANDIDATES[1])):
            if n:
                wish = ReceiveStock((ReceiptLine("A", at, n),))
                self.trial.perform(self.trial.address(wish, 0, None, None), 0)

    @rule(wishes=st.lists(hot, min_size=1, max_size=5), by=processes, back=recent)
    def rush(self, wishes: list[Command], by: int, back: int) -> None:
        """Several want the hot position, each through another process."""
        for n, wish in enumerate(wishes):
            sent = self.trial.address(wish, back, None, None)
            self.trial.perform(sent, (by + n) % len(CACHE_SIZES))

    @rule(wish=hot, inner=hot, back=recent, by=processes, ahead=st.integers(1, 2))
    def rush_at_once(self, wish: Command, inner: Command, back: int, by: int, ahead: int) -> None:
        """One is decided, and another one is appended first: on the same lane, or on another."""
        self.overtake(wish, inner, back, by, ahead)

    @rule(command=splitting, by=processes, lost=losses)
    def split(self, command: SetLanes, by: int, lost: list[Loss]) -> None:
        """A position is split, or mended."""
        self.trial.faults.losses = list(lost)
        self.trial.split(command, by)

    @rule(wish=hot, command=splitting, back=recent, by=processes, ahead=st.integers(1, 2))
    def split_meanwhile(
        self, wish: Command, command: SetLanes, back: int, by: int, ahead: int
    ) -> None:
        """A position is split just before a command is appended that was decided without that."""
        trial, other = self.trial, (by + ahead) % len(CACHE_SIZES)
        sent = trial.address(wish, back, None, None)
        trial.faults.overtake = lambda: trial.split(command, other)
        trial.perform(sent, by)

    @rule(by=processes)
    def serve(self, by: int) -> None:
        """The order processor serves the hot position's queue."""
        self.trial.promote(*HOT, by)


class CrowdedMachine(LanedMachine):
    """Where orders split what is whole, as they do of positions that processes contend for."""

    def open_trial(self) -> Trial:
        trial = super().open_trial()
        for n, ledger in enumerate(trial.ledgers):
            vars(ledger._appender)["_split_into"] = lambda _, count=2 + n: count
        return trial

    @initialize(goods=st.integers(0, 20))
    def split_first(self, goods: int) -> None:
        """Goods for the first order to spread over lanes, or too few."""
        wish = ReceiveStock((ReceiptLine("A", CANDIDATES[0], 1 + goods),))
        self.trial.perform(self.trial.address(wish, 0, None, None), 0)


class StaleLanedMachine(LanedMachine):
    """On a file whose weak reads answer from the past."""

    def open_store(self, folder: Path) -> LedgerRecorder:
        return StaleRecorder(open_recorder(folder / "ledger.db"))


TestLanedMachine = LanedMachine.TestCase
TestLanedMachine.settings = settings(max_examples=2 * settings().max_examples)
TestWithStaleReads = StaleLanedMachine.TestCase
TestCrowded = CrowdedMachine.TestCase
TestWithStaleReads.settings = settings(max_examples=settings().max_examples)
