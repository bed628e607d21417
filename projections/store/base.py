"""What projections ask of the place that keeps their rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, TypeVar

from eventsourcing.persistence import OperationalError

from projections.generations import Generations
from projections.rebuild.state import Rebuilding
from projections.views.base import Key, Row, View

R = TypeVar("R", bound=Row)

PAGE = 500


class ViewStoreBusy(OperationalError):
    """Others kept the store busy for too long; nothing is lost, try again."""


@dataclass(frozen=True, slots=True, order=True)
class Checkpoint:
    """How much of the log a view has applied: everything up to `position`.

    `at` is when the event at that position was recorded (None at the beginning of the log).
    """

    position: int = 0
    at: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Query:
    """Rows that a view lists, in its order. Conditions are all to be met.

    `at_most` fields are not above their value; a field that is None never matches. `present`
    fields are neither None nor False. `after` holds the values of the view's order fields of the
    last row already seen.
    """

    equal: Mapping[str, str | int] = field(default_factory=dict)
    at_most: Mapping[str, str | int] = field(default_factory=dict)
    present: tuple[str, ...] = ()
    after: tuple[str | int, ...] | None = None
    limit: int = PAGE


class ViewStore(ABC):
    """Rows of views, and how far each view has come.

    A row of a given version has one possible content (the fold of its stream up to there), so
    merging two writers' rows is taking the higher version: it doesn't matter who writes first,
    twice, or never again. That one condition on `version` is all that correctness asks of an
    implementation. Writes need not be atomic together.
    """

    @abstractmethod
    def prepare(self, views: Iterable[View[Any]]) -> None:
        """Make room for the rows of views; harmless if there is."""

    @abstractmethod
    def load(self, view: View[R], keys: Iterable[Key]) -> dict[Key, R]:
        """The rows of the given keys that exist, read strongly."""

    @abstractmethod
    def save(self, view: View[R], rows: Sequence[R], checkpoint: Checkpoint | None = None) -> None:
        """Write each row unless the stored one has its version or a higher one.

        When all rows are written, the view's checkpoint moves to `checkpoint`; it never moves
        back.

        Raises
        ------
        ViewStoreBusy
            Some rows may be written, the checkpoint has not moved.
        """

    @abstractmethod
    def checkpoint(self, view: View[Any]) -> Checkpoint:
        """How far the view has come."""

    @abstractmethod
    def generations(self, view: View[Any]) -> Generations:
        """The registered generations of a view, read strongly; one at first."""

    @abstractmethod
    def register(self, view: View[Any], before: Generations, after: Generations) -> bool:
        """Change the generations of a view if they are still `before`; answers whether."""

    @abstractmethod
    def discard(self, view: View[Any]) -> None:
        """Delete every row of the view's generation, and its checkpoint. It must not be live."""

    @abstractmethod
    def rebuilding(self, view: View[Any]) -> Rebuilding | None:
        """The unfinished rebuild of a view, read strongly."""

    @abstractmethod
    def record(self, view: View[Any], before: Rebuilding | None, after: Rebuilding | None) -> bool:
        """Change what is known of a view's rebuild if it is still `before` (None: there is none);
        answers whether it is now `after`.
        """

    @abstractmethod
    def select(self, view: View[R], query: Query) -> list[R]:
        """One page of rows."""

    @abstractmethod
    def scan(self, view: View[R]) -> Iterator[list[R]]:
        """Every row, listed or not, in pages and in no order, read strongly.

        It is no snapshot: a row that is written meanwhile may be shown as it was or as it is.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections."""

    def each(self, view: View[R], query: Query | None = None) -> Iterator[R]:
        """All rows that answer a query, read page by page."""
        query = query or Query()
        while page := self.select(view, query):
            yield from page
            if len(page) < query.limit:
                return
            query = replace(query, after=values(page[-1], view.order))


def values(row: Row, fields: Sequence[str]) -> tuple[Any, ...]:
    """The values of some fields of a row."""
    return tuple(attrgetter(name)(row) for name in fields)
