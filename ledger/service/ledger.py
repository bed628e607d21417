"""The ledger: commands in, one atomic commit each out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import uuid_utils
from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer

from ledger.codec import Recorded
from ledger.domain.allocation import part_streams, streams_of
from ledger.domain.errors import OrderBusy, OrderNotFound
from ledger.domain.lanes import check_auto_lanes
from ledger.domain.order import Line, Order
from ledger.domain.position import Position
from ledger.domain.streams import order_stream, stock_stream
from ledger.service import commands as c
from ledger.service import decisions, splitting, steps
from ledger.service.appending import Appender
from ledger.service.attempts import Command, Decide, Retry
from ledger.service.clock import Clock, instant, utc_now
from ledger.service.context import Context, Idempotency
from ledger.service.decisions import Rules
from ledger.service.history import History
from ledger.service.outcome import Outcome
from ledger.store.base import LedgerRecorder


def new_uuid() -> str:
    """A UUIDv7 (RFC 9562): unique, and sortable by the millisecond it was made in."""
    return str(uuid_utils.uuid7())


class Ledger:
    """Accepts commands and answers what was recorded.

    Parameters
    ----------
    recorder
        The event store.
    locations
        Where lines that name no location are served from, in this order.
    region
        Recorded with every event.
    cache_size
        How many streams' newest states are remembered.
    auto_lanes
        How many lanes an order splits a position into when processes contend for it; 1: none.

    Raises
    ------
    ValueError
        `auto_lanes` is out of range (see `check_auto_lanes`).
    """

    def __init__(
        self,
        recorder: LedgerRecorder,
        *,
        locations: Sequence[str] = ("main",),
        region: str = "local",
        clock: Clock = utc_now,
        new_id: Callable[[], str] = new_uuid,
        cache_size: int = 50_000,
        retry: Retry | None = None,
        auto_lanes: int = 1,
    ) -> None:
        check_auto_lanes(auto_lanes, len(locations))
        self.recorder = recorder
        self.history = History(recorder)
        self._rules = Rules(tuple(locations), clock, new_id)
        self._appender = Appender(
            recorder,
            clock=clock,
            new_id=new_id,
            region=region,
            cache_size=cache_size,
            retry=retry or Retry(),
            auto_lanes=auto_lanes,
        )

    def listen(self, listener: Callable[[tuple[Recorded, ...]], None]) -> None:
        """Call `listener` with the events of every commit made here, after it stands."""
        self._appender.listen(listener)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Within it, a store opened for a bulk load writes commits together, at the end; nobody
        may be answered before. One thread at a time.

        Raises
        ------
        BatchLost
            At the end: another writer was first. Nothing of it stands; the commands may be
            handled again.
        """
        try:
            with self.recorder.batch():
                yield
        except BaseException:
            self._appender.forget()
            raise

    def positions(self, streams: Iterable[str], *, remembered: bool) -> dict[str, Position]:
        """The positions as they are, or as they are `remembered` here.

        Memory may be stale: it will do for what stands only if nobody else was first. One in lanes
        is read, and told as a whole.
        """
        found = self._appender.look(streams, remembered=remembered)
        for stream, position in found.items():
            whole = self.history.position(stream) if position.balance.lanes is not None else None
            if whole is not None:
                found[stream] = Position.of(stream, whole.version, whole.balance)
        return found

    def close(self) -> None:
        """Give back the store's connections."""
        self.recorder.close()

    def handle(self, command: c.Command, context: Context) -> Outcome:
        """Decide a command and record it once, however often it is sent with its key.

        Raises
        ------
        Refusal
            The domain says no; nothing was recorded. (A refused order is an outcome instead:
            its rejection is recorded.)
        IdempotencyKeyReused, Contention, UnknownOutcome, CommitTooLarge, NotTheWriter
            See `ledger.errors`.
        """
        decide, streams = self._prepare(command, context)
        key = context.idempotency
        if key is None:
            run = Command(decide, context.actor)
        else:
            record = record_key(context.actor, key)
            run = Command(decide, context.actor, record, fingerprint(command), key.ttl_seconds)
        return self._appender.run(run, streams)

    def _prepare(self, command: c.Command, context: Context) -> tuple[Decide, list[str]]:
        """How the command is decided, and the streams it may touch."""
        match command:
            case c.ReceiveStock():
                return (lambda s: decisions.receive(command, s)), _streams(command.lines)
            case c.AdjustStock():
                return (lambda s: decisions.adjust(command, s)), _streams(command.lines)
            case c.ReturnStock():
                return (lambda s: decisions.return_(command, s)), _streams(command.lines)
            case c.SetPositionPolicy():
                expected = context.expected_version
                streams = [stock_stream(command.sku, command.location)]
                return (lambda s: decisions.set_policy(command, s, expected)), streams
            case c.SetLanes():
                streams = [stock_stream(command.sku, command.location)]
                return (lambda s: splitting.set_lanes(command, s)), streams
            case c.PlaceOrder():
                return self._prepare_order(command)
            case c.ShipOrder():
                shipment_id = command.shipment_id or self._rules.new_id()
                expected = context.expected_version
                return (
                    lambda s: decisions.ship(command, s, shipment_id, expected)
                ), self._order_streams(command.order_id)
            case c.CancelOrder():
                expected = context.expected_version
                return (lambda s: decisions.cancel(command, s, expected)), self._order_streams(
                    command.order_id
                )

    def _prepare_order(self, command: c.PlaceOrder) -> tuple[Decide, list[str]]:
        rules = self._rules
        order_id = command.order_id or rules.new_id()
        lines = [
            Line(n, line.sku, line.quantity, line.location)
            for n, line in enumerate(command.lines, 1)
        ]
        streams = [order_stream(order_id), *streams_of(lines, rules.locations)]
        return (lambda s: decisions.place(command, s, rules, order_id)), streams

    def _order_streams(self, order_id: str) -> list[str]:
        """The order's stream and the positions it holds something of, as far as remembered."""
        order = self._appender.glance(order_id)
        streams = [] if order is None else part_streams(order, order.open_places())
        return [order_stream(order_id), *streams]

    def advance(self, order_id: str) -> Order:
        """Finish what is under way for a large order, commit by commit.

        Whoever calls it, and however often: the steps are decided from the order's stream.

        Raises
        ------
        OrderNotFound
            There is no such order.
        """
        while True:
            order = self._appender.glance(order_id)
            streams = [] if order is None else steps.step_streams(order, self._rules)
            outcome = self._appender.run(
                Command(lambda s: steps.step(order_id, s, self._rules), "system"),
                [order_stream(order_id), *streams],
            )
            finished = outcome.order is not None and outcome.order.task is None
            if not outcome.events or finished:
                break
        found = self._appender.glance(order_id)
        if found is None:
            raise OrderNotFound(order_id)
        return found

    def promote(self, stream: str) -> int:
        """Serve a position's backorder queue from what is free, first come first served.

        Answers how many units were promoted. Nothing to do records nothing.
        """
        promoted = 0
        while True:
            try:
                outcome = self._appender.run(
                    Command(lambda s: steps.promote(stream, s), "system"), [stream]
                )
            except OrderBusy as busy:
                self.advance(busy.order_id)
                continue
            if not outcome.events:
                return promoted
            promoted += sum(r.data["quantity"] for r in outcome.events if r.stream == stream)

    def expire(self, order_id: str, now: datetime | None = None) -> bool:
        """Expire what is open of an order that is due; answers whether anything was."""
        moment = instant(now or self._rules.clock())
        try:
            outcome = self._appender.run(
                Command(lambda s: steps.expire(order_id, s, moment), "system"),
                self._order_streams(order_id),
            )
        except OrderBusy:
            self.advance(order_id)
            return self.expire(order_id, now)
        if outcome.order is not None and outcome.order.task is not None:
            self.advance(order_id)
        return bool(outcome.events)


def record_key(actor: str, idempotency: Idempotency) -> str:
    """Where the memory of a client's key is kept: per actor and route.

    `#` and `%` of the actor are percent-encoded and routes have none, so no two triples share a
    record, whoever may choose a name.
    """
    escaped = actor.replace("%", "%25").replace("#", "%23")
    return f"{escaped}#{idempotency.route}#{idempotency.key}"


def _streams(
    lines: Sequence[c.ReceiptLine] | Sequence[c.AdjustmentLine] | Sequence[c.ReturnLine],
) -> list[str]:
    return [stock_stream(line.sku, line.location) for line in lines]


def fingerprint(command: c.Command) -> str:
    """SHA-256 of what a command means: equal for equal requests, however they were written."""
    kind = type(command)
    serializer = _serializers.get(kind)
    if serializer is None:
        serializer = _serializers[kind] = TypeAdapter(kind).serializer
    meaning = serializer.to_json(command, warnings=False)
    return hashlib.sha256(kind.__name__.encode() + meaning).hexdigest()


_serializers: Final[dict[type, SchemaSerializer]] = {}
"""How each kind of command is written; `to_json` would find it out every time."""
