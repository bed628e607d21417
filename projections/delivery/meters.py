"""What delivery counts and measures, and where it tells so."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Literal, Protocol

Unit = Literal["Count", "Milliseconds"]


class Meter(Protocol):
    """Takes measurements: metrics of CloudWatch on AWS, a status line on a terminal."""

    def measure(self, name: str, value: float, unit: Unit = "Count") -> None:
        """Take one value of a metric. Never fails, and costs next to nothing."""


class Totals:
    """Sums of counts and the newest of all other values, kept in memory. Safe for threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._newest: dict[str, float] = {}
        self._guard = threading.Lock()

    def measure(self, name: str, value: float, unit: Unit = "Count") -> None:
        """Add a count, or keep a value as the newest of its name."""
        with self._guard:
            if unit == "Count":
                self._counts[name] += int(value)
            else:
                self._newest[name] = value

    def count(self, name: str) -> int:
        """The sum of a count so far."""
        with self._guard:
            return self._counts[name]

    def newest(self, name: str) -> float | None:
        """The newest value of something that isn't counted."""
        with self._guard:
            return self._newest.get(name)
