"""The requests a view store makes of DynamoDB, patient and with the store's own errors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ledger.errors import Contention, UnknownOutcome
from ledger.store.dynamodb_client import translated
from projections.store.base import ViewStoreBusy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, dict[str, Any]]
Found = Mapping[str, Any]

PATIENCE_SECONDS: Final = 10.0
"""How long keys that DynamoDB leaves unprocessed, all of them, are asked for again before
`ViewStoreBusy`."""

KEYS_PER_READ: Final = 100
"""What one `BatchGetItem` takes."""

KEYS_PER_WRITE: Final = 25
"""What one `BatchWriteItem` takes."""

BACKOFF_BASE_SECONDS: Final = 0.05
BACKOFF_CAP_SECONDS: Final = 1.0


class Access:
    """Reads and writes items; reads of keys are strongly consistent."""

    def __init__(self, client: DynamoDBClient, patience: float) -> None:
        self.client = client
        self._patience = patience

    def get(self, table: str, key: Item) -> Found | None:
        """The item of a key."""
        with busy(f"reading {table}"):
            answer = self.client.get_item(TableName=table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def batch(self, table: str, keys: Sequence[Item]) -> list[Found]:
        """The items there are of at most `KEYS_PER_READ` keys."""
        found: list[Found] = []

        def read(keys: Sequence[Item]) -> Sequence[Item]:
            asked: Any = {table: {"Keys": keys, "ConsistentRead": True}}
            with busy(f"reading {table}"):
                answer = self.client.batch_get_item(RequestItems=asked)
            found.extend(answer["Responses"].get(table, []))
            unprocessed: Any = answer.get("UnprocessedKeys")
            return unprocessed[table]["Keys"] if unprocessed else []

        self._until_processed(table, keys, read)
        return found

    def delete(self, table: str, keys: Sequence[Item]) -> None:
        """Delete the items of at most `KEYS_PER_WRITE` keys, whatever they are."""

        def write(keys: Sequence[Item]) -> Sequence[Item]:
            asked: Any = {table: [{"DeleteRequest": {"Key": key}} for key in keys]}
            with busy(f"writing {table}", writing=True):
                answer = self.client.batch_write_item(RequestItems=asked)
            unprocessed: Any = answer.get("UnprocessedItems") or {}
            return [request["DeleteRequest"]["Key"] for request in unprocessed.get(table, [])]

        self._until_processed(table, keys, write)

    def query(self, **request: Any) -> Found:
        """One page of a query."""
        with busy(f"reading {request['TableName']}"):
            return self.client.query(**request)

    def scan(self, **request: Any) -> Iterator[Sequence[Found]]:
        """The pages of a scan."""
        while True:
            with busy(f"reading {request['TableName']}"):
                answer = self.client.scan(**request)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, table: str, item: Item, condition: str, **attributes: Any) -> bool:
        """Write an item on a condition on some attributes, `#name` compared with `:name`; answers
        whether it was met.
        """
        with busy(f"writing {table}", writing=True):
            try:
                self.client.put_item(
                    TableName=table, Item=item, **_conditional(condition, attributes)
                )
            except self.client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def drop(self, table: str, key: Item, condition: str, **attributes: Any) -> bool:
        """Delete an item on a condition; answers whether it was met."""
        with busy(f"writing {table}", writing=True):
            try:
                self.client.delete_item(
                    TableName=table, Key=key, **_conditional(condition, attributes)
                )
            except self.client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _until_processed(
        self,
        table: str,
        keys: Sequence[Item],
        process: Callable[[Sequence[Item]], Sequence[Item]],
    ) -> None:
        """`process` the keys, and again those that it answers."""
        deadline, longest = time.monotonic() + self._patience, BACKOFF_BASE_SECONDS
        while True:
            left = process(keys)
            if not left:
                return
            if len(left) < len(keys):
                deadline, longest = time.monotonic() + self._patience, BACKOFF_BASE_SECONDS
            elif time.monotonic() > deadline:
                msg = f"{table}: keys were left unprocessed for {self._patience:g} s"
                raise ViewStoreBusy(msg)
            keys = left
            time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
            longest = min(BACKOFF_CAP_SECONDS, 2 * longest)


def _conditional(condition: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The condition with its placeholders; an attribute without a value is only named."""
    request: dict[str, Any] = {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
    }
    if compared := {f":{name}": value for name, value in attributes.items() if value is not None}:
        request["ExpressionAttributeValues"] = compared
    return request


@contextmanager
def busy(what: str, *, writing: bool = False) -> Iterator[None]:
    """Say `ViewStoreBusy` where trying again is all there is to do.

    That holds for a write whose answer was lost, too: it does nothing the second time.
    """
    try:
        with translated(what, writing=writing):
            yield
    except (Contention, UnknownOutcome) as error:
        raise ViewStoreBusy(str(error)) from error
