"""The consumers of the bus: who handles what, put together for any place they run in.

Every consumer is made by a function of its own, and what it needs is imported there: a function
on AWS runs one consumer, and loads what that one needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Final

from eventsourcing.persistence import StoredEvent

from ledger.codec import CorruptEvent, Recorded, decode
from ledger.errors import Contention, NotTheWriter
from ledger.service.clock import Clock, instant, utc_now
from ledger.settings import Settings
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from projections.delivery.consumer import Consumer, Handle
from projections.delivery.dead_letters import DeadLetters
from projections.delivery.meters import Meter
from projections.delivery.taking import Done, OnTaking, Part

if TYPE_CHECKING:
    from ledger.service import Ledger
    from projections.notifications.notifier import Notifier, Outcome
    from projections.views.base import View


@dataclass(frozen=True, slots=True)
class Parts:
    """What consumers are made of.

    `meter` and `dead_letters` are those of one consumer, by its name. `seconds_left` says how long
    the invocation under way may still take.
    """

    settings: Settings
    ledger: Ledger
    meter: Callable[[str], Meter]
    dead_letters: Callable[[str], DeadLetters | None] = field(default=lambda _: None)
    clock: Clock = utc_now
    seconds_left: Callable[[], float] = lambda: inf

    @property
    def recorder(self) -> DynamoDBLedgerRecorder:
        """The event store."""
        recorder = self.ledger.recorder
        assert isinstance(recorder, DynamoDBLedgerRecorder), "events are delivered from DynamoDB"
        return recorder

    def consumer(self, name: str, handle: Handle, **options: Any) -> Consumer:
        """A consumer of this name; `options` are those of `Consumer`."""
        return Consumer(
            name,
            handle,
            self.fetch,
            self.dead_letters(name),
            max_receives=self.settings.max_receives,
            meter=self.meter(name),
            clock=self.clock,
            **options,
        )

    def fetch(self, stream: str, version: int) -> Recorded | None:
        """One event of the event store."""
        found = self.recorder.select_events(stream, gt=version - 1, lte=version)
        return decode(found[0]) if found else None

    def acting(self, handle: Handle) -> Handle:
        """The handler, under the lease; where another Region acts, events pass unhandled."""
        tables = self.recorder.tables

        def handle_if_ours(events: Sequence[Recorded]) -> Mapping[str, Exception]:
            return handle(events) if tables.acting() else {}

        return handle_if_ours

    def on_taking(self, name: str, *parts: Part) -> OnTaking | None:
        """What sweeps once when this Region takes the lease, if there is one."""
        tables, left = self.recorder.tables, self.seconds_left
        if tables.lease is None:
            return None
        return OnTaking(tables, tables.lease, name, parts, seconds_left=left)

    @property
    def prefix(self) -> str:
        """The prefix of the tables."""
        prefix = self.settings.table_prefix
        assert prefix is not None, "events are delivered from DynamoDB"
        return prefix


def stock_levels(parts: Parts) -> Consumer:
    """Keeps the stock levels up to date."""
    from projections.views.stock_levels import StockLevelsView

    return _of_view(parts, StockLevelsView())


def orders(parts: Parts) -> Consumer:
    """Keeps the list of orders up to date."""
    from projections.views.orders import OrdersView

    return _of_view(parts, OrdersView())


def open_reservations(parts: Parts) -> Consumer:
    """Keeps the list of orders that fall due up to date."""
    from projections.views.open_reservations import OpenReservationsView

    return _of_view(parts, OpenReservationsView())


def order_processor(parts: Parts) -> Consumer:
    """Goes on with large orders, backorders and expiries: at events, and when it sweeps.

    What the Region that wrote before left undone, the first sweep after taking the lease finds.
    """
    from projections.bootstrap import open_from_settings

    projections = open_from_settings(parts.recorder, parts.settings)
    processor = projections.order_processor(parts.ledger)

    def react(events: Sequence[Recorded]) -> Mapping[str, Exception]:
        failed = processor.react(events).failed
        # Where the stock was only too busy, the next sweep goes on: no dead letter says more. And
        # where the lease was given away meanwhile, that of the other Region does.
        passed = (Contention, NotTheWriter)
        return {stream: e for stream, e in failed.items() if not isinstance(e, passed)}

    def sweep() -> None:
        if parts.recorder.tables.acting():
            processor.sweep()

    react_if_ours = parts.acting(react)
    return parts.consumer("order_processor", react_if_ours, takes_replays=False, sweep=sweep)


def notifications(parts: Parts) -> Consumer:
    """Tells people and systems what there is to tell."""
    from projections.notifications.bootstrap import open_notifiers

    meter = parts.meter("notifications")

    def observe(outcome: Outcome) -> None:
        skipped = outcome.skipped_old + outcome.skipped_imported
        for name, value in (("Sent", outcome.sent), ("NotSent", skipped)):
            if value:
                meter.measure(name, value)

    notifiers = open_notifiers(parts.recorder, parts.settings, observe=observe)

    def tell(events: Sequence[Recorded]) -> Mapping[str, Exception]:
        failed: dict[str, Exception] = {}
        for notifier in notifiers:
            failed |= notifier.handle(events)
        return failed

    news = partial(_is_news, timedelta(seconds=parts.settings.notify_max_age_seconds))
    every = [Part(each.channel.name, partial(_told, each), news) for each in notifiers]
    sweep = parts.on_taking("notifications", *every)
    return parts.consumer("notifications", parts.acting(tell), takes_replays=False, sweep=sweep)


def _is_news(max_age: timedelta, stored: StoredEvent) -> bool:
    """Whether an event may have to be told: what is too old for it now will not be later.

    What can't be read is left to those who say so.
    """
    try:
        return decode(stored).at >= instant(utc_now() - max_age)
    except (CorruptEvent, TypeError):
        return True


def _told(notifier: Notifier, versions: Mapping[str, int]) -> Done:
    """Tell everything of streams up to these versions."""
    from projections.notifications.notifier import NotTried

    failed = notifier.tell(versions).failed
    untried = {stream for stream, error in failed.items() if isinstance(error, NotTried)}
    return Done(failed.keys() - untried, untried)


def sequencer(parts: Parts) -> Consumer:
    """Gives every event its place in the feed."""
    from ledger.store.dynamodb_feed import Feed

    feed = Feed(parts.recorder.tables)

    def sequence(events: Sequence[Recorded]) -> Mapping[str, Exception]:
        feed.sequence((event.stream, event.version) for event in events)
        return {}

    def sequence_all(versions: Mapping[str, int]) -> Done:
        feed.sequence(versions.items())
        return Done()

    sweep = parts.on_taking("sequencer", Part("feed", sequence_all))
    return parts.consumer("sequencer", parts.acting(sequence), takes_replays=False, sweep=sweep)


CONSUMERS: Final[Mapping[str, Callable[[Parts], Consumer]]] = {
    make.__name__: make
    for make in (
        stock_levels,
        orders,
        open_reservations,
        order_processor,
        notifications,
        sequencer,
    )
}
"""What makes each consumer, by its name."""


def make_consumers(parts: Parts, names: Iterable[str] = tuple(CONSUMERS)) -> list[Consumer]:
    """The consumers of these names."""
    return [CONSUMERS[name](parts) for name in names]


def _of_view(parts: Parts, view: View[Any]) -> Consumer:
    from projections.delivery.applying import Applying
    from projections.generations import Registry
    from projections.runner import Runner
    from projections.store.dynamodb import DynamoDBViewStore

    store = DynamoDBViewStore(parts.recorder.tables.client, parts.prefix)
    runner = Runner(parts.recorder, store, (view,), Registry(store))
    return parts.consumer(view.base, Applying(runner, parts.meter(view.base)))
