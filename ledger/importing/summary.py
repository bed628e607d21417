"""Where every row of an import went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum


class Fate(Enum):
    """What became of a row."""

    SHIPPED = "sold: ordered and shipped"
    PART_SHIPPED = "sold, short: shipped in part, the rest unfilled"
    NOT_SHIPPED = "sold, short: nothing shipped"
    RETURNED = "returned"
    ADJUSTED = "adjusted"
    RECEIVED = "received"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    HELD_BACK = "held back: another row of its invoice is unreadable"
    CHANGED = "refused: not what was imported before"
    FEE = "skipped: fee"
    ZERO = "skipped: quantity 0"

    @property
    def is_finding(self) -> bool:
        """Whether somebody should look at the row: it is not in the ledger, and no fee."""
        return self in _FINDINGS


_FINDINGS = frozenset({Fate.REFUSED, Fate.UNREADABLE, Fate.HELD_BACK, Fate.CHANGED})


@dataclass(slots=True)
class Tally:
    """Rows and units (signed as in the file) that share a fate; `before`: rows known already."""

    rows: int = 0
    units: int = 0
    before: int = 0


@dataclass(slots=True)
class Summary:
    """The account of an import: every row that was read has exactly one fate."""

    rows_read: int = 0
    units_read: int = 0
    tallies: dict[tuple[Fate, str], Tally] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    received: int = 0
    """Units received on demand in this run."""
    unfilled: int = 0
    """Units of sold rows that were not shipped."""

    def read(self, units: int) -> None:
        """Count a row that was read; `units` is its quantity as it stands in the file."""
        self.rows_read += 1
        self.units_read += units

    def add(self, fate: Fate, units: int, *, note: str = "", before: bool = False) -> None:
        """Account for one row. `note` names the fee, or the reason, rows are counted by."""
        tally = self.tallies.setdefault((fate, note), Tally())
        tally.rows += 1
        tally.units += units
        tally.before += before

    def found(self, fate: Fate, units: int, where: str, why: str, *, before: bool = False) -> None:
        """Account for one row somebody should look at, saying where it stands and why."""
        self.add(fate, units, before=before)
        self.findings.append(f"{where}: {why}")

    @property
    def ok(self) -> bool:
        """Whether no row needs looking at."""
        return not self.findings

    def by_fate(self) -> Counter[Fate]:
        """Rows per fate."""
        counts: Counter[Fate] = Counter()
        for (fate, _), tally in self.tallies.items():
            counts[fate] += tally.rows
        return counts

    def check(self) -> None:
        """Assert that the account adds up, in rows and in units."""
        rows = sum(tally.rows for tally in self.tallies.values())
        units = sum(tally.units for tally in self.tallies.values())
        if (rows, units) != (self.rows_read, self.units_read):
            msg = (
                f"the account of the import doesn't add up: {self.rows_read} rows with "
                f"{self.units_read} units read, {rows} rows with {units} units accounted for"
            )
            raise AssertionError(msg)
