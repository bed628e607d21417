"""A crash after any commit of an import is finished by importing again, exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.domain.values import OrderPolicy
from ledger.importing import OnlineRetailImporter, StockImporter
from ledger.service import Ledger
from ledger.verify import verify
from tests.integration.importing_support import RetailRow, history, ledger_in, retail_file

ROWS: list[RetailRow] = [
    ("1", "A", 3),
    ("1", "A", 2),
    ("1", "K", 4),
    ("1", "K", -6, "damages"),
    ("1", "C", -1, "damages"),
    *(("2", f"S{number:03}", 1 + number % 3) for number in range(95)),
    *(("C3", f"S{number:03}", -1) for number in range(92)),
    ("4", "A", -9, "counted"),
    ("5", "S001", 4),
]


class Crash(BaseException):
    """The process dies."""


class Commits:
    """Counts commits, and dies right after the one it was told to."""

    def __init__(self, ledger: Ledger, fatal: int | None = None) -> None:
        self.count = 0
        self._fatal = fatal
        ledger.listen(self._committed)

    def _committed(self, _: object) -> None:
        self.count += 1
        if self.count == self._fatal:
            raise Crash


def run(ledger: Ledger, retail: Path, stock: Path, short: OrderPolicy | None) -> None:
    if short is not None:
        StockImporter(ledger).import_file(stock)
    importer = OnlineRetailImporter(ledger, location="main", short=short)
    importer.import_file(retail)


@pytest.mark.parametrize("short", [None, OrderPolicy.PARTIAL, OrderPolicy.ALL_OR_NOTHING])
def test_a_crash_after_any_commit(tmp_path: Path, short: OrderPolicy | None) -> None:
    retail = retail_file(tmp_path / "retail.csv", ROWS)
    stock = tmp_path / "stock.csv"
    lots = "".join(f"S{number:03},main,{number % 3}\n" for number in range(95))
    stock.write_text(f"sku,location,quantity\nA,main,4\nA,main,2\n{lots}", encoding="utf-8")
    whole = ledger_in(tmp_path)
    commits = Commits(whole)
    run(whole, retail, stock, short)
    told = history(whole)
    assert commits.count >= 10

    for fatal in range(1, commits.count + 1):
        name = f"crash-{fatal}.db"
        crashing = ledger_in(tmp_path, name)
        Commits(crashing, fatal)
        with pytest.raises(Crash):
            run(crashing, retail, stock, short)
        crashing.close()
        again = ledger_in(tmp_path, name)
        run(again, retail, stock, short)
        assert history(again) == told, f"crash after commit {fatal}"
        assert verify(again.recorder).ok
        again.close()
