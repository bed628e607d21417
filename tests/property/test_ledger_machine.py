"""Whatever clients, clocks and lost answers do, the ledger answers what the model answers.

Several processes (ledgers, each with its own memory) share one store. After every commit the laws
are judged; after every step each position, and each order that was touched, is compared.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.service import Command
from ledger.store.base import LedgerRecorder
from ledger.store.sqlite import open_recorder
from tests.support.lost_answers import Loss
from tests.support.model_books import Answer
from tests.support.trial import Sent, Trial
from tests.support.wishes import (
    CANDIDATES,
    cancelling,
    locations,
    placing,
    receiving,
    shipping,
    skus,
    stocking,
    wishes,
)

CACHE_SIZES = (50_000, 3, 0)
processes = st.integers(0, len(CACHE_SIZES) - 1)
recent = st.integers(0, 7)
"""How many back: 0 is the newest."""

losses: st.SearchStrategy[list[Loss]] = st.lists(st.sampled_from(("before", "after")), max_size=2)
"""What happens to the answers of the next appends."""

insisting = st.sampled_from((None, None, "right", "wrong"))
lifetimes = st.sampled_from((None, 3_600, 0))


class LedgerMachine(RuleBasedStateMachine):
    """Clients, several processes, their clocks and a store that loses answers."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.recorder = self.open_store(Path(self.folder.name))
        self.trial = self.open_trial()

    def open_store(self, folder: Path) -> LedgerRecorder:
        """An empty event store; another kind of store overrides this and `close_store`."""
        return open_recorder(folder / "ledger.db")

    def open_trial(self) -> Trial:
        """The ledgers and the model that judges them."""
        return Trial(self.recorder, CANDIDATES, CACHE_SIZES)

    def close_store(self) -> None:
        """Close what `open_store` opened."""
        self.recorder.close()

    def teardown(self) -> None:
        try:
            self.trial.conclude()
        finally:
            self.close_store()
            self.folder.cleanup()

    @initialize(goods=stocking)
    def stock_up(self, goods: Command) -> None:
        """The first goods come in."""
        self.trial.perform(self.trial.address(goods, 0, None, None), 0)

    @rule(wish=receiving | placing, by=processes, losses=losses, ttl=lifetimes)
    def trade(self, wish: Command, by: int, losses: list[Loss], ttl: int | None) -> None:
        """Goods come in, orders are placed."""
        self.trial.faults.losses = list(losses)
        self.trial.perform(self.trial.address(wish, 0, None, ttl), by)

    @rule(wish=shipping | cancelling, by=processes, back=recent, insist=insisting, losses=losses)
    def fulfil(
        self, wish: Command, by: int, back: int, insist: str | None, losses: list[Loss]
    ) -> None:
        """A recent order is shipped or cancelled, whole or in part."""
        self.trial.faults.losses = list(losses)
        self.trial.perform(self.trial.address(wish, back, insist, None), by)

    @rule(wish=wishes, by=processes, back=recent, insist=insisting, ttl=lifetimes)
    def do_anything(
        self, wish: Command, by: int, back: int, insist: str | None, ttl: int | None
    ) -> None:
        """A client sends whatever comes to mind."""
        self.trial.perform(self.trial.address(wish, back, insist, ttl), by)

    @rule(back=recent, by=processes, losses=losses)
    def send_again(self, back: int, by: int, losses: list[Loss]) -> None:
        """A client sends a command again as it was, to any process."""
        self.trial.faults.losses = list(losses)
        self.trial.perform(self.earlier(back), by)

    @rule(wish=wishes, back=recent, by=processes, other=st.booleans())
    def reuse_a_key(self, wish: Command, back: int, by: int, other: bool) -> None:
        """A key is used for another command; it may be another client's key of the same name."""
        before = self.earlier(back)
        actor = "bob" if other else before.context.actor
        context = replace(before.context, actor=actor, expected_version=None)
        self.trial.perform(Sent(wish, context, before.forgotten), by)

    @rule(wish=wishes, inner=wishes, back=recent, by=processes, ahead=st.integers(1, 2))
    def overtake(self, wish: Command, inner: Command, back: int, by: int, ahead: int) -> None:
        """Just before a command is appended, another process appends one of its own."""
        trial, other = self.trial, (by + ahead) % len(CACHE_SIZES)
        outside, inside = (trial.address(w, back, None, None) for w in (wish, inner))
        before = deepcopy(trial.model)
        overtaken: list[Answer] = []
        trial.faults.overtake = lambda: overtaken.append(trial.perform(inside, other))
        result = trial.ask_ledger(outside, by)
        fresh = trial.auditor.fresh()
        try:
            trial.judge(outside, result, fresh)
        except AssertionError:
            # What the one read and the other wrote were different things: it may have come first.
            if not overtaken:
                raise
            trial.model = before
            trial.judge(outside, result, fresh)
            trial.judge_again(inside, overtaken[0])

    @rule(sku=skus, location=locations, back=st.none() | recent, by=processes, losses=losses)
    def promote(
        self, sku: str, location: str, back: int | None, by: int, losses: list[Loss]
    ) -> None:
        """The order processor serves a position's queue, mostly one in which somebody waits."""
        queues = [spot for spot, stock in self.trial.model.stock.items() if stock.queue]
        if back is not None and queues:
            sku, location = queues[back % len(queues)]
        self.trial.faults.losses = list(losses)
        self.trial.promote(sku, location, by)

    @rule(back=recent, by=processes, losses=losses)
    def expire(self, back: int, by: int, losses: list[Loss]) -> None:
        """The order processor looks whether an order's time is up."""
        self.trial.faults.losses = list(losses)
        self.trial.expire(self.trial.order(back), by)

    @rule(seconds=st.sampled_from((-7_200, -1, 0, 1, 59, 60, 3_600)))
    def set_the_clock(self, seconds: int) -> None:
        """Time goes on, or somebody sets the clock back."""
        self.trial.now += timedelta(seconds=seconds)

    @invariant()
    def every_position_is_as_the_model_has_it(self) -> None:
        self.trial.compare_positions()

    def earlier(self, back: int) -> Sent:
        """A command that was sent before."""
        return self.trial.sent[-1 - back % len(self.trial.sent)]


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=2 * settings().max_examples)
