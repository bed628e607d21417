"""Online Retail files become history: the right events, once, whatever happens in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.domain.order import OrderStatus
from ledger.domain.values import OrderPolicy
from ledger.importing import Fate, OnlineRetailImporter, Summary
from ledger.service import (
    AdjustStock,
    Context,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
)
from ledger.service.commands import AdjustmentLine
from ledger.verify import verify
from tests.integration.importing_support import (
    RETAIL_SAMPLE,
    RetailRow,
    event_count,
    history,
    ledger_in,
    on_hand,
    retail_file,
    types_of,
)

TODAY = Context(actor="clerk")


def run(ledger: Ledger, path: Path, short: OrderPolicy | None = None) -> Summary:
    importer = OnlineRetailImporter(ledger, location="main", short=short)
    importer.import_file(path)
    return importer.summary


def run_rows(ledger: Ledger, folder: Path, *rows: RetailRow) -> Summary:
    return run(ledger, retail_file(folder / "rows.csv", rows))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return ledger_in(tmp_path)


def test_the_sample_is_imported_whole_and_once(ledger: Ledger) -> None:
    first = run(ledger, RETAIL_SAMPLE)
    events = event_count(ledger)
    second = run(ledger, RETAIL_SAMPLE)

    assert first.rows_read == 60
    assert first.by_fate() == {
        Fate.SHIPPED: 34,
        Fate.RETURNED: 6,
        Fate.ADJUSTED: 7,
        Fate.FEE: 12,
        Fate.ZERO: 1,
    }
    assert first.ok
    assert event_count(ledger) == events
    assert second.by_fate() == first.by_fate()
    assert second.received == 0
    assert sum(tally.before for tally in second.tallies.values()) == 34 + 6 + 7
    assert verify(ledger.recorder).ok


def test_a_sale_is_received_on_demand_ordered_and_shipped(ledger: Ledger, tmp_path: Path) -> None:
    line = ReceiptLine("A", "main", 4)
    ledger.handle(ReceiveStock((line,)), TODAY)

    summary = run_rows(ledger, tmp_path, ("1", "A", 6), ("1", "K", 2), ("1", "A", 3))

    order = ledger.history.order("1")
    assert order is not None
    assert (order.status, order.customer) == (OrderStatus.SHIPPED, "41001")
    assert [(line.sku, line.shipped) for line in order.lines.values()] == [
        ("A", 6),
        ("K", 2),
        ("A", 3),
    ]
    assert order.shipments[0].reference == "invoice 1 of 2026-03-02 08:31:00"
    receipt = ledger.history.events("stock:A@main")[1].data
    assert receipt["quantity"] == 5
    assert receipt["reference"] == "received on demand for invoice 1 of 2026-03-02 08:31:00"
    assert summary.received == 7
    assert types_of(ledger, "stock:K@main") == ["StockReceived", "StockReserved", "StockShipped"]


def test_an_order_larger_than_a_commit_is_finished(ledger: Ledger, tmp_path: Path) -> None:
    rows = [("1", f"S{number}", 2) for number in range(200)]

    summary = run_rows(ledger, tmp_path, *rows)

    order = ledger.history.order("1")
    assert order is not None
    assert (order.status, order.task) == (OrderStatus.SHIPPED, None)
    assert summary.by_fate() == {Fate.SHIPPED: 200}
    assert set(on_hand(ledger).values()) == {0}


def test_a_cancellation_may_exceed_what_was_bought(ledger: Ledger, tmp_path: Path) -> None:
    run_rows(ledger, tmp_path, ("1", "A", 2), ("C2", "A", -5))

    assert on_hand(ledger) == {("A", "main"): 5}
    returned = ledger.history.events("stock:A@main")[-1]
    assert returned.type == "StockReturned"
    assert returned.data["reference"] == "invoice C2 of 2026-03-02 08:31:00"


def test_a_correction_larger_than_the_stock_receives_what_it_lacks(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 4),)), TODAY)

    run_rows(ledger, tmp_path, ("1", "A", -10, "thrown away"), ("2", "A", -1, ""))

    told = [(e.type, e.data.get("reason")) for e in ledger.history.events("stock:A@main")]
    assert told == [
        ("StockReceived", None),
        ("StockReceived", None),
        ("StockAdjusted", "thrown away"),
        ("StockReceived", None),
        ("StockAdjusted", "no reason given"),
    ]
    assert on_hand(ledger) == {("A", "main"): 0}


def test_an_unreadable_row_holds_its_invoice_back_until_it_is_mended(
    ledger: Ledger, tmp_path: Path
) -> None:
    broken = run_rows(ledger, tmp_path, ("1", "A", 2), ("1", "K:C", 1), ("1", "POST", 1))

    assert event_count(ledger) == 0
    assert broken.by_fate() == {Fate.UNREADABLE: 1, Fate.HELD_BACK: 1, Fate.FEE: 1}
    assert "rows.csv, line 3: invoice 1, K:C, quantity 1: StockCode 'K:C'" in broken.findings[0]

    mended = run_rows(ledger, tmp_path, ("1", "A", 2), ("1", "K-C", 1), ("1", "POST", 1))
    assert mended.by_fate() == {Fate.SHIPPED: 2, Fate.FEE: 1}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([("1", "A", 2)], [("1", "A", 3)]),
        ([("1", "A", 2)], [("1", "A", 2), ("1", "K", 2)]),
        ([("C1", "A", -2)], [("C1", "A", -3)]),
        ([("1", "A", -2)], [("1", "A", -2, "another reason")]),
        ([("1", "A", -2)], [("1", "A", -2), ("1", "A", -2)]),
        (
            [("C1", f"S{n}", -1) for n in range(95)],
            [("C1", f"S{n}", -1 - n // 94) for n in range(96)],
        ),
    ],
)
def test_an_invoice_that_changed_is_reported_and_left_alone(
    ledger: Ledger, tmp_path: Path, before: list[RetailRow], after: list[RetailRow]
) -> None:
    run_rows(ledger, tmp_path, *before)
    told = history(ledger)

    summary = run_rows(ledger, tmp_path, *after)

    assert history(ledger) == told
    assert summary.by_fate() == {Fate.CHANGED: len(after)}
    assert "was imported before with other rows or options" in summary.findings[0]


def test_an_invoice_spread_over_two_files_is_reported(ledger: Ledger, tmp_path: Path) -> None:
    importer = OnlineRetailImporter(ledger, location="main")
    importer.import_file(retail_file(tmp_path / "one.csv", [("1", "A", 2)]))
    importer.import_file(retail_file(tmp_path / "two.csv", [("1", "K", 2), ("2", "K", 1)]))

    assert importer.summary.by_fate() == {Fate.SHIPPED: 2, Fate.CHANGED: 1}
    assert "two.csv, line 2: invoice 1" in importer.summary.findings[0]


def test_an_order_of_that_name_from_elsewhere_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    ledger.handle(PlaceOrder((OrderRequestLine("A", 1),), order_id="1"), TODAY)

    summary = run_rows(ledger, tmp_path, ("1", "A", 1))

    assert summary.by_fate() == {Fate.REFUSED: 1}
    assert "order 1 exists already" in summary.findings[0]
    assert on_hand(ledger) == {}


def test_stock_taken_between_a_crash_and_its_repair_is_received_again(
    ledger: Ledger, tmp_path: Path
) -> None:
    path = retail_file(tmp_path / "rows.csv", [("1", "A", 5), ("1", "K", 5)])
    crashing = ledger_in(tmp_path)
    crashing.listen(_crash)
    with pytest.raises(SystemError):
        run(crashing, path)
    other = AdjustStock((AdjustmentLine("A", "main", -2, "theft"),))
    ledger.handle(other, TODAY)

    summary = run(ledger, path)

    assert summary.by_fate() == {Fate.SHIPPED: 2}
    assert summary.received == 2
    assert set(on_hand(ledger).values()) == {0}


def _crash(_: object) -> None:
    raise SystemError("the machine stopped")
