"""The SQL of one view's table, derived from its row's fields.

Names come from code (views and dataclass fields), never from data; values are always bound.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from operator import attrgetter, itemgetter
from typing import Any, Final, Generic, TypeVar

from eventsourcing.persistence import ProgrammingError

from projections.store.base import Query
from projections.store.fields import Fields
from projections.views.base import Row, View

R = TypeVar("R", bound=Row)

CHECKPOINTS: Final = """
CREATE TABLE IF NOT EXISTS view_checkpoints (
    view TEXT PRIMARY KEY, position INTEGER NOT NULL, at TEXT
) WITHOUT ROWID
"""
SELECT_CHECKPOINT: Final = "SELECT position, at FROM view_checkpoints WHERE view = ?"
MOVE_CHECKPOINT: Final = """
INSERT INTO view_checkpoints (view, position, at) VALUES (?, ?, ?)
ON CONFLICT (view) DO UPDATE SET position = excluded.position, at = excluded.at
WHERE position < excluded.position
"""
DROP_CHECKPOINT: Final = "DELETE FROM view_checkpoints WHERE view = ?"
GENERATIONS: Final = """
CREATE TABLE IF NOT EXISTS view_generations (
    view TEXT PRIMARY KEY, active INTEGER NOT NULL, live TEXT NOT NULL, newest INTEGER NOT NULL
) WITHOUT ROWID
"""
SELECT_GENERATIONS: Final = "SELECT active, live, newest FROM view_generations WHERE view = ?"
FIRST_GENERATIONS: Final = "INSERT OR IGNORE INTO view_generations VALUES (?, ?, ?, ?)"
CHANGE_GENERATIONS: Final = """
UPDATE view_generations SET active = ?, live = ?, newest = ?
WHERE view = ? AND active = ? AND live = ? AND newest = ?
"""

REBUILDS: Final = """
CREATE TABLE IF NOT EXISTS view_rebuilds (
    view TEXT PRIMARY KEY, mark TEXT NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID
"""
SELECT_REBUILD: Final = "SELECT state FROM view_rebuilds WHERE view = ?"
FIRST_REBUILD: Final = "INSERT OR IGNORE INTO view_rebuilds (mark, state, view) VALUES (?, ?, ?)"
CHANGE_REBUILD: Final = "UPDATE view_rebuilds SET mark = ?, state = ? WHERE view = ? AND mark = ?"
DROP_REBUILD: Final = "DELETE FROM view_rebuilds WHERE view = ? AND mark = ?"


class Statements(Generic[R]):
    """Statements and row conversion of one view.

    A flag is stored as 1 or NULL, so that a sparse index holds only the rows that are flagged.
    """

    def __init__(self, view: View[R]) -> None:
        self._view = view
        self._fields = Fields(view)
        self._columns = self._fields.names
        self._flag_indexes = [self._columns.index(name) for name in sorted(self._fields.flags)]
        self._table = f"view_{view.name}"
        self.columns = f"PRAGMA table_info({self._table})"
        """Asks for the columns that the table has; their names are second."""
        self.params: Callable[[R], tuple[Any, ...]] = attrgetter(*self._columns)
        """The values of a row, to be bound to `insert`."""
        self.key_of: Callable[[tuple[Any, ...]], Any] = itemgetter(
            *(self._columns.index(name) for name in view.key_fields)
        )
        """The key within such values."""
        self.insert = self._insert()
        key = ", ".join(view.key_fields)
        self.discard = (
            f"DELETE FROM {self._table} WHERE ({key}) IN "  # noqa: S608
            f"(SELECT {key} FROM {self._table} LIMIT ?)"
        )
        """Deletes at most so many rows."""
        marks = ", ".join("?" * len(view.key_fields))
        self.first_rows = f"{self._select()} ORDER BY {key} LIMIT ?"
        self.next_rows = f"{self._select()} WHERE ({key}) > ({marks}) ORDER BY {key} LIMIT ?"
        """Rows by key, from the beginning or behind a key."""
        self.select_key = self._select() + self._where([f"{k} = ?" for k in view.key_fields])

    def row(self, values: tuple[Any, ...]) -> R:
        """The row that was stored as `values`."""
        if self._flag_indexes:
            converted = list(values)
            for index in self._flag_indexes:
                converted[index] = bool(converted[index])
            return self._view.row(*converted)
        return self._view.row(*values)

    def create(self) -> str:
        """What creates the table."""
        columns = ", ".join(self._column(name) for name in self._columns)
        key = ", ".join(self._view.key_fields)
        return (
            f"CREATE TABLE IF NOT EXISTS {self._table} ({columns}, PRIMARY KEY ({key})) "
            "WITHOUT ROWID"
        )

    def complete(self, there: Container[str]) -> list[str]:
        """What adds to the table, with these columns, the fields and indexes it lacks.

        Raises
        ------
        ProgrammingError
            A field that is new has no default.
        """
        missing = [name for name in self._columns if name not in there]
        for name in missing:
            self._fields.default(name)
        return [
            *(f"ALTER TABLE {self._table} ADD COLUMN {self._column(name)}" for name in missing),
            *(self._index(names) for names in self._view.indexes),
        ]

    def query(self, query: Query) -> tuple[str, tuple[str | int, ...]]:
        """The statement of a query, and the values to bind."""
        query = self._fields.checked(query)
        conditions = [f"{name} = ?" for name in query.equal]
        conditions += [f"{name} <= ?" for name in query.at_most]
        conditions += [f"{name} IS NOT NULL" for name in query.present]
        params = [*query.equal.values(), *query.at_most.values()]
        if query.after is not None:
            marks = ", ".join("?" * len(self._view.order))
            sign = "<" if self._view.newest_first else ">"
            conditions.append(f"({', '.join(self._view.order)}) {sign} ({marks})")
            params += query.after
        direction = "DESC" if self._view.newest_first else "ASC"
        order = ", ".join(f"{name} {direction}" for name in self._view.order)
        source = f"{self._select()}{self._hint([*query.present, *query.at_most])}"
        statement = f"{source}{self._where(conditions)} ORDER BY {order} LIMIT ?"
        return statement, (*params, query.limit)

    def _column(self, name: str) -> str:
        """A column. One that always holds something says what it holds in rows of those who don't
        know it: code of another version writes the same table.
        """
        number = name in self._fields.integers | self._fields.flags
        kind = "INTEGER" if number else "TEXT"
        if name in self._fields.sparse:
            return f"{name} {kind}"
        return f"{name} {kind} NOT NULL DEFAULT {self._literal(name, number=number)}"

    def _literal(self, name: str, *, number: bool) -> str:
        try:
            value = self._fields.default(name)
        except ProgrammingError:
            return "0" if number else "''"
        return str(int(value)) if number else "'" + str(value).replace("'", "''") + "'"

    def _index(self, names: tuple[str, ...]) -> str:
        return (
            f"CREATE INDEX IF NOT EXISTS {self._index_name(names)} "
            f"ON {self._table} ({', '.join(names)})"
            f"{f' WHERE {names[0]} IS NOT NULL' if self._sparse(names) else ''}"
        )

    def _hint(self, conditioned: list[str]) -> str:
        """Names the sparse index of a conditioned field: the planner doesn't know how few rows
        it holds, and would rather walk all of them in order.
        """
        for names in self._view.indexes:
            if self._sparse(names) and names[0] in conditioned:
                return f" INDEXED BY {self._index_name(names)}"
        return ""

    def _sparse(self, names: tuple[str, ...]) -> bool:
        return names[0] in self._fields.sparse

    def _index_name(self, names: tuple[str, ...]) -> str:
        return f"{self._table}_by_{'_'.join(names)}"

    def _insert(self) -> str:
        marks = ["NULLIF(?, 0)" if name in self._fields.flags else "?" for name in self._columns]
        moving = [name for name in self._columns if name not in self._view.key_fields]
        return (
            f"INSERT INTO {self._table} ({', '.join(self._columns)}) "  # noqa: S608
            f"VALUES ({', '.join(marks)}) ON CONFLICT ({', '.join(self._view.key_fields)}) "
            f"DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in moving)} "
            f"WHERE version < excluded.version"
        )

    def _select(self) -> str:
        return f"SELECT {', '.join(self._columns)} FROM {self._table}"  # noqa: S608

    @staticmethod
    def _where(conditions: list[str]) -> str:
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""
