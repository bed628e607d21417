"""A consumer: which messages come again, which are given up, and what is told of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.codec import Recorded, decode
from ledger.errors import Contention
from projections.delivery.consumer import Consumer
from projections.delivery.meters import Totals
from projections.notifications.marks import Claimed
from projections.store.base import ViewStoreBusy
from tests.support.delivery import (
    COMMAND,
    Letters,
    failures,
    message,
    placed,
    queue_event,
    received,
)

NOW = datetime(2026, 11, 22, 9, 39, 58, 123456, tzinfo=UTC)
"""Two seconds after the events of the tests."""


class Handler:
    """Handles events, except those of some streams."""

    def __init__(self, *failing: str, error: Exception | None = None) -> None:
        self.failing = failing
        self.error = error
        self.seen: list[tuple[str, int]] = []

    def __call__(self, events: Sequence[Recorded]) -> Mapping[str, Exception]:
        if self.error is not None:
            raise self.error
        self.seen += [(event.stream, event.version) for event in events]
        return {stream: ValueError("no") for stream in self.failing}


def consumer(handler: Handler, letters: Letters | None = None, **options: Any) -> Consumer:
    events = {("stock:BIG@main", 1): decode(received("BIG"))}
    options = {"clock": lambda: NOW, **options}
    return Consumer("orders", handler, lambda s, v: events.get((s, v)), letters, **options)


def test_a_batch_is_handled_at_once() -> None:
    handler, totals = Handler(), Totals()
    batch = queue_event(message(received("A")), message(placed("o")), message(received("A", 2)))
    assert failures(consumer(handler, meter=totals)(batch)) == []
    assert handler.seen == [("stock:A@main", 1), ("order:o", 1), ("stock:A@main", 2)]
    assert totals.newest("ProjectionLagMs") == 2000.0
    assert totals.count("Failed") == 0


def test_a_stream_that_fails_fails_exactly_its_messages() -> None:
    handler, totals = Handler("stock:A@main"), Totals()
    batch = queue_event(message(received("A")), message(placed("o")), message(received("A", 2)))
    assert failures(consumer(handler, meter=totals)(batch)) == ["m1", "m3"]
    assert totals.count("Failed") == 2


def test_a_handler_that_raises_fails_all() -> None:
    handler = Handler(error=OSError("down"))
    batch = queue_event(message(received("A")), message(placed("o")))
    assert failures(consumer(handler)(batch)) == ["m1", "m2"]


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", '"x"', "{}", '{"detail": 7}', '{"detail": {"subject": "x"}}']
)
def test_what_cant_be_read_fails_alone(body: str) -> None:
    handler = Handler()
    batch = queue_event(message(received("A")), body, message(placed("o")))
    assert failures(consumer(handler)(batch)) == ["m2"]
    assert len(handler.seen) == 2


def test_data_that_did_not_travel_is_read() -> None:
    handler = Handler()
    batch = queue_event(
        message(received("BIG"), with_data=False), message(received("GONE"), with_data=False)
    )
    assert failures(consumer(handler)(batch)) == ["m2"]
    assert handler.seen == [("stock:BIG@main", 1)]


def test_at_its_last_receipt_a_message_is_put_away_with_the_reason() -> None:
    letters, totals = Letters(), Totals()
    handler = Handler("stock:A@main")
    take = consumer(handler, letters, max_receives=5, meter=totals)
    bodies = (message(received("A")), message(placed("o")), "{}")
    assert failures(take(queue_event(*bodies, receives=4))) == ["m1", "m3"]
    assert letters.all == []
    assert failures(take(queue_event(*bodies, receives=5))) == []
    first, second = letters.all
    assert (first.consumer, first.body, first.reason) == ("orders", bodies[0], "ValueError: no")
    assert first.failed_at == "2026-11-22T09:39:58.123456Z"
    assert (second.body, "no detail" in second.reason) == ("{}", True)
    assert (totals.count("Failed"), totals.count("DeadLettered")) == (4, 2)


@pytest.mark.parametrize("letters", [None, Letters(OSError("down"))])
def test_what_cant_be_put_away_comes_again(letters: Letters | None) -> None:
    take = consumer(Handler("stock:A@main"), letters)
    assert failures(take(queue_event(message(received("A")), receives=9))) == ["m1"]


def test_who_acts_on_news_leaves_history_alone() -> None:
    handler, totals = Handler(), Totals()
    batch = queue_event(message(received("A"), replay="r"), message(received("A", 2)))
    take = consumer(handler, takes_replays=False, meter=totals)
    assert failures(take(batch)) == []
    assert (handler.seen, totals.count("Skipped")) == ([("stock:A@main", 2)], 1)


def test_history_does_not_count_as_late() -> None:
    handler, totals = Handler(), Totals()
    batch = queue_event(message(received("A"), replay="r"))
    assert failures(consumer(handler, meter=totals)(batch)) == []
    assert (len(handler.seen), totals.newest("ProjectionLagMs")) == (1, None)


def test_the_lag_is_that_of_the_stream_that_is_furthest_behind() -> None:
    totals = Totals()
    batch = queue_event(
        message(received("A", 1, at="2026-11-22T09:00:00.000000Z")),
        message(received("A", 2, at="2026-11-22T09:39:58.123456Z")),
        message(received("B", 1, at="2026-11-22T09:39:57.123456Z")),
        message(received("C", 1, at="2026-11-22T09:00:00.000000Z")),
    )
    consumer(Handler("stock:C@main"), meter=totals)(batch)
    assert totals.newest("ProjectionLagMs") == 1000.0


def test_a_schedule_asks_for_a_sweep() -> None:
    swept: list[bool] = []
    take = consumer(Handler(), sweep=lambda: swept.append(True))
    assert take.sweeps
    assert failures(take({"sweep": True})) == []
    assert swept == [True]
    assert not consumer(Handler()).sweeps


def test_lines_of_the_log_are_found_by_the_command(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    batch = queue_event(message(received("A")), message(received("B")))
    consumer(Handler("stock:B@main"))(batch)
    handled, failed = caplog.records
    assert (handled.levelname, failed.levelname) == ("INFO", "WARNING")
    assert "stock:B@main version 1" in failed.message
    for line in (handled, failed):
        assert line.__dict__["correlation_id"] == COMMAND


def test_reasons_fit_into_an_attribute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)  # the log has the error as it is: workers can't pass it on
    letters = Letters()
    handler = Handler(error=ValueError("two\nlines\x00 and \ud800" + "x" * 5000))
    consumer(handler, letters)(queue_event(message(received("A")), receives=5))
    (letter,) = letters.all
    assert letter.reason.startswith("ValueError: two lines and xxx")
    assert len(letter.reason) == 1000
    json.dumps(letter.reason).encode()


@pytest.mark.parametrize("error", [Contention("throttled"), ViewStoreBusy("away"), Claimed("s")])
def test_what_passes_by_itself_is_never_given_up(error: Exception) -> None:
    letters = Letters()
    batch = queue_event(message(received("A")), receives=1_000)
    assert failures(consumer(Handler(error=error), letters)(batch)) == ["m1"]
    assert letters.all == []
