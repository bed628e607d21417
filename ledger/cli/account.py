"""The account of an import as a table that adds up."""

from __future__ import annotations

from typing import Final

from rich.table import Table
from rich.text import Text

from ledger.cli.output import err, out
from ledger.importing import Fate, Summary

FINDINGS_SHOWN: Final = 20


def print_summary(title: str, summary: Summary) -> None:
    """Print what became of every row; findings go to standard error, one line each.

    Raises
    ------
    AssertionError
        Rows or units are unaccounted for.
    """
    summary.check()
    out().print(account(title, summary))
    if summary.received:
        out().print(f"{summary.received:,} units were received on demand in this run.")
    if summary.unfilled:
        out().print(f"{summary.unfilled:,} units of the sold rows were not there to ship.")
    for finding in summary.findings[:FINDINGS_SHOWN]:
        err().print(Text(finding), style="yellow", soft_wrap=True)
    if len(summary.findings) > FINDINGS_SHOWN:
        err().print(f"… and {len(summary.findings) - FINDINGS_SHOWN} more.", style="yellow")


def account(title: str, summary: Summary) -> Table:
    """The table: one line per fate and note, in the order of the fates, and the sum."""
    table = Table(title=title, title_justify="left", show_footer=True)
    table.add_column("What became of it", footer="read")
    table.add_column("Rows", justify="right", footer=f"{summary.rows_read:,}")
    table.add_column("Units", justify="right", footer=f"{summary.units_read:,}")
    before = sum(tally.before for tally in summary.tallies.values())
    table.add_column("Rows known before", justify="right", footer=f"{before:,}")
    order = list(Fate)
    for (fate, note), tally in sorted(
        summary.tallies.items(), key=lambda item: (order.index(item[0][0]), item[0][1])
    ):
        table.add_row(
            f"{fate.value} {note}".strip(),
            f"{tally.rows:,}",
            f"{tally.units:,}",
            f"{tally.before:,}" if tally.before else "",
            style="yellow" if fate.is_finding else None,
        )
    return table
