"""Whatever clients, clocks and lost answers do, the ledger answers what the model answers.

Several processes (ledgers, each with its own memory) share one store. After every commit the laws
are judged, after every step each position and each order touched is compared with the model.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.domain.errors import Refusal
from ledger.domain.streams import is_order, parse_order, stock_stream
from ledger.errors import IdempotencyKeyReused
from ledger.service import (
    CancelOrder,
    Command,
    Context,
    Idempotency,
    Ledger,
    Outcome,
    SetPositionPolicy,
    ShipOrder,
)
from ledger.store.base import LedgerRecorder
from ledger.store.sqlite import SQLiteLedgerRecorder, open_recorder
from ledger.verify import verify
from tests.support.auditing import Auditor, refusal, snapshot, written
from tests.support.faults import FaultyRecorder
from tests.support.lost_answers import Loss
from tests.support.model import Model
from tests.support.model_books import Answer
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


@dataclass(frozen=True)
class Sent:
    """A command as a client sent it."""

    command: Command
    context: Context
    forgotten: bool = False
    """Whether its key is remembered for no time at all."""

    @property
    def key(self) -> str:
        """What the answer is remembered under."""
        assert self.context.idempotency is not None
        return f"{self.context.actor} {self.context.idempotency.key}"


class LedgerMachine(RuleBasedStateMachine):
    """Clients, other processes, clocks and a faulty store, against the model."""

    open_store: ClassVar[Callable[[Path], LedgerRecorder]] = staticmethod(open_recorder)

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.recorder = self.open_store(Path(self.folder.name, "ledger.db"))
        self.faults = FaultyRecorder(self.recorder)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        ids = (f"id-{n}" for n in count())
        self.ledgers = [
            Ledger(
                self.faults,
                locations=CANDIDATES,
                clock=lambda: self.now,
                new_id=lambda: next(ids),
                cache_size=size,
            )
            for size in CACHE_SIZES
        ]
        self.model = Model(CANDIDATES)
        self.auditor = Auditor(self.recorder)
        for ledger in self.ledgers:
            ledger.listen(self.auditor.take)
        self.sent: list[Sent] = []
        self.first: dict[str, Outcome] = {}
        self.keys = count()

    def teardown(self) -> None:
        try:
            report = verify(self.recorder)
            assert report.ok, report.findings
            assert report.events == self.model.versions.total()
            for order_id in self.model.orders:
                self.compare(order_id)
        finally:
            self.close_store()

    def close_store(self) -> None:
        if isinstance(self.recorder, SQLiteLedgerRecorder):
            self.recorder.close()
        self.folder.cleanup()

    @initialize(goods=stocking)
    def stock_up(self, goods: Command) -> None:
        """The first goods come in."""
        self.send(goods, 0, 0, None, [], None)

    @rule(wish=receiving | placing, by=processes, losses=losses, ttl=lifetimes)
    def trade(self, wish: Command, by: int, losses: list[Loss], ttl: int | None) -> None:
        """Goods come in, orders are placed."""
        self.send(wish, by, None, None, losses, ttl)

    @rule(wish=shipping | cancelling, by=processes, back=recent, insist=insisting, losses=losses)
    def fulfil(
        self, wish: Command, by: int, back: int, insist: str | None, losses: list[Loss]
    ) -> None:
        """A recent order is shipped or cancelled, whole or in part."""
        self.send(wish, by, back, insist, losses, None)

    @rule(wish=wishes, by=processes, back=recent, insist=insisting, ttl=lifetimes)
    def do_anything(
        self, wish: Command, by: int, back: int, insist: str | None, ttl: int | None
    ) -> None:
        """A client sends whatever comes to mind."""
        self.send(wish, by, back, insist, [], ttl)

    @rule(back=recent, by=processes, losses=losses)
    def send_again(self, back: int, by: int, losses: list[Loss]) -> None:
        """A client sends a command again as it was, to any process."""
        if self.sent:
            self.faults.losses = list(losses)
            self.perform(self.sent[-1 - back % len(self.sent)], by)

    @rule(wish=wishes, back=recent, by=processes, other=st.booleans())
    def reuse_a_key(self, wish: Command, back: int, by: int, other: bool) -> None:
        """A key is used for another command; it may be another client's key of the same name."""
        if self.sent:
            before = self.sent[-1 - back % len(self.sent)]
            actor = "bob" if other else before.context.actor
            context = replace(before.context, actor=actor, expected_version=None)
            self.perform(Sent(wish, context, before.forgotten), by)

    @rule(wish=wishes, inner=wishes, back=recent, by=processes, ahead=st.integers(1, 2))
    def overtake(
        self, wish: Command, inner: Command, back: int, by: int, ahead: int
    ) -> None:
        """Just before a command is appended, another process appends one of its own."""
        outer, inside = self.address(wish, back, None, None), self.address(inner, back, None, None)
        before = deepcopy(self.model)
        overtaken: list[Answer] = []
        other = (by + ahead) % len(CACHE_SIZES)
        self.faults.overtake = lambda: overtaken.append(self.perform(inside, other))
        result = self.ask_ledger(outer, by)
        self.faults.calm()
        fresh = self.auditor.fresh()
        try:
            self.judge(outer, result, fresh)
        except AssertionError:
            # What the one read and the other wrote were different things: it may have come first.
            if not overtaken:
                raise
            self.model = before
            self.judge(outer, result, fresh)
            assert self.ask_model(inside, self.first.get(inside.key)) == overtaken[0]

    @rule(sku=skus, location=locations, back=st.none() | recent, by=processes, losses=losses)
    def promote(
        self, sku: str, location: str, back: int | None, by: int, losses: list[Loss]
    ) -> None:
        """The order processor serves a position's queue."""
        queues = [spot for spot, stock in self.model.stock.items() if stock.queue]
        if back is not None and queues:
            sku, location = queues[back % len(queues)]
        self.faults.losses = list(losses)
        promoted = self.ledgers[by].promote(stock_stream(sku, location))
        self.faults.calm()
        expected, answer = self.model.promote(sku, location)
        assert promoted == expected
        assert written(self.auditor.fresh()) == answer.written
        for stream, _, _ in answer.written:
            if is_order(stream):
                self.compare(parse_order(stream))

    @rule(back=recent, by=processes, losses=losses)
    def expire(self, back: int, by: int, losses: list[Loss]) -> None:
        """The order processor looks whether an order's time is up."""
        known = list(self.model.orders)
        order_id = known[-1 - back % len(known)] if known else "nobody"
        self.faults.losses = list(losses)
        expired = self.ledgers[by].expire(order_id)
        self.faults.calm()
        answer = self.model.expire(order_id, self.now)
        assert expired == bool(answer.written)
        assert written(self.auditor.fresh()) == answer.written
        if known:
            self.compare(order_id)

    @rule(seconds=st.sampled_from((-7_200, -1, 0, 1, 59, 60, 3_600)))
    def set_the_clock(self, seconds: int) -> None:
        """Time goes on, or somebody sets the clock back."""
        self.now += timedelta(seconds=seconds)

    @invariant()
    def every_position_is_as_the_model_has_it(self) -> None:
        assert self.auditor.versions == +self.model.versions
        assert self.auditor.balances() == self.model.balances()

    def send(
        self,
        wish: Command,
        by: int,
        back: int | None,
        insist: str | None,
        losses: list[Loss],
        ttl: int | None,
    ) -> None:
        """A client sends a command under a new key."""
        sent = self.address(wish, back, insist, ttl)
        self.faults.losses = list(losses)
        self.perform(sent, by)

    def address(
        self, wish: Command, back: int | None, insist: str | None, ttl: int | None
    ) -> Sent:
        """The wish, about a recent order if `back` says which, under a new key."""
        stream = ""
        if isinstance(wish, ShipOrder | CancelOrder):
            if back is not None and self.model.orders:
                known = list(self.model.orders)
                wish = replace(wish, order_id=known[-1 - back % len(known)])
            stream = f"order:{wish.order_id}"
        elif isinstance(wish, SetPositionPolicy):
            stream = stock_stream(wish.sku, wish.location)
        expected = None
        if insist and stream:
            expected = self.model.versions[stream] + (insist == "wrong")
        key = Idempotency("test", f"key-{next(self.keys)}", ttl)
        return Sent(wish, Context("ann", key, expected), ttl == 0)

    def perform(self, sent: Sent, by: int) -> Answer:
        """Send a command and judge the answer."""
        result = self.ask_ledger(sent, by)
        self.faults.losses = []
        return self.judge(sent, result, self.auditor.fresh())

    def ask_ledger(self, sent: Sent, by: int) -> Outcome | Exception:
        """What the ledger answers."""
        if sent not in self.sent:
            self.sent.append(sent)
        try:
            return self.ledgers[by].handle(sent.command, sent.context)
        except (Refusal, IdempotencyKeyReused) as error:
            return error

    def ask_model(self, sent: Sent, outcome: Outcome | None) -> Answer:
        """What the model answers; a generated order id is the ledger's to choose."""
        return self.model.ask(
            sent.command,
            self.now,
            key=sent.key,
            order_id=outcome.order.order_id if outcome and outcome.order else "unknown",
            expected=sent.context.expected_version,
            forget=sent.forgotten,
        )

    def judge(self, sent: Sent, result: Outcome | Exception, fresh: list[Any]) -> Answer:
        """Compare an answer with the model's, which takes the command here."""
        known = sent.key in self.model.memory
        outcome = result if isinstance(result, Outcome) else None
        answer = self.ask_model(sent, outcome)
        if outcome is None:
            assert isinstance(result, Exception)
            assert refusal(result) == answer.refusal
            assert fresh == []
            return answer
        assert answer.refusal == ()
        assert written(outcome.events) == answer.written
        assert snapshot(outcome.order) == answer.order
        assert outcome.replayed == known
        if known:
            assert fresh == []
            first = self.first[sent.key]
            assert (outcome.events, outcome.order) == (first.events, first.order)
        else:
            assert tuple(fresh) == outcome.events
            self.first[sent.key] = outcome
        if outcome.order is not None:
            self.compare(outcome.order.order_id)
        return answer

    def compare(self, order_id: str) -> None:
        """An order's stream tells what the model tells."""
        found = self.ledgers[0].history.order(order_id)
        assert snapshot(found) == self.model.snapshot(order_id)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings()
