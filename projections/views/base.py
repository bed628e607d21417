"""What a view is: a pure fold from events to rows, and the order its rows are listed in."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, Protocol, Self, TypeVar

from typing_extensions import override

from ledger.codec import Recorded

Key = tuple[str, ...]
"""What identifies a row within its view: the values of the view's `key_fields`."""


class Row(Protocol):
    """A row: a frozen, flat dataclass of `str`, `int`, `bool` and optional fields.

    It is fed by exactly one stream, and `version` is that of the newest event folded into it, so
    a row of a given version has one possible content.
    """

    @property
    def version(self) -> int:
        """Version of the row's stream that the row is the fold of."""


R = TypeVar("R", bound=Row)


def made(kind: type[R], fields: dict[str, Any]) -> R:
    """The row with these fields: all there are, and in a dictionary of its own.

    A frozen dataclass sets one after another, which was most of the time it took to fold.
    """
    row = object.__new__(kind)
    object.__setattr__(row, "__dict__", fields)
    return row


class View(ABC, Generic[R]):
    """A read model. Pure: no I/O, no clock; the same events always make the same rows.

    Parameters
    ----------
    base
        Its name in all generations. The rows and the checkpoint of each generation are apart
        (see `projections.generations`).
    """

    row: type[R]
    """The dataclass of its rows."""
    key_fields: tuple[str, ...]
    """Fields that identify a row."""
    order: tuple[str, ...]
    """Fields its rows are listed by; the last ones make the order total. If the first one is
    optional, only rows that have it are listed."""
    newest_first: bool = False
    """Whether rows are listed in descending order."""
    indexes: tuple[tuple[str, ...], ...] = ()
    """Field combinations that are looked up. An index whose first field is optional or a flag is
    sparse: it holds the rows that have it."""
    newest_wins: bool = False
    """Whether every event carries the whole row, so that older events need not be folded."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.generation = 1

    @property
    def name(self) -> str:
        """The name of this generation: `stock_levels`, then `stock_levels_g2`, and so on."""
        return self.base if self.generation == 1 else f"{self.base}_g{self.generation}"

    def at(self, generation: int) -> Self:
        """The same view in another generation."""
        if generation == self.generation:
            return self
        other = copy.copy(self)
        other.generation = generation
        return other

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and self.name == other.name

    @override
    def __hash__(self) -> int:
        return hash(self.name)

    @abstractmethod
    def feeds(self, stream: str) -> bool:
        """Whether the stream is for this view."""

    @abstractmethod
    def key(self, stream: str) -> Key:
        """Key of the row that a stream of this view feeds.

        Raises
        ------
        ValueError
            The stream's name begins like one of this view's, and is none.
        """

    @abstractmethod
    def fold(self, row: R | None, recorded: Recorded) -> R:
        """The row once `recorded` is folded into it.

        `row` is the fold of everything before (None: nothing before). A view where the newest
        wins ignores it.

        Raises
        ------
        CorruptEvent
            The event can't be read, or doesn't belong in its stream.
        """

    def fold_all(self, row: R | None, events: Sequence[Recorded]) -> R:
        """The row once all of `events`, at least one, are folded into it in their order.

        Raises
        ------
        CorruptEvent
            See `fold`.
        """
        first, *others = events
        folded = self.fold(row, first)
        for recorded in others:
            folded = self.fold(folded, recorded)
        return folded
