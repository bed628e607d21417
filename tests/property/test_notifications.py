"""Every fact is told, in order and exactly once, whatever the delivery, the channel and the
process do; twice only if an answer was lost or the process died before it could remember.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import Recorded, decode
from ledger.domain.events import PositionEvent
from ledger.domain.folding import fold
from ledger.domain.order import Order, OrderStatus
from ledger.domain.streams import is_stock, parse_order
from ledger.service.history import History
from projections.notifications.channels.base import Refused, Unavailable
from projections.notifications.marks import LEASE_SECONDS
from projections.notifications.marks_file import MarksFile
from projections.notifications.notification import Notification
from projections.notifications.notifier import Notifier
from projections.notifications.reading import facts_between
from projections.notifications.sqlite_marks import SQLiteMarks
from tests.support.histories import START, Move, World, moves
from tests.support.notifications import Crash, Dying, Recording

CHANNEL = "recording"


class Shop:
    """A history, and processes that tell of it."""

    def __init__(self, folder: str, history: Sequence[Move]) -> None:
        self.world = World(folder)
        self.world.play(history)
        self.log = list(self.world.log())
        self.file = MarksFile(Path(folder, "ledger.db"))
        self.streams: dict[str, list[Recorded]] = defaultdict(list)
        for stored in self.log:
            self.streams[str(stored.originator_id)].append(decode(stored))
        self.now = 0.0

    def notifier(self, channel: Recording, dies_at: int | None = None) -> Notifier:
        """Another process."""
        marks = SQLiteMarks(self.file, CHANNEL, clock=lambda: self.now)
        wrapped = marks if dies_at is None else Dying(marks, dies_at)
        events = History(self.world.recorder)
        return Notifier(channel, wrapped, events, clock=lambda: START + timedelta(hours=1))

    def expected(self) -> dict[str, list[Notification]]:
        """What there is to tell of each stream, derived in one go."""
        history = History(self.world.recorder)
        return {
            stream: [
                fact
                for told in facts_between(history, stream, 0, len(events))
                for fact in told.facts
            ]
            for stream, events in self.streams.items()
        }

    def close(self) -> None:
        self.file.close()
        self.world.recorder.close()


def by_stream(sent: Sequence[Notification]) -> dict[str, list[str]]:
    """Ids of each stream, in the order they were first sent."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for notification in sent:
        found[notification.stream][notification.id] = None
    return {stream: list(ids) for stream, ids in found.items()}


def ids(expected: Mapping[str, Sequence[Notification]]) -> dict[str, list[str]]:
    return {stream: [fact.id for fact in facts] for stream, facts in expected.items() if facts}


@given(moves, st.integers(1, 50))
def test_facts_are_what_happened_whatever_the_size_of_the_steps(
    history: list[Move], size: int
) -> None:
    with TemporaryDirectory() as folder:
        shop = Shop(folder, history)
        channel = Recording(CHANNEL)
        notifier = shop.notifier(channel)
        for start in range(0, len(shop.log), size):
            assert notifier.handle(shop.log[start : start + size]) == {}
        expected = shop.expected()
        shop.close()
    assert {fact.id: fact for fact in channel.sent} == {
        fact.id: fact for facts in expected.values() for fact in facts
    }
    assert by_stream(channel.sent) == ids(expected)
    assert len(channel.ids) == len(set(channel.ids))
    for stream, events in shop.streams.items():
        check = check_position if is_stock(stream) else check_order
        check(events, expected[stream])


def check_position(events: Sequence[Recorded], facts: Sequence[Notification]) -> None:
    """The facts are the crossings of what is available."""
    assert {(fact.version, str(fact.kind)) for fact in facts} == crossings(events)
    turns = [fact.kind for fact in facts if fact.kind != "low_stock"]
    assert turns == [("out_of_stock", "back_in_stock")[i % 2] for i in range(len(turns))]


def crossings(events: Sequence[Recorded]) -> set[tuple[int, str]]:
    """(version, kind) of every crossing, said in the plainest way."""
    found = set()
    was, was_low, ever = 0, False, False
    for recorded in events:
        assert isinstance(recorded.event, PositionEvent)
        balance = recorded.event.balance
        units = max(0, balance.on_hand - balance.reserved - balance.damaged - balance.backordered)
        threshold = balance.low_stock_threshold
        low = threshold is not None and units <= threshold
        if low and not was_low:
            found.add((recorded.version, "low_stock"))
        if was > 0 and units == 0:
            found.add((recorded.version, "out_of_stock"))
        if was == 0 and units > 0 and ever:
            found.add((recorded.version, "back_in_stock"))
        was, was_low, ever = units, low, ever or units > 0
    return found


