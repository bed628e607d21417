"""Reads from the streams: as-of answers, pages and orders at a version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.service import (
    Context,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ShipOrder,
)
from ledger.service.clock import instant
from ledger.store.sqlite import open_recorder

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_an_as_of_read_is_the_newest_event_not_after_the_instant(tmp_path: Path) -> None:
    """Ten receipts an hour apart, but the clock is set back three hours after the fifth."""
    times = [START + timedelta(hours=h) for h in (0, 1, 2, 3, 4, 1, 2, 3, 4, 5)]
    clock = iter(times)
    ledger = Ledger(open_recorder(tmp_path / "l.db"), clock=lambda: next(clock))
    for _ in times:
        ledger.handle(ReceiveStock((ReceiptLine("A", "main", 1),)), Context())
    events = ledger.history.events("stock:A@main")
    assert [e.at for e in events] == sorted({e.at for e in events}), "time never runs backwards"
    for probe in [START + timedelta(minutes=m) for m in range(-30, 400, 15)]:
        expected = [e for e in events if e.at <= instant(probe)]
        found = ledger.history.as_of("stock:A@main", instant(probe))
        assert (found.version if found else 0) == len(expected)
    assert ledger.history.as_of("stock:B@main", instant(START)) is None


def test_an_order_can_be_read_as_it_was_at_a_version(tmp_path: Path) -> None:
    ledger = Ledger(open_recorder(tmp_path / "l.db"))
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 5),)), Context())
    ledger.handle(PlaceOrder((OrderRequestLine("A", 5),), "o"), Context())
    ledger.handle(ShipOrder("o"), Context())
    then, now = ledger.history.order("o", 1), ledger.history.order("o")
    assert then is not None
    assert now is not None
    assert (then.status, now.status) == ("allocated", "shipped")
    assert ledger.history.order("p") is None


def test_the_feed_is_read_in_pages_whole_or_by_stream(tmp_path: Path) -> None:
    ledger = Ledger(open_recorder(tmp_path / "l.db"))
    for sku in "ABABA":
        ledger.handle(ReceiveStock((ReceiptLine(sku, "main", 1),)), Context())
    first = ledger.history.feed(0, 3)
    rest = ledger.history.feed(first[-1][0], 3)
    assert [r.stream[6] for _, r in first + rest] == list("ABABA")
    assert [p for p, _ in ledger.history.feed(1, 9, "stock:A@main")] == [2, 3]
    assert [r.version for r in ledger.history.walk("stock:A@main", gt=1)] == [2, 3]
