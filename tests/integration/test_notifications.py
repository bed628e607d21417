"""What a notifier sends of a real history, and what it passes over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.codec import decode
from ledger.domain.streams import stock_stream
from ledger.service import commands
from projections.notifications import reading
from projections.notifications.channels.log import LogChannel
from projections.notifications.notification import Kind
from projections.notifications.notifier import IMPORTER, Outcome
from tests.support.notifications import Recording
from tests.support.notified import Shop, kinds


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def test_what_was_told_costs_one_read_of_the_mark(shop: Shop) -> None:
    shop.turn_over("S0", 3)
    channel = Recording()
    notifier = shop.notifier(channel)
    newest = shop.world.log()[-1:]

    assert notifier.handle(newest) == {}
    assert kinds(channel) == ["out_of_stock"] + ["back_in_stock", "out_of_stock"] * 2
    reads = shop.history.reads

    assert notifier.handle(newest) == {}
    assert notifier.handle([decode(event) for event in shop.world.log()]) == {}
    assert shop.history.reads == reads
    assert len(channel.sent) == 5
    assert [outcome.sent for outcome in shop.outcomes] == [5, 0, 0]


def test_events_without_a_fact_move_the_mark_without_a_claim(shop: Shop) -> None:
    shop.receive("S0", 5)
    channel = Recording()
    assert shop.notifier(channel).handle(shop.world.log()) == {}
    assert shop.marks(channel).versions([stock_stream("S0", "A")]) == {"stock:S0@A": 1}
    assert channel.tried == []


def test_a_very_long_gap_is_closed_page_by_page(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("reading", "notifier"):
        monkeypatch.setattr(f"projections.notifications.{module}.PAGE", 3)
    shop.turn_over("S0", 10)
    channel = Recording()
    assert shop.notifier(channel).handle(shop.world.log()[-1:]) == {}
    assert [notification.version for notification in channel.sent] == list(range(2, 21))


def test_that_a_position_was_stocked_is_found_far_back(shop: Shop) -> None:
    """Also when the mark stands on an event at which there was nothing."""
    command = commands.SetPositionPolicy("S0", "A", 1)
    for _ in range(reading.PAGE // 50):
        shop.world.handle(command)
    shop.turn_over("S0")
    channel = Recording()
    notifier = shop.notifier(channel)
    assert notifier.handle(shop.world.log()) == {}
    for _ in range(3):
        shop.world.handle(commands.SetPositionPolicy("S0", "A", 2))
        assert notifier.handle(shop.world.log()[-1:]) == {}
    shop.receive("S0", 9)
    assert notifier.handle(shop.world.log()[-1:]) == {}
    assert kinds(channel)[-1] == "back_in_stock"


def test_a_channel_hears_only_what_it_wants(shop: Shop) -> None:
    shop.turn_over("S0", 2)
    some = Recording("some", (Kind.BACK_IN_STOCK,))
    assert shop.notifier(some).handle(shop.world.log()) == {}
    assert kinds(some) == ["back_in_stock"]
    assert shop.outcomes[0].skipped_old == 0, "what nobody wants is not missed"


def test_old_facts_are_passed_over_and_counted(shop: Shop) -> None:
    shop.turn_over("S0", 2)
    shop.now += timedelta(days=7)
    shop.world.pass_time(7 * 24 * 3600 + 1800)
    shop.turn_over("S0")
    channel = Recording()
    assert shop.notifier(channel).handle(shop.world.log()[-1:]) == {}
    assert kinds(channel) == ["back_in_stock", "out_of_stock"]
    assert (shop.outcomes[0].sent, shop.outcomes[0].skipped_old) == (2, 3)

    assert shop.notifier(channel).handle(shop.world.log()) == {}
    assert shop.outcomes[1] == Outcome("recording")


def test_imported_history_is_not_news(shop: Shop) -> None:
    shop.turn_over("S0", 2, actor=IMPORTER)
    shop.turn_over("S0")
    channel = Recording()
    assert shop.notifier(channel).handle(shop.world.log()) == {}
    assert kinds(channel) == ["back_in_stock", "out_of_stock"]
    assert (shop.outcomes[0].sent, shop.outcomes[0].skipped_imported) == (2, 3)


def test_the_log_channel_writes_one_line_of_json(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.turn_over("S0")
    channel = LogChannel()
    assert shop.notifier(channel).handle(shop.world.log()) == {}
    (line,) = [r.getMessage() for r in caplog.records if r.name == "ledger.notifications"]
    assert json.loads(line)["kind"] == "out_of_stock"
    assert "\n" not in line
