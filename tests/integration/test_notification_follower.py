"""Following the embedded store's log: nothing lost, nothing held up, whoever is killed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.service import commands
from ledger.service.history import History
from projections.notifications.channels.base import Refused, Unavailable, Undelivered
from projections.notifications.follower import LogFollower
from projections.notifications.marks_file import MarksFile
from projections.notifications.notification import Notification
from projections.notifications.notifier import Notifier
from projections.notifications.progress import SQLiteProgress
from projections.notifications.sqlite_marks import SQLiteMarks
from tests.support.histories import START, World
from tests.support.notifications import Recording

PAGE = 5


class Shop:
    """A ledger on a file, a clock of the follower's own, and how far it is."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.file = MarksFile(self.world.path)
        self.progress = SQLiteProgress(self.file)
        self.now = START.timestamp() + 3600

    def follower(self, *channels: Recording) -> LogFollower:
        """As a process that has just started has it."""
        notifiers = [
            Notifier(
                channel,
                SQLiteMarks(self.file, channel.name, clock=lambda: self.now),
                History(self.world.recorder),
                clock=lambda: START + timedelta(hours=1),
            )
            for channel in channels
        ]
        return LogFollower(
            self.world.recorder, notifiers, self.file, page=PAGE, clock=lambda: self.now
        )

    def sell_out(self, *skus: str) -> None:
        """Some stock comes and goes."""
        for sku in skus:
            receipt = commands.ReceiptLine(sku, "A", 1)
            self.world.handle(commands.ReceiveStock((receipt,)))
            line = commands.AdjustmentLine(sku, "A", -1, "count")
            self.world.handle(commands.AdjustStock((line,)))

    def follow(self, follower: LogFollower, seconds: float = 0) -> None:
        """Step until there is nothing more to do at once, after some time."""
        self.now += seconds
        while follower.step():
            pass


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.file.close()
    shop.world.recorder.close()


def skus(channel: Recording) -> list[str]:
    return [str(notification.data["sku"]) for notification in channel.sent]


def test_the_log_is_followed_page_by_page_and_once(shop: Shop) -> None:
    wanted = [f"S{n}" for n in range(10)]
    shop.sell_out(*wanted)
    channel = Recording()
    shop.follow(shop.follower(channel))
    assert skus(channel) == wanted
    assert shop.progress.position("recording") == 20

    shop.follow(shop.follower(channel))
    shop.sell_out("S0")
    shop.follow(shop.follower(channel))
    assert skus(channel) == [*wanted, "S0", "S0"], "back, and out again"


def test_what_is_refused_is_owed_and_holds_up_nothing(shop: Shop) -> None:
    shop.sell_out("S0", "S1", "S2")

    def no(notification: Notification) -> Undelivered | None:
        return Refused("no") if notification.data["sku"] == "S0" else None

    channel = Recording(plan=no)
    follower = shop.follower(channel)
    shop.follow(follower)
    assert skus(channel) == ["S1", "S2"]
    assert shop.progress.owed("recording") == 1

    for _ in range(20):
        shop.follow(follower)
    assert len(channel.tried) == 3, "not before its time"
    for pause, tries in ((5, 4), (5, 4), (5, 5), (20, 6), (40, 7)):
        shop.follow(follower, pause)
        assert len(channel.tried) == tries, pause

    shop.sell_out("S3")
    shop.follow(follower)
    assert skus(channel) == ["S1", "S2", "S3"]

    channel.plan = lambda _: None
    shop.follow(shop.follower(channel), 400)
    assert skus(channel) == ["S1", "S2", "S3", "S0"]
    assert shop.progress.owed("recording") == 0


def test_a_newer_event_settles_what_is_owed(shop: Shop) -> None:
    shop.sell_out("S0")
    channel = Recording(plan=lambda _: Refused("no"))
    follower = shop.follower(channel)
    shop.follow(follower)
    channel.plan = lambda _: None
    shop.sell_out("S0")
    shop.follow(follower)
    assert [n.version for n in channel.sent] == [2, 3, 4]
    assert shop.progress.owed("recording") == 0


def test_a_channel_that_is_down_is_left_alone_for_a_while_and_the_others_go_on(
    shop: Shop,
) -> None:
    shop.sell_out(*(f"S{n}" for n in range(20)))
    down, fine = Recording("down", plan=lambda _: Unavailable("not now")), Recording("fine")
    follower = shop.follower(down, fine)
    for _ in range(50):
        follower.step()
    assert len(fine.sent) == 20
    assert len(down.tried) == 2
    assert shop.progress.position("down") == PAGE, "the log keeps what comes after"

    down.plan = lambda _: None
    for _ in range(30):
        shop.follow(follower, 60)
    assert sorted(down.ids) == sorted(fine.ids)
    assert len(down.ids) == len(set(down.ids))
    assert shop.progress.owed("down") == 0


def test_a_page_that_was_not_remembered_is_handled_again_without_sending(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.sell_out("S0", "S1")
    channel = Recording()
    with monkeypatch.context() as patch:
        patch.setattr(SQLiteProgress, "save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shop.follower(channel).step()
    assert skus(channel) == ["S0", "S1"]
    assert shop.progress.position("recording") == 0

    shop.follow(shop.follower(channel))
    assert skus(channel) == ["S0", "S1"]


def test_followers_in_several_processes_share_the_work(shop: Shop) -> None:
    channel = Recording()
    one, other = shop.follower(channel), shop.follower(channel)
    for number in range(6):
        shop.sell_out(f"S{number}")
        shop.follow(one)
        shop.follow(other)
    assert skus(channel) == [f"S{n}" for n in range(6)]
