"""What a notifier does when receivers fail and others are at work: nothing lost, nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.persistence import OperationalError

from projections.notifications.channels.base import Refused, Unavailable, Undelivered
from projections.notifications.marks import Advance, Claimed
from projections.notifications.notification import Notification
from projections.notifications.notifier import Notifier, handle_all
from projections.notifications.sqlite_marks import SQLiteMarks
from projections.runner import EventsMissing
from tests.support.notifications import Recording
from tests.support.notified import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def test_a_refusal_holds_its_own_stream_and_no_other(shop: Shop) -> None:
    shop.turn_over("S0")
    shop.turn_over("S1")
    shop.turn_over("S0")

    def no(notification: Notification) -> Undelivered | None:
        return Refused("no") if notification.version == 3 else None

    channel = Recording(plan=no)
    failed = shop.notifier(channel).handle(shop.world.log())
    assert list(failed) == ["stock:S0@A"]
    assert [(n.stream, n.version) for n in channel.sent] == [("stock:S0@A", 2), ("stock:S1@A", 2)]
    assert shop.marks(channel).versions(["stock:S0@A"]) == {"stock:S0@A": 2}

    channel.plan = lambda _: None
    assert shop.notifier(channel).handle(shop.world.log()) == {}
    assert [(n.stream, n.version) for n in channel.sent[2:]] == [
        ("stock:S0@A", 3),
        ("stock:S0@A", 4),
    ]


def test_a_channel_that_is_down_is_tried_twice_in_a_batch_and_not_a_hundred_times(
    shop: Shop,
) -> None:
    for number in range(6):
        shop.turn_over(f"S{number}")
    shop.receive("quiet", 1)
    channel = Recording(plan=lambda _: Unavailable("not now"))
    failed = shop.notifier(channel).handle(shop.world.log())
    assert len(failed) == 6
    assert len(channel.tried) == 2
    assert shop.marks(channel).versions(["stock:quiet@A"]) == {"stock:quiet@A": 1}
    assert shop.outcomes[0].down

    channel.plan = lambda _: None
    assert shop.notifier(channel).handle(shop.world.log()) == {}
    assert len(channel.sent) == 6


def test_one_message_a_receiver_can_not_take_does_not_take_the_channel_down(shop: Shop) -> None:
    for number in range(6):
        shop.turn_over(f"S{number}")

    def no(notification: Notification) -> Undelivered | None:
        return Unavailable("500") if notification.stream in ("stock:S0@A", "stock:S3@A") else None

    channel = Recording(plan=no)
    failed = shop.notifier(channel).handle(shop.world.log())
    assert list(failed) == ["stock:S0@A", "stock:S3@A"]
    assert len(channel.sent) == 4


def test_a_stream_somebody_else_is_telling_is_left_to_them(shop: Shop) -> None:
    shop.turn_over("S0")
    channel = Recording()
    claim = shop.marks(channel).claim("stock:S0@A")
    assert claim is not None
    failed = shop.notifier(channel).handle(shop.world.log())
    assert isinstance(failed["stock:S0@A"], Claimed)
    assert channel.tried == []

    shop.marks(channel).mark(claim, 2, release=True)
    assert shop.notifier(channel).handle(shop.world.log()) == {}
    assert channel.tried == [], "they told it"


def test_a_gap_in_the_event_store_fails_the_stream(shop: Shop) -> None:
    shop.turn_over("S0")
    channel = Recording()
    outcome = shop.notifier(channel).tell({"stock:S0@A": 3, "stock:none@A": 1, "other:1": 5})
    assert {stream: type(error) for stream, error in outcome.failed.items()} == {
        "stock:S0@A": EventsMissing,
        "stock:none@A": EventsMissing,
    }


def test_when_the_marks_can_not_be_read_everything_failed(shop: Shop) -> None:
    shop.turn_over("S0")
    channel = Recording()

    class Broken(SQLiteMarks):
        def versions(self, _: object) -> dict[str, int]:
            raise OperationalError("gone")

    broken = Notifier(channel, Broken(shop.file, "recording"), shop.history, clock=shop.clock)
    assert list(broken.handle(shop.world.log())) == ["stock:S0@A"]


def test_one_channels_failure_is_not_a_repetition_for_another(shop: Shop) -> None:
    shop.turn_over("S0")
    fine, down = Recording("fine"), Recording("down", plan=lambda _: Unavailable("not now"))
    notifiers = [shop.notifier(down), shop.notifier(fine)]

    for _ in range(3):
        assert list(handle_all(notifiers, shop.world.log())) == ["stock:S0@A"]
    down.plan = lambda _: None
    assert handle_all(notifiers, shop.world.log()) == {}

    assert len(fine.sent) == len(down.sent) == 1


def test_many_that_are_told_the_same_send_everything_once(shop: Shop) -> None:
    for number in range(4):
        shop.turn_over(f"S{number}", 3)
    log = shop.world.log()
    channel = Recording()
    start = threading.Barrier(4)

    def work(turn: int) -> None:
        start.wait()
        notifier = shop.notifier(channel)
        for at in range(turn, len(log) + turn):
            notifier.handle([log[at % len(log)]])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, (0, 5, 11, 17)))
    shop.notifier(channel).handle(log)

    assert len(channel.ids) == len(set(channel.ids)) == 20
    for number in range(4):
        versions = [n.version for n in channel.sent if n.stream == f"stock:S{number}@A"]
        assert versions == list(range(2, 7))


def test_a_mark_somebody_moved_meanwhile_is_respected(shop: Shop) -> None:
    shop.turn_over("S0", 2)
    channel = Recording()

    class Late(SQLiteMarks):
        """Somebody tells the first half between the look at the mark and the claim."""

        def versions(self, _: object) -> dict[str, int]:
            found = {"stock:S0@A": 0}
            self.advance([Advance("stock:S0@A", 0, 2)])
            return found

    late = Late(shop.file, "recording", clock=lambda: shop.now.timestamp())
    notifier = Notifier(channel, late, shop.history, clock=shop.clock)
    assert notifier.handle(shop.world.log()) == {}
    assert [notification.version for notification in channel.sent] == [3, 4]
