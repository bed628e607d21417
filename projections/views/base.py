"""What a view is: a pure fold from events to rows, and the order its rows are listed in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

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


class View(ABC, Generic[R]):
    """A read model. Pure: no I/O, no clock; the same events always make the same rows.

    Parameters
    ----------
    name
        The name its rows and its checkpoint are stored under. A second generation of a view is
        the same view under another name.
    """

    row: type[R]
    """The dataclass of its rows."""
    key_fields: tuple[str, ...]
    """Fields that identify a row."""
    order: tuple[str, ...]
    """Fields its rows are listed by; the last ones make the order total."""
    newest_first: bool = False
    """Whether rows are listed in descending order."""
    indexes: tuple[tuple[str, ...], ...] = ()
    """Field combinations that are looked up. An index whose first field is optional or a flag is
    sparse: it holds the rows that have it."""
    newest_wins: bool = False
    """Whether every event carries the whole row, so that older events need not be folded."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def feeds(self, stream: str) -> bool:
        """Whether the stream is for this view."""

    @abstractmethod
    def key(self, stream: str) -> Key:
        """Key of the row that a stream of this view feeds."""

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