def check_order(events: Sequence[Recorded], facts: Sequence[Notification]) -> None:
    """The facts agree with what became of the order."""
    order_id = parse_order(events[0].stream)
    order = fold(order_id, (recorded.event for recorded in events))
    check_decision(order, [str(fact.kind) for fact in facts])
    check_shipments(order, [fact for fact in facts if fact.kind == "order_shipped"])
    for fact in facts:
        then = fold(order_id, (recorded.event for recorded in events[: fact.version]))
        assert fact.data["totals"] == then.totals._asdict()
        assert fact.data["status"] == then.status


def check_decision(order: Order, kinds: Sequence[str]) -> None:
    """How the order was decided was told once, and first."""
    decisions = [kind for kind in kinds if kind in ("order_confirmed", "order_rejected")]
    assert kinds.count("order_confirmed") <= 1
    assert kinds.count("order_backordered") <= 1
    if "order_backordered" in kinds:
        assert kinds.index("order_backordered") == 0
    assert ("order_rejected" in kinds) == (order.status is OrderStatus.REJECTED)
    if "order_rejected" in kinds:
        assert kinds == ["order_rejected"]
    if order.task is None and order.status is OrderStatus.ALLOCATED:
        assert decisions == ["order_confirmed"]
    if order.task is None and order.status is OrderStatus.BACKORDERED:
        assert kinds[0] == "order_backordered"
        assert not decisions
    if order.status is OrderStatus.ALLOCATING:
        assert not kinds


def check_shipments(order: Order, told: Sequence[Notification]) -> None:
    """Every shipment that is not under way was told with all its units."""
    under_way = order.task.shipment_id if order.task is not None else None
    done = [s for s in order.shipments if s.shipment_id != under_way]
    assert [fact.data["shipment"]["id"] for fact in told] == [s.shipment_id for s in done]
    assert [fact.data["shipment"]["units"] for fact in told] == [s.units for s in done]
    if order.status is OrderStatus.SHIPPED and order.totals.shipped == order.totals.ordered:
        assert [fact.data["complete"] for fact in told] == [False] * (len(told) - 1) + [True]


FAULTS = ("none", "none", "refused", "unavailable", "lost", "crash")
schedules = st.lists(
    st.tuples(st.sampled_from(FAULTS), st.integers(0, 6), st.integers(0, 2**32)),
    min_size=1,
    max_size=12,
)


@given(moves, schedules)
def test_everything_is_told_in_order_whatever_happens(
    history: list[Move], schedule: list[tuple[str, int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        shop = Shop(folder, history)
        sent: list[Notification] = []
        repeats = 0
        for fault, at, seed in schedule:
            channel, died = deliver(shop, some(shop.log, random.Random(seed)), fault, at)
            sent += channel.sent
            repeats += len(channel.sent) if channel.lost else int(died)
        shop.now += 2 * LEASE_SECONDS
        last = Recording(CHANNEL)
        assert shop.notifier(last).handle(shop.log) == {}
        sent += last.sent
        expected = ids(shop.expected())
        again = Recording(CHANNEL)
        assert shop.notifier(again).handle(shop.log) == {}
        shop.close()
    assert by_stream(sent) == expected
    assert len(sent) - sum(map(len, expected.values())) <= repeats * 2, "an event has 2 facts"
    if not any(fault in ("lost", "crash") for fault, _, _ in schedule):
        assert len(sent) == sum(map(len, expected.values()))
    assert again.sent == []


def some(log: Sequence[StoredEvent], chance: random.Random) -> list[StoredEvent]:
    """Some events of the log, in any order, some of them twice."""
    return [chance.choice(log) for _ in range(chance.randrange(1, 2 * len(log)))]


def deliver(
    shop: Shop, events: Sequence[StoredEvent], fault: str, at: int
) -> tuple[Recording, bool]:
    """One batch to one process, to which something happens; answers whether it died."""
    channel = Recording(CHANNEL)

    def plan(_: Notification) -> Refused | Unavailable | None:
        if len(channel.tried) <= at:
            return None
        channel.lost = fault == "lost"
        return Refused("no") if fault == "refused" else Unavailable("not now")

    if fault in ("refused", "unavailable"):
        channel.plan = plan
    if fault == "lost":
        # From now on everything arrives, and no answer comes back.
        channel.plan, channel.lost = (lambda _: Unavailable("no answer")), True
    died = True
    with suppress(Crash):
        shop.notifier(channel, at if fault == "crash" else None).handle(events)
        died = False
    if died:
        shop.now += 2 * LEASE_SECONDS
    return channel, died
