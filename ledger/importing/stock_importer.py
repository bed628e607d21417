"""Opening balances, brought into the ledger once.

An opening balance is the first thing that happens to a position, so history itself tells whether
it was imported: the n-th row of a position is its n-th event. A position whose history begins
otherwise is left alone, and the row reported. That makes an interrupted import resumable
whatever was done before it, and a changed file unable to count stock twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from ledger.codec import Recorded
from ledger.domain.errors import Refusal
from ledger.domain.events import StockReceived
from ledger.errors import IdempotencyKeyReused
from ledger.importing.retail_commands import digest
from ledger.importing.stock_csv import OpeningBalance, Problem, read_balances
from ledger.importing.summary import Fate, Summary
from ledger.service import Context, Idempotency, Ledger, ReceiptLine, ReceiveStock
from ledger.service.commands import MAX_STOCK_LINES

ROUTE: Final = "import/stock-csv"
ACTOR: Final = "import"
OTHER_HISTORY: Final = (
    "the position's history doesn't begin with this balance. Nothing was received; "
    "record a difference as a receipt or an adjustment"
)


class StockImporter:
    """Imports opening balances; `summary` accounts for all files together."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._file = ""
        self.summary = Summary()

    def import_file(self, path: Path, progress: Callable[[int], object] = lambda _: None) -> None:
        """Import one file; `progress` is told how many more rows are done.

        Raises
        ------
        InputError
            The file is not of this format.
        """
        self._file = str(path)
        rows = read_balances(path)
        missing = self._sort(rows)
        progress(len(rows) - len(missing))
        for at in range(0, len(missing), MAX_STOCK_LINES):
            part = missing[at : at + MAX_STOCK_LINES]
            self._receive(part)
            progress(len(part))
        self.summary.check()

    def _sort(self, rows: Sequence[OpeningBalance | Problem]) -> list[tuple[int, OpeningBalance]]:
        """Account for the rows that are not to be received; answer the others.

        Each comes with its place among its position's rows, counted from 1.
        """
        held_back = {row.position for row in rows if isinstance(row, Problem)}
        lots: dict[str, list[OpeningBalance]] = {}
        for row in rows:
            self.summary.read(row.quantity if isinstance(row, OpeningBalance) else 0)
            if isinstance(row, Problem):
                self._found(Fate.UNREADABLE, row, 0, row.why)
            elif row.quantity == 0:
                self.summary.add(Fate.ZERO, 0)
            elif row.position in held_back:
                why = "held back until the unreadable row of the position is mended"
                self._found(Fate.HELD_BACK, row, row.quantity, why)
            else:
                lots.setdefault(row.position, []).append(row)
        newest = self._ledger.history.newest_many(lots)
        missing: list[tuple[int, OpeningBalance]] = []
        for position, balances in lots.items():
            known = self._known(position, balances) if position in newest else 0
            missing += list(enumerate(balances, 1))[known:]
        return missing

    def _known(self, position: str, balances: Sequence[OpeningBalance]) -> int:
        """How many of the position's rows need no receipt: imported before, or refused."""
        history = self._ledger.history.events(position, lte=len(balances))
        for balance, recorded in zip(balances, history, strict=False):
            if not _is(recorded, balance):
                for row in balances:
                    self._found(Fate.CHANGED, row, row.quantity, OTHER_HISTORY)
                return len(balances)
        for row in balances[: len(history)]:
            self.summary.add(Fate.RECEIVED, row.quantity, before=True)
        return len(history)

    def _receive(self, part: Sequence[tuple[int, OpeningBalance]]) -> None:
        lines = tuple(
            ReceiptLine(row.sku, row.location, row.quantity, row.cost, row.reference)
            for _, row in part
        )
        key = digest((place, line) for (place, _), line in zip(part, lines, strict=True))
        context = Context(actor=ACTOR, idempotency=Idempotency(ROUTE, key, ttl_seconds=None))
        rows = [row for _, row in part]
        try:
            outcome = self._ledger.handle(ReceiveStock(lines), context)
        except (Refusal, IdempotencyKeyReused) as refusal:
            self._all_refused(rows, str(refusal))
            return
        for row in rows:
            self.summary.add(Fate.RECEIVED, row.quantity, before=outcome.replayed)

    def _all_refused(self, rows: Iterable[OpeningBalance], why: str) -> None:
        for row in rows:
            self._found(Fate.REFUSED, row, row.quantity, f"was refused: {why}")

    def _found(self, fate: Fate, row: OpeningBalance | Problem, units: int, why: str) -> None:
        what = f"{row.sku} at {row.location}: " if isinstance(row, OpeningBalance) else ""
        self.summary.found(fate, units, f"{self._file}, line {row.line}", f"{what}{why}")


def _is(recorded: Recorded, balance: OpeningBalance) -> bool:
    """Whether an event is the receipt of this opening balance."""
    event = recorded.event
    return (
        isinstance(event, StockReceived)
        and event.quantity == balance.quantity
        and event.cost == balance.cost
        and event.reference == balance.reference
    )
