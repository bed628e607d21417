"""From settings to a receiver, on every kind of store."""

from __future__ import annotations

import json
from pathlib import Path

from ledger.bootstrap import open_event_store
from ledger.settings import Settings
from ledger.store.tables import create_table_request
from projections.notifications.bootstrap import open_follower, open_notifiers
from projections.notifications.dynamodb_marks import TABLE
from projections.notifications.marks import LEASE_SECONDS
from projections.notifications.notifier import Outcome
from tests.support.engines import Engines
from tests.support.event_stores import event_tables
from tests.support.notified import Shop
from tests.support.receivers import in_turn, receiving


def test_from_settings_to_a_receiver_on_the_embedded_store(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.turn_over("S0")
    shop.close()
    with receiving() as receiver:
        receiver.answer = in_turn(503, 204)
        settings = Settings(
            _env_file=None,
            store=f"sqlite:{shop.world.path}",
            notify_webhooks=json.dumps([{"url": receiver.url, "secret": "k" * 32}]),
            webhooks_allow_loopback=True,
            notify_max_age_seconds=10**9,
        )
        recorder = open_event_store(settings)
        follower = open_follower(recorder, settings)
        assert follower.step() is False
        follower.close()
        recorder.close()
    assert [json.loads(request.body)["kind"] for request in receiver.requests] == [
        "out_of_stock",
        "out_of_stock",
    ], "tried again after the 503"


def test_from_settings_to_marks_in_tables(engines: Engines, tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.turn_over("S0")
    log = shop.world.log()
    shop.close()
    with event_tables("moto", engines) as tables:
        tables.client.create_table(**create_table_request(tables.prefix, TABLE))
        settings = Settings(
            _env_file=None,
            store=f"dynamodb:{tables.prefix}",
            notify_log=True,
            notify_max_age_seconds=10**9,
        )
        recorder = tables.open()
        recorder.insert_events(log)
        outcomes: list[Outcome] = []
        (notifier,) = open_notifiers(recorder, settings, observe=outcomes.append)
        assert notifier.handle(log) == {}
        assert notifier.handle(log) == {}
    assert [(outcome.channel, outcome.sent) for outcome in outcomes] == [("log", 1), ("log", 0)]
    assert LEASE_SECONDS > 2 * 20, "two facts of one event, each with its whole budget"
