"""How calls reach the simulated DynamoDB: atomic on the shared database, whatever the weather."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tests.simulation.dynamodb.errors import ResourceNotFoundException, refused
from tests.simulation.dynamodb.storage import AsOf, Database, Table

Request = Mapping[str, Any]
Answer = dict[str, Any]


class Weather(Protocol):
    """What befalls calls."""

    def call(self, operation: str, request: Request, do: Callable[[], Answer]) -> Answer:
        """Do a call, or fail it; `do` may be called twice, as an SDK that tries again does."""

    def staleness(self) -> AsOf:
        """When an eventually consistent read sees each item."""

    def page(self) -> int:
        """Items after which a page ends, as at 1 MB."""

    def left_out(self, keys: int) -> int:
        """How many keys of a batch are left unprocessed."""


class Calls:
    """What all operations share."""

    def __init__(self, database: Database, weather: Weather | None = None) -> None:
        self.database = database
        self.weather = weather

    def call(self, operation: str, request: Request, do: Callable[[], Answer]) -> Answer:
        def atomically() -> Answer:
            with self.database.guard:
                return do()

        if self.weather is None:
            return atomically()
        return self.weather.call(operation, request, atomically)

    def as_of(self, request: Request) -> AsOf:
        if request.get("ConsistentRead") or self.weather is None:
            return None
        return self.weather.staleness()

    def table(self, request: Request) -> Table:
        table = self.database.tables.get(request["TableName"])
        if table is None:
            message = f"Cannot do operations on a non-existent table: {request['TableName']}"
            raise refused("ResourceNotFoundException", "", message, ResourceNotFoundException)
        return table


def names_of(request: Request) -> Mapping[str, str]:
    names: Mapping[str, str] = request.get("ExpressionAttributeNames") or {}
    return names


def values_of(request: Request) -> Mapping[str, Any]:
    values: Mapping[str, Any] = request.get("ExpressionAttributeValues") or {}
    return values
