"""A client of the simulated DynamoDB: what the product calls of boto3's, and no more.

Without weather, the engine is as good as a local emulator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.simulation.dynamodb.calls import Answer
from tests.simulation.dynamodb.errors import Exceptions, ResourceInUseException, refused
from tests.simulation.dynamodb.reads import Reads
from tests.simulation.dynamodb.writes import Writes


class FakeClient(Reads, Writes):
    """One process's client."""

    exceptions = Exceptions

    def close(self) -> None:
        """There is nothing to let go of."""

    def create_table(self, **request: Any) -> Answer:
        with self.database.guard:
            if request["TableName"] in self.database.tables:
                raise refused("ResourceInUseException", "CreateTable", "", ResourceInUseException)
            self.database.create(request)
        return self.describe_table(TableName=request["TableName"])

    def delete_table(self, *, TableName: str) -> Answer:  # noqa: N803 - boto3's name
        with self.database.guard:
            self.table({"TableName": TableName})
            del self.database.tables[TableName]
        return {}

    def describe_table(self, *, TableName: str) -> Answer:  # noqa: N803 - boto3's name
        table = self.table({"TableName": TableName})
        streamed = "StreamSpecification" in table.request
        arn = {"LatestStreamArn": f"arn:aws:dynamodb:::table/{TableName}/stream/1"}
        return {"Table": {**table.request, "TableStatus": "ACTIVE", **(arn if streamed else {})}}

    def list_tables(self, **_: Any) -> Answer:
        return {"TableNames": sorted(self.database.tables)}

    def update_time_to_live(self, **_: Any) -> Answer:
        return {}

    def get_waiter(self, _: str) -> _Waiter:
        return _Waiter()

    def get_paginator(self, operation: str) -> _Paginator:
        return _Paginator(getattr(self, operation))


class _Waiter:
    def wait(self, **_: Any) -> None:
        """Tables are there at once."""


class _Paginator:
    def __init__(self, read: Callable[..., Answer]) -> None:
        self._read = read

    def paginate(self, **request: Any) -> Iterator[Answer]:
        while True:
            page = self._read(**request)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
