"""Reading the feed: positions, and the events that have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_feed_pages import NOTHING, PARTITION, Page, Place, page_of
from ledger.store.dynamodb_tables import DynamoDBTables

LOOK_BACK: Final = 40
"""Pages that are looked through for an event that has just been sequenced."""


class FeedReader:
    """Reads the sequence of all events of a ledger."""

    def __init__(self, tables: DynamoDBTables) -> None:
        self._tables = tables
        self._client = tables.client
        self.known_end = 0
        """The last position that was seen; the feed may have grown since."""

    def end(self) -> int:
        """The last position, 0 if there is none."""
        return self.newest().last

    def read(self, after: int, limit: int) -> list[Place]:
        """The next events after a position, at most so many: the same whenever it is read."""
        found: list[Place] = []
        for page in self._pages(after + 1, limit):
            found += (place for place in page.places() if place.position > after)
            if len(found) >= limit:
                return found[:limit]
        return found

    def find(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Positions of events that were sequenced lately: looks through the newest pages."""
        missing, found = set(keys), dict[tuple[str, int], int]()
        request = self._query("#p = :p", forward=False)
        for page in islice(self._items({**request, "Limit": 2}), LOOK_BACK):
            for position, stream, version in page.places():
                if (stream, version) in missing:
                    found[stream, version] = position
            if len(found) == len(missing):
                break
        return found

    def events(self, places: Sequence[Place]) -> list[Mapping[str, Any]]:
        """The items of events in their order, read strongly. It ends before one that is missing."""
        keys = [{"stream": {"S": p.stream}, "version": {"N": str(p.version)}} for p in places]
        items = self._tables.get_many(self._tables.events, keys)
        by_key = {(item["stream"]["S"], int(item["version"]["N"])): item for item in items}
        found = []
        for place in places:
            item = by_key.get((place.stream, place.version))
            if item is None:
                break
            found.append(item)
        return found

    def newest(self) -> Page:
        """The newest page, read strongly."""
        with translated("reading the end of the feed"):
            items = self._client.query(**self._query("#p = :p", forward=False), Limit=1)["Items"]
        page = page_of(items[0]) if items else NOTHING
        self.known_end = max(self.known_end, page.last)
        return page

    def _pages(self, position: int, limit: int) -> Iterator[Page]:
        """Pages from the one that holds a position on, until none follows."""
        request = self._query("#p = :p AND #n >= :n", position=position)
        request["Limit"] = min(limit, 100)
        pages = self._items(request)
        page = next(pages, None)
        if page is None or page.first > position:
            before = self._before(position)
            if before is None or before.last < position:
                return
            yield before
            position = before.last + 1
        while page is not None and page.first == position:
            self.known_end = max(self.known_end, page.last)
            yield page
            position = page.last + 1
            page = next(pages, None)

    def _items(self, request: dict[str, Any]) -> Iterator[Page]:
        while True:
            with translated("reading the feed"):
                answer = self._client.query(**request)
            yield from map(page_of, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _before(self, position: int) -> Page | None:
        """The newest page that begins before a position, if it may hold it."""
        if position == self.known_end + 1:
            return None  # a page is known to end right before it
        request = self._query("#p = :p AND #n < :n", position=position, forward=False)
        with translated("reading the feed"):
            items = self._client.query(**request, Limit=1)["Items"]
        return page_of(items[0]) if items else None

    def _query(
        self, condition: str, *, position: int | None = None, forward: bool = True
    ) -> dict[str, Any]:
        names, values = {"#p": "partition"}, {":p": {"S": PARTITION}}
        if position is not None:
            names["#n"], values[":n"] = "position", {"N": str(position)}
        return {
            "TableName": self._tables.feed,
            "ConsistentRead": True,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": forward,
        }
