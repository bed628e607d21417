"""An import writes batches of commits; other writers and crashes don't change what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.bootstrap import open_ledger
from ledger.importing import OnlineRetailImporter, retail_importer
from ledger.service import Context, Ledger, OrderRequestLine, PlaceOrder, ReceiptLine, ReceiveStock
from ledger.settings import Settings
from ledger.verify import verify
from tests.integration.importing_support import (
    RetailRow,
    event_count,
    history,
    ledger_in,
    retail_file,
)
from tests.integration.test_import_crash import Crash

ROWS: list[RetailRow] = [
    ("1", "A", 3),
    ("1", "B", 2),
    ("2", "A", 4),
    ("3", "A", -9, "counted"),
    *(("4", f"S{number:03}", 1) for number in range(95)),
    ("C5", "A", -1),
    ("6", "A", 2),
]
SMALL = 3
"""Rows per batch."""


@pytest.fixture
def retail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(retail_importer, "BATCH_ROWS", SMALL)
    return retail_file(tmp_path / "retail.csv", ROWS)


def bulk_ledger_in(folder: Path, name: str = "bulk.db") -> Ledger:
    return open_ledger(Settings(store=f"sqlite:{folder / name}"), bulk=True)


def run(ledger: Ledger, retail: Path) -> OnlineRetailImporter:
    importer = OnlineRetailImporter(ledger, location="main")
    importer.import_file(retail)
    return importer


def after_commits(ledger: Ledger, count: int, act: Callable[[], object]) -> None:
    """Call `act` once, right after so many commits."""
    left = [count]

    def committed(_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            act()

    ledger.listen(committed)


def test_batches_tell_the_same_history(tmp_path: Path, retail: Path) -> None:
    one_by_one, bulk = ledger_in(tmp_path), bulk_ledger_in(tmp_path)
    told = run(one_by_one, retail).summary
    assert run(bulk, retail).summary == told
    assert list(history(bulk).items()) == list(history(one_by_one).items())
    assert verify(bulk.recorder).ok

    before = event_count(bulk)
    again = run(bulk, retail).summary
    assert event_count(bulk) == before
    assert again == run(one_by_one, retail).summary


def test_another_writer_in_the_middle_of_a_batch(tmp_path: Path, retail: Path) -> None:
    """What is sold elsewhere stays sold, and every row is accounted for once."""
    bulk, other = bulk_ledger_in(tmp_path), ledger_in(tmp_path, "bulk.db")
    whole = run(ledger_in(tmp_path), retail).summary

    def trade() -> None:
        other.handle(ReceiveStock((ReceiptLine("A", "main", 5),)), Context(actor="other"))
        line = OrderRequestLine("A", 5)
        other.handle(PlaceOrder((line,), order_id="other"), Context(actor="other"))

    after_commits(bulk, 2, trade)
    assert run(bulk, retail).summary == whole
    order = bulk.history.order("other")
    assert order is not None
    assert order.totals.reserved == 5
    assert verify(bulk.recorder).ok


def test_another_import_took_the_order(tmp_path: Path, retail: Path) -> None:
    """A command record that somebody else writes first is found at the end of the batch."""
    bulk = bulk_ledger_in(tmp_path)
    after_commits(bulk, 2, lambda: run(ledger_in(tmp_path, "bulk.db"), retail))
    assert run(bulk, retail).summary.ok
    alone = ledger_in(tmp_path)
    run(alone, retail)
    assert history(bulk) == history(alone)
    assert verify(bulk.recorder).ok


def test_a_crash_after_any_commit(tmp_path: Path, retail: Path) -> None:
    whole = ledger_in(tmp_path)
    commits = [0]
    whole.listen(lambda _: commits.__setitem__(0, commits[0] + 1))
    run(whole, retail)
    told = history(whole)
    assert commits[0] >= 10

    for fatal in range(1, commits[0] + 1):
        name = f"crash-{fatal}.db"
        crashing = bulk_ledger_in(tmp_path, name)

        def die() -> None:
            raise Crash

        after_commits(crashing, fatal, die)
        with pytest.raises(Crash):
            run(crashing, retail)
        # A process that goes on must not build on what doesn't stand.
        receipt = ReceiveStock((ReceiptLine("Z", "main", 1),))
        crashing.handle(receipt, Context(actor="other"))
        assert verify(crashing.recorder).ok
        crashing.close()
        again = bulk_ledger_in(tmp_path, name)
        run(again, retail)
        after = history(again)
        assert after.pop("stock:Z@main")
        assert after == told, f"crash after commit {fatal}"
        again.close()
