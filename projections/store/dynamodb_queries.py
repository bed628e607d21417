"""How a query is asked of DynamoDB: which table or index, which partitions, what is a key
condition and what is left to a filter.

::

    equal on the first key (or all keys)    the table itself: strongly consistent, one partition
    equal on a field with a `_key`          its index, one partition
    a condition on a sparse field           its index, every shard
    equal on a few-valued field             its index, every shard of that value
    anything else                           the index `all`, every shard

In an index, `after` and an upper bound of what rows are listed by first are key conditions: what
lies outside is not read. Everything else is filtered.

Indexes are eventually consistent: a page may show a row as it was a moment ago, or miss a row
that was just written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from projections.store.base import Query
from projections.store.dynamodb_items import KEY, LISTED_BY, SEPARATOR, Index, Items, above, joined

Request = dict[str, Any]

LARGEST_PAGE: Final = 10_000
"""Items; DynamoDB ends a page at 1 MB anyway."""


def requests(items: Items[Any], query: Query) -> list[Request]:
    """A `Query` request for each partition; each answers in the view's order. None at all if
    nothing can answer.

    Raises
    ------
    ValueError
        A condition is on a field that the view hasn't.
    """
    query = items.fields.checked(query)
    if _table_serves(items, query):
        return [_ask_table(items, query)]
    return _ask_index(items, query, index_for(items, query))


def index_for(items: Items[Any], query: Query) -> Index:
    """The index that holds the fewest rows beside those that answer the query."""
    usable = [index for index in items.indexes if index.serves(query)]
    return min(usable, key=lambda i: (i.name == "all", i.sharded, i.by_value))


def _table_serves(items: Items[Any], query: Query) -> bool:
    """Whether one partition of the table has all the answers, in the view's order.

    A filter can't be on the table's range key, so a condition on it must be a key condition.
    """
    first, *rest = items.view.key_fields
    ordered = items.view.order == items.view.key_fields or all(key in query.equal for key in rest)
    return first in query.equal and ordered and not query.at_most.keys() & {*rest}


def _ask_table(items: Items[Any], query: Query) -> Request:
    expression = _Expression(items)
    first, *rest = items.view.key_fields
    expression.key(KEY, "=", items.hash_key(query.equal[first]))
    for name in rest:
        if name in query.equal:
            expression.key(name, "=", items.encoded(name, query.equal[name]))
    if query.after is not None:
        open_range = len(rest) == 1 and rest[0] not in query.equal
        if open_range and query.after[0] == query.equal[first]:
            expression.key(rest[0], _beyond(items), {"S": query.after[1]})
        else:
            expression.filter(LISTED_BY, _beyond(items), {"S": joined(query.after)})
    expression.conditions(query, met={*items.view.key_fields})
    return {"ConsistentRead": True, **expression.request()}


def _ask_index(items: Items[Any], query: Query, index: Index) -> list[Request]:
    met = {index.name} if index.by_value else set()
    low, high = _range(items, query)
    if low is not None and high is not None and low > high:
        return []
    asked = []
    for partition in index.partitions(items.view.generation, query.equal.get(index.name)):
        expression = _Expression(items)
        expression.key(index.attribute, "=", {"S": partition})
        expression.between(LISTED_BY, low, high)
        expression.conditions(query, met, bounded=items.view.order[0])
        asked.append({"IndexName": index.name, **expression.request()})
    return asked


def _range(items: Items[Any], query: Query) -> tuple[str | None, str | None]:
    """Between which values of `listed_by` the answers are; none of them is equal to a bound."""
    low = high = None
    if items.view.order[0] in query.at_most:
        high = above(str(query.at_most[items.view.order[0]]))
    if query.after is not None:
        after = joined(query.after)
        if not items.view.newest_first:
            low = after + SEPARATOR
        elif high is None or after < high:
            high = after
    return low, high


def _beyond(items: Items[Any]) -> str:
    return "<" if items.view.newest_first else ">"


class _Expression:
    """Conditions of one request. Names are always placeholders: many are reserved words."""

    def __init__(self, items: Items[Any]) -> None:
        self._items = items
        self._names: dict[str, str] = {}
        self._values: dict[str, Mapping[str, Any]] = {}
        self._key: list[str] = []
        self._filter: list[str] = []

    def key(self, name: str, sign: str, value: Mapping[str, Any]) -> None:
        self._key.append(self._compared(name, sign, value))

    def filter(self, name: str, sign: str, value: Mapping[str, Any]) -> None:
        self._filter.append(self._compared(name, sign, value))

    def between(self, name: str, low: str | None, high: str | None) -> None:
        """Bound the range key; of two bounds, no item is equal to either."""
        if low is not None and high is not None:
            bounds = [self._value({"S": bound}) for bound in (low, high)]
            self._key.append(f"{self._name(name)} BETWEEN {' AND '.join(bounds)}")
        elif low is not None:
            self.key(name, ">", {"S": low})
        elif high is not None:
            self.key(name, "<", {"S": high})

    def conditions(self, query: Query, met: set[str], bounded: str | None = None) -> None:
        """Filter by the query's conditions, unless the key's are as much: `met` are fields whose
        value is one, `bounded` is the field whose upper bound is one.
        """
        for name, value in query.equal.items():
            if name not in met:
                self.filter(name, "=", self._items.encoded(name, value))
        for name, value in query.at_most.items():
            if name != bounded:
                self.filter(name, "<=", self._items.encoded(name, value))
        for name in query.present:
            if name in self._items.fields.sparse:
                self._filter.append(f"attribute_exists({self._name(name)})")

    def request(self) -> Request:
        request: Request = {
            "TableName": self._items.table,
            "KeyConditionExpression": " AND ".join(self._key),
            "ExpressionAttributeNames": self._names,
            "ExpressionAttributeValues": self._values,
            "ScanIndexForward": not self._items.view.newest_first,
        }
        if self._filter:
            request["FilterExpression"] = " AND ".join(self._filter)
        return request

    def _compared(self, name: str, sign: str, value: Mapping[str, Any]) -> str:
        return f"{self._name(name)} {sign} {self._value(value)}"

    def _value(self, value: Mapping[str, Any]) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

    def _name(self, name: str) -> str:
        placeholder = f"#{name}"
        self._names[placeholder] = name
        return placeholder


class Partition:
    """The items of one partition that answer a request, in order, read as far as they are asked
    for.

    A page's `Limit` counts items before they are filtered. So pages are read until there are
    enough items or no more, and each page is twice the one before: a filter that few items pass
    takes few requests, one that most pass reads little too much.
    """

    def __init__(self, read: Callable[..., Mapping[str, Any]], request: Request, page: int) -> None:
        self._read = read
        self._request = request
        self._page = page
        self._more = True
        self._items: deque[Mapping[str, Any]] = deque()

    def fill(self, count: int) -> None:
        """Have `count` items at hand, or all that are left."""
        while self._more and len(self._items) < count:
            answer = self._read(**self._request, Limit=self._page)
            self._items.extend(answer["Items"])
            self._page = min(LARGEST_PAGE, 2 * self._page)
            last = answer.get("LastEvaluatedKey")
            self._more = last is not None
            self._request = {**self._request, "ExclusiveStartKey": last}

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        while True:
            self.fill(1)
            if not self._items:
                return
            yield self._items.popleft()


def listed_by(item: Mapping[str, Any]) -> str:
    """Where an item comes in the view's order."""
    return str(item[LISTED_BY]["S"])
