"""Several ledgers on one store, and the model that judges every answer they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

from ledger.codec import Recorded
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
from tests.support.auditing import Auditor, refusal, snapshot, written
from tests.support.event_stores import verified
from tests.support.faults import FaultyRecorder
from tests.support.model import Model
from tests.support.model_books import Answer


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


class Trial:
    """Sends commands to any of the ledgers and compares what they answer with the model."""

    def __init__(
        self, recorder: LedgerRecorder, locations: Sequence[str], cache_sizes: Sequence[int]
    ) -> None:
        self.recorder = recorder
        self.faults = FaultyRecorder(recorder)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        ids = (f"id-{n}" for n in count())
        self.ledgers = [
            Ledger(
                self.faults,
                locations=locations,
                clock=lambda: self.now,
                new_id=lambda: next(ids),
                cache_size=size,
            )
            for size in cache_sizes
        ]
        self.model = Model(locations)
        self.auditor = Auditor(recorder)
        for ledger in self.ledgers:
            ledger.listen(self.auditor.take)
        self.sent: list[Sent] = []
        self._first: dict[str, Outcome] = {}
        self._keys = count()

    def order(self, back: int) -> str:
        """The id of an order, 0 for the newest."""
        known = list(self.model.orders)
        return known[-1 - back % len(known)] if known else "nobody"

    def address(self, wish: Command, back: int, insist: str | None, ttl: int | None) -> Sent:
        """The wish under a new key, about a recent order if it is about one.

        `insist` is "right" or "wrong" if the client names the version that it saw.
        """
        stream = ""
        if isinstance(wish, ShipOrder | CancelOrder):
            wish = replace(wish, order_id=self.order(back))
            stream = f"order:{wish.order_id}"
        elif isinstance(wish, SetPositionPolicy):
            stream = stock_stream(wish.sku, wish.location)
        expected = None
        if insist and stream:
            expected = self.model.versions[stream] + (insist == "wrong")
        key = Idempotency("test", f"key-{next(self._keys)}", ttl)
        return Sent(wish, Context("ann", key, expected), ttl == 0)

    def perform(self, sent: Sent, by: int) -> Answer:
        """Send a command and judge the answer."""
        result = self.ask_ledger(sent, by)
        return self.judge(sent, result, self.auditor.fresh())

    def ask_ledger(self, sent: Sent, by: int) -> Outcome | Exception:
        """What the ledger answers; faults that did not happen are taken back."""
        if sent not in self.sent:
            self.sent.append(sent)
        try:
            return self.ledgers[by].handle(sent.command, sent.context)
        except (Refusal, IdempotencyKeyReused) as error:
            return error
        finally:
            self.faults.calm()

    def judge(self, sent: Sent, result: Outcome | Exception, fresh: list[Recorded]) -> Answer:
        """Compare an answer, and what was heard of it, with the model, which takes it here."""
        known = sent.key in self.model.memory
        if isinstance(result, Exception):
            answer = self._ask_model(sent, None)
            assert refusal(result) == answer.refusal
            assert fresh == []
            return answer
        answer = self._ask_model(sent, result)
        assert answer.refusal == ()
        self.compare_events(result.events, answer)
        assert snapshot(result.order) == answer.order
        assert result.replayed == known
        if known:
            assert fresh == []
            first = self._first[sent.key]
            assert (result.events, result.order) == (first.events, first.order)
        else:
            assert tuple(fresh) == result.events
            self._first[sent.key] = result
        self._compare_orders(answer)
        return answer

    def judge_again(self, sent: Sent, overtaken: Answer) -> None:
        """Another model takes a command that was answered before, and answers the same."""
        assert self._ask_model(sent, self._first.get(sent.key)) == overtaken

    def promote(self, sku: str, location: str, by: int) -> None:
        """Serve a position's queue."""
        promoted = self.ledgers[by].promote(stock_stream(sku, location))
        self.faults.calm()
        expected, answer = self.model.promote(sku, location)
        assert promoted == expected
        self.compare_events(self.auditor.fresh(), answer)
        self._compare_orders(answer)

    def expire(self, order_id: str, by: int) -> None:
        """Expire an order if it is due."""
        expired = self.ledgers[by].expire(order_id)
        self.faults.calm()
        answer = self.model.expire(order_id, self.now)
        assert expired == bool(answer.written)
        self.compare_events(self.auditor.fresh(), answer)
        self._compare_orders(answer)

    def compare_events(self, events: Sequence[Recorded], answer: Answer) -> None:
        """What was written is what the model writes."""
        assert written(events) == answer.written

    def compare_positions(self) -> None:
        """Every position is as the model has it, and every stream as long."""
        assert self.auditor.versions == +self.model.versions
        assert self.auditor.balances() == self.model.balances()

    def conclude(self) -> None:
        """The whole history verifies, and every order is as the model has it."""
        report = verified(self.recorder)
        assert report.ok, report.findings
        self.compare_length(report.events)
        for order_id in self.model.orders:
            self._compare(order_id)

    def compare_length(self, events: int) -> None:
        """History is as long as the model's."""
        assert events == self.model.versions.total()

    def _ask_model(self, sent: Sent, outcome: Outcome | None) -> Answer:
        """What the model answers; a generated order id is the ledger's to choose."""
        return self.model.ask(
            sent.command,
            self.now,
            key=sent.key,
            order_id=outcome.order.order_id if outcome and outcome.order else "unknown",
            expected=sent.context.expected_version,
            forget=sent.forgotten,
        )

    def _compare_orders(self, answer: Answer) -> None:
        for stream, _, _ in answer.written:
            if is_order(stream):
                self._compare(parse_order(stream))

    def _compare(self, order_id: str) -> None:
        """An order's stream tells what the model tells."""
        found = self.ledgers[0].history.order(order_id)
        assert snapshot(found) == self.model.snapshot(order_id)
