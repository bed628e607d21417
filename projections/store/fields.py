"""What the fields of a view's rows are, for stores that derive their layout from them."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from types import NoneType
from typing import Any, get_args, get_type_hints

from eventsourcing.persistence import ProgrammingError

from projections.store.base import Query
from projections.views.base import View


class Fields:
    """The fields of a view's rows by what they hold; a field that is neither a flag nor an
    integer holds text.
    """

    def __init__(self, view: View[Any]) -> None:
        self._view = view
        self.names = tuple(field.name for field in fields(view.row))
        hints = get_type_hints(view.row)
        kinds = {name: set(get_args(hints[name])) or {hints[name]} for name in self.names}
        self.flags = frozenset(name for name in self.names if bool in kinds[name])
        self.integers = frozenset(name for name in self.names if int in kinds[name])
        self.optional = frozenset(name for name in self.names if NoneType in kinds[name])
        self.sparse = self.flags | self.optional
        """Fields that only some rows have: the others have None or False there."""
        self._defaults = {f.name: f.default for f in fields(view.row) if f.default is not MISSING}

    def default(self, name: str) -> str | int:
        """What a field is in rows that were written before there was such a field.

        Raises
        ------
        ProgrammingError
            It has no default.
        """
        if name in self._defaults:
            return self._defaults[name]  # type: ignore[no-any-return]
        msg = (
            f"rows of {self._view.name} were written without the field {name}: "
            f"give it a default and rebuild {self._view.base}"
        )
        raise ProgrammingError(msg)

    def checked(self, query: Query) -> Query:
        """The query with all its conditions: only what is listed is found.

        Raises
        ------
        ValueError
            A condition is on a field that the view hasn't.
        """
        unknown = {*query.equal, *query.at_most, *query.present} - set(self.names)
        if unknown:
            msg = f"{self._view.name} has no fields {sorted(unknown)}"
            raise ValueError(msg)
        first = self._view.order[0]
        if first in self.sparse and first not in query.present:
            return replace(query, present=(*query.present, first))
        return query
