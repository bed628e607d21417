"""Reading from the simulated DynamoDB: keys, batches, queries and scans, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tests.simulation.dynamodb.calls import Answer, Calls, Request, names_of, values_of
from tests.simulation.dynamodb.errors import refused
from tests.simulation.dynamodb.expressions import condition
from tests.simulation.dynamodb.storage import Key, plain, size_of
from tests.simulation.dynamodb.values import ExpressionError, Item, Scope

PAGE_BYTES: Final = 1024 * 1024


class Reads(Calls):
    """The operations that read."""

    def get_item(self, **request: Any) -> Answer:
        def read() -> Answer:
            table = self.table(request)
            item = table.get(table.keys.of(request["Key"]), self.as_of(request))
            return {} if item is None else {"Item": self._projected(request, [item])[0]}

        return self.call("GetItem", request, read)

    def batch_get_item(self, **request: Any) -> Answer:
        def read() -> Answer:
            answers: dict[str, list[Item]] = {}
            left: dict[str, Any] = {}
            for name, asked in request["RequestItems"].items():
                table, keys = self.table({"TableName": name}), list(asked["Keys"])
                if len(keys) > 100 or len({table.keys.of(key) for key in keys}) < len(keys):
                    raise refused("ValidationException", "BatchGetItem", "keys: too many, or twice")
                out = self.weather.left_out(len(keys)) if self.weather else 0
                if out:
                    left[name] = {**asked, "Keys": keys[len(keys) - out :]}
                    keys = keys[: len(keys) - out]
                found = [table.get(table.keys.of(key), self.as_of(asked)) for key in keys]
                answers[name] = [dict(item) for item in found if item is not None]
            return {"Responses": answers, "UnprocessedKeys": left}

        return self.call("BatchGetItem", request, read)

    def query(self, **request: Any) -> Answer:
        return self.call("Query", request, lambda: self._query(request))

    def _query(self, request: Request) -> Answer:
        table = self.table(request)
        index = request.get("IndexName")
        keys = table.indexes[index] if index is not None else table.keys
        if index is not None and request.get("ConsistentRead"):
            raise refused("ValidationException", "Query", "an index can't be read consistently")
        names, values = names_of(request), values_of(request)
        value = _hash_value(request["KeyConditionExpression"], keys.hash, names, values)
        as_of = self.as_of(request)
        if index is None:
            items = table.partition(plain(value), as_of)
        else:
            items = table.index(index, plain(value), as_of)
        forward = request.get("ScanIndexForward", True)
        if not forward:
            items.reverse()
        start = request.get("ExclusiveStartKey")

        def place(item: Item) -> Key:
            return (*keys.of(item), *table.keys.of(item))

        def wanted(item: Item) -> bool:
            if start is not None and (
                place(item) <= place(start) if forward else place(item) >= place(start)
            ):
                return False
            return meets(request["KeyConditionExpression"], item)

        def meets(expression: str, item: Item) -> bool:
            return condition(expression)(Scope(item, names, values))

        page, last = self._page(request, filter(wanted, items))
        if (expression := request.get("FilterExpression")) is not None:
            page = [item for item in page if meets(expression, item)]
        answer: Answer = {"Items": self._projected(request, page), "Count": len(page)}
        if last is not None:
            answer["LastEvaluatedKey"] = {**table.keys.pick(last), **keys.pick(last)}
        return answer

    def scan(self, **request: Any) -> Answer:
        return self.call("Scan", request, lambda: self._scan(request))

    def _scan(self, request: Request) -> Answer:
        table = self.table(request)
        segment, segments = request.get("Segment", 0), request.get("TotalSegments", 1)
        items = list(table.scan(segment, segments, self.as_of(request)))
        if (start := request.get("ExclusiveStartKey")) is not None:
            key = table.keys.of(start)
            first = next((place for place, _ in table.scan(0, 1, None) if place[1] == key), None)
            items = [(place, i) for place, i in items if first is not None and place > first]
        page, last = self._page(request, (item for _, item in items))
        if (expression := request.get("FilterExpression")) is not None:
            scope = names_of(request), values_of(request)
            page = [item for item in page if condition(expression)(Scope(item, *scope))]
        answer: Answer = {"Items": self._projected(request, page), "Count": len(page)}
        if last is not None:
            answer["LastEvaluatedKey"] = table.keys.pick(last)
        return answer

    def _page(self, request: Request, items: Iterable[Item]) -> tuple[list[Item], Item | None]:
        """The items of one page, and the last of them if there may be more."""
        limit = request.get("Limit", 10**9)
        if limit < 1:
            raise refused("ValidationException", "Query", "Limit is less than 1")
        longest = min(limit, self.weather.page() if self.weather else 10**9)
        page: list[Item] = []
        size = 0
        for item in items:
            # In a simulated world pages end after a few items, whatever their size.
            size += size_of(item) if self.weather is None else 0
            if page and size > PAGE_BYTES:
                return page, page[-1]
            page.append(item)
            if len(page) == longest:
                return page, item
        return page, None

    def _projected(self, request: Request, items: Sequence[Item]) -> list[Item]:
        projection = request.get("ProjectionExpression")
        if projection is None:
            return [dict(item) for item in items]
        names = [names_of(request).get(n.strip(), n.strip()) for n in projection.split(",")]
        return [{name: item[name] for name in names if name in item} for item in items]


def _hash_value(
    expression: str, hash_key: str, names: Mapping[str, str], values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The value a key condition wants of the hash key."""
    for part in expression.split(" AND "):
        name, _, value = part.strip().partition(" = ")
        if names.get(name, name) == hash_key and value in values:
            found: Mapping[str, Any] = values[value]
            return found
    raise ExpressionError(f"{expression!r} doesn't name the hash key {hash_key}")
