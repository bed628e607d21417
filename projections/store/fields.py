"""What the fields of a view's rows are, for stores that derive their layout from them."""

from __future__ import annotations

from dataclasses import fields
from types import NoneType
from typing import Any, get_args, get_type_hints

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

    def check(self, query: Query) -> None:
        """Refuse conditions on what is not there."""
        unknown = {*query.equal, *query.at_most, *query.present} - set(self.names)
        if unknown:
            msg = f"{self._view.name} has no fields {sorted(unknown)}"
            raise ValueError(msg)
