"""What a measurement comes to: a row of the table, the ratio of two things side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple, Self, TypeVar

from rich.table import Table

T = TypeVar("T")


class Aim(NamedTuple):
    """What a ratio should be: at least (`≥`) or at most (`≤`) a bound."""

    sign: Literal["≥", "≤"]
    bound: float

    def reached(self, ratio: float) -> bool:
        """Whether a ratio is as it should be; of the ratio itself, not of what is printed."""
        return ratio >= self.bound if self.sign == "≥" else ratio <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the table.

    Parameters
    ----------
    what, beside
        What was measured, and what it was measured side by side with.
    aim
        None where a number is only stated.
    ratio, spread
        The median over the rounds of one run, and the least and greatest of them.
    note
        What the ratio was made of, in absolute terms: of this machine, on this day.
    """

    what: str
    beside: str
    aim: Aim | None
    ratio: float
    spread: tuple[float, float]
    note: str = ""

    @classmethod
    def of(
        cls, what: str, beside: str, aim: Aim | None, ratios: Sequence[float], note: str = ""
    ) -> Self:
        """A row of the ratios of all rounds."""
        return cls(what, beside, aim, median(ratios), (min(ratios), max(ratios)), note)

    @property
    def verdict(self) -> str:
        """Whether the aim was reached: by the median, and by every round."""
        if self.aim is None:
            return "stated"
        if not self.aim.reached(self.ratio):
            return "missed"
        return "reached" if all(map(self.aim.reached, self.spread)) else "reached by the median"


@dataclass(frozen=True, slots=True)
class Report:
    """What a measurement has to tell: its rows of the table, and tables with the details."""

    rows: Sequence[Measured]
    details: Sequence[Table] = ()


def table_of(rows: Iterable[Measured]) -> Table:
    """The one table."""
    table = Table(title="Measured side by side: median of the rounds (least to greatest)")
    for column in ("what", "beside", "aim", "measured", "verdict", "of this machine"):
        table.add_column(column, overflow="fold")
    for row in rows:
        least, greatest = row.spread
        table.add_row(
            row.what,
            row.beside,
            "" if row.aim is None else str(row.aim),
            f"{row.ratio:.2f} ({least:.2f} to {greatest:.2f})",
            row.verdict,
            row.note,
        )
    return table


def in_turns(count: int, one: Callable[[], T], other: Callable[[], T]) -> list[tuple[T, T]]:
    """Both of them `count` times, each going first every other time.

    A machine whose speed drifts is then fair to both.
    """
    pairs = []
    for number in range(count):
        if number % 2:
            second = other()
            pairs.append((one(), second))
        else:
            pairs.append((one(), other()))
    return pairs


def detail(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of details: the first column to the left, the others to the right."""
    table = Table(title=title)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(str, row))
    return table
