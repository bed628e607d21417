"""Bugs to plant in the product. A simulator that finds nothing proves nothing unless it would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import wraps
from itertools import count
from typing import Any, Final
from unittest.mock import patch

from ledger.service import Context, Ledger, Outcome, steps
from ledger.service import commands as c
from ledger.service.session import Session
from ledger.store.base import CommandRecord
from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_feed import Feed
from ledger.store.dynamodb_items import command_item
from ledger.store.dynamodb_tables import DynamoDBTables
from projections.delivery.consumer import Consumer
from projections.delivery.publisher import Publisher
from projections.notifications.notifier import Notifier
from projections.notifications.reading import facts_between
from projections.rebuild.claim import Claim
from projections.store.dynamodb_access import Access
from projections.work import Work
from tests.simulation.planted_lanes import LANES
from tests.simulation.world.bus import Pipe

Bug = Callable[[], AbstractContextManager[None]]
PLANTED: Final[dict[str, Bug]] = {**LANES}


def planted(name: str) -> Callable[[Callable[[], Iterator[None]]], Bug]:
    """Give a bug its name."""

    def register(bug: Callable[[], Iterator[None]]) -> Bug:
        PLANTED[name] = contextmanager(bug)
        return PLANTED[name]

    return register


@planted("no-version-gate")
def no_version_gate() -> Iterator[None]:
    """Rows are written whatever version is there."""
    put = Access.put

    def blindly(self: Access, table: str, item: Any, condition: str, **attributes: Any) -> bool:
        if "version" in attributes:
            condition += " OR attribute_exists(#version)"
        return put(self, table, item, condition, **attributes)

    with patch.object(Access, "put", blindly):
        yield


@planted("no-gap-refill")
def no_gap_refill() -> Iterator[None]:
    """An event that comes before its predecessors is taken for nothing new."""

    def in_order_only(_: Any, _s: str, applied: int, delivered: Any, _r: Any) -> list[Any]:
        found = []
        while (applied := applied + 1) in delivered:
            found.append(delivered[applied])
        return found

    with patch.object(Work, "_contiguous", in_order_only):
        yield


@planted("refusal-on-cached-state")
def refusal_on_cached_state() -> Iterator[None]:
    """What is remembered is taken for what is."""

    class Nothing(set[str]):
        def add(self, _: str) -> None: ...
        def update(self, *_: Any) -> None: ...

    init = Session.__init__

    @wraps(init)
    def forgetful(self: Session, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.remembered = Nothing()

    with patch.object(Session, "__init__", forgetful):
        yield


@planted("acknowledge-before-write")
def acknowledge_before_write() -> Iterator[None]:
    """Messages are acknowledged whether or not what they ask for was written."""
    hand_over = Consumer._hand_over

    def hopefully(self: Consumer, messages: Any) -> None:
        hand_over(self, messages)
        for message in messages:
            message.error = None

    with patch.object(Consumer, "_hand_over", hopefully):
        yield


@planted("new-key-on-retry")
def new_key_on_retry() -> Iterator[None]:
    """A request that is sent again comes with a key of its own."""
    handle, keys = Ledger.handle, count()

    def anew(self: Ledger, command: c.Command, context: Context) -> Outcome:
        assert context.idempotency is not None
        key = replace(context.idempotency, key=f"key-{next(keys)}")
        return handle(self, command, replace(context, idempotency=key))

    with patch.object(Ledger, "handle", anew):
        yield


@planted("promotion-skips-the-head")
def promotion_skips_the_head() -> Iterator[None]:
    """Whoever queued last is served first."""
    queue_head = steps._queue_head

    def last(position: Any, session: Session) -> Any:
        found = queue_head(position, session)
        for recorded in session.history.walk(position.stream, gt=found[1]):
            if recorded.type == "StockBackordered":
                order = session.order(recorded.data["order_id"])
                assert order is not None
                waits = sum(u for _, u in steps._waiting(order, position, recorded.version))
                if waits and order.task is None:
                    found = order, recorded.version, waits
        return found

    with patch.object(steps, "_queue_head", last):
        yield


@planted("scan-before-consumers-know")
def scan_before_consumers_know() -> Iterator[None]:
    """History is read into a new generation before everybody writes it."""
    with patch.object(Claim, "_wait", lambda *_: None):
        yield


@planted("key-outside-the-transaction")
def key_outside_the_transaction() -> Iterator[None]:
    """The command is recorded after its events, not with them."""
    append = DynamoDBTables.append

    def twice(
        self: DynamoDBTables, items: Any, command: CommandRecord | None, *rest: Any, **more: Any
    ) -> None:
        append(self, items, None, *rest, **more)
        if command is not None:
            with translated("recording the command", writing=True):
                self.client.put_item(TableName=self.commands, Item=command_item(command))

    with patch.object(DynamoDBTables, "append", twice):
        yield


@planted("failed-entries-ignored")
def failed_entries_ignored() -> Iterator[None]:
    """The bus answered, so it took everything."""
    put = Publisher._put

    def trustingly(self: Publisher, entries: Any) -> Any:
        left = put(self, entries)
        return left if len(left) == len(entries) > 1 else []

    with patch.object(Publisher, "_put", trustingly):
        yield


@planted("checkpoint-before-delivery")
def checkpoint_before_delivery() -> Iterator[None]:
    """The stream is checkpointed when a batch is taken, not when it was published."""
    settle = Pipe.settle

    def early(self: Pipe, _: Mapping[str, Any] | None) -> None:
        settle(self, {"batchItemFailures": []})

    with patch.object(Pipe, "settle", early):
        yield


@planted("marked-before-sent")
def marked_before_sent() -> Iterator[None]:
    """The mark moves, then the facts are sent."""

    def hastily(self: Notifier, stream: str, upto: int, outcome: Any, *_: Any) -> int:
        claim = self._marks.claim(stream)
        if claim is None or claim.version >= upto:
            return upto if claim is None else claim.version
        told = facts_between(self._events, stream, claim.version, upto)
        self._marks.mark(claim, upto, release=True)
        self._send(told, outcome)
        return upto

    with patch.object(Notifier, "_send_claimed", hastily):
        yield


@planted("sequencing-on-stale-heads")
def sequencing_on_stale_heads() -> Iterator[None]:
    """A sequencer decides on the heads it remembers."""
    settled = Feed._settled_heads

    def remembered(self: Feed, tail: Any, wanted: Any) -> dict[str, int]:
        streams = list(wanted)
        if all(stream in self._heads for stream in streams):
            return {stream: self._heads[stream] for stream in streams}
        return settled(self, tail, streams)

    with patch.object(Feed, "_settled_heads", remembered):
        yield


@planted("poison-blocks-its-batch")
def poison_blocks_its_batch() -> Iterator[None]:
    """A message that can't be read fails all that came with it."""
    read = Consumer._read

    def strictly(self: Consumer, record: Mapping[str, Any]) -> Any:
        message = read(self, record)
        if message.error is not None:
            raise message.error
        return message

    with patch.object(Consumer, "_read", strictly):
        yield


@planted("commit-in-parts")
def commit_in_parts() -> Iterator[None]:
    """The events of a commit are written one after the other."""
    append = DynamoDBTables.append

    def one_by_one(
        self: DynamoDBTables, items: Any, command: CommandRecord | None, *rest: Any, **more: Any
    ) -> None:
        for item in items[:-1]:
            append(self, [item], None, *rest, **more)
        append(self, items[-1:], command, *rest, **more)

    with patch.object(DynamoDBTables, "append", one_by_one):
        yield
