"""What became of mutants: kept in a file as they are tried, and told by module."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

SURVIVED: Final = "survived"
FATES: Final = ("own", "unit", "property", "timed out", SURVIVED)
"""The stage whose tests failed; or they didn't come to an end; or all passed."""

Name = tuple[str, str, str, int]


class Fate(NamedTuple):
    """What became of a mutant."""

    module: str
    place: str
    what: str
    number: int
    line: int
    fate: str
    seconds: float

    @property
    def name(self) -> Name:
        """The mutant's name, which stays when lines move."""
        return self[:4]

    def __str__(self) -> str:
        where = f"{self.module}:{self.line} {self.place}"
        return f"{self.fate:9} {self.seconds:5.1f} s  {where}:  {self.what}"


class Results:
    """A file of fates, a line of JSON each.

    `killed` are the mutants that were killed before. Survivors are tried again: there may be new
    tests.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
        fates = [Fate(*json.loads(line)) for line in lines]
        self.killed = {fate.name: fate for fate in fates if fate.fate != SURVIVED}

    def add(self, fate: Fate) -> None:
        """Write it down at once: a run may be interrupted."""
        if self._file:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(fate) + "\n")


def table(fates: Sequence[Fate]) -> str:
    """What became of each module's mutants, in Markdown."""
    rows = [["module", "mutants", *FATES], ["---", *["---:"] * (len(FATES) + 1)]]
    for module in (*sorted({fate.module for fate in fates}), None):
        counted = Counter(fate.fate for fate in fates if module in (None, fate.module))
        rows.append([module or "all", str(counted.total()), *(str(counted[f]) for f in FATES)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def explained(page: str) -> set[tuple[str, ...]]:
    """Module, place and change of the survivors that a page of Markdown gives a reason for.

    It does so in rows of four cells: `| module | place | change | reason |`.
    """
    rows = (re.split(r"(?<!\\)\|", line)[1:-1] for line in page.splitlines() if line[:1] == "|")
    cells = ([cell.strip(" `").replace("\\|", "|") for cell in row] for row in rows)
    return {tuple(row[:3]) for row in cells if len(row) == 4 and row[0].endswith(".py")}
