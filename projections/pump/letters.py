"""Dead letters in the `pump` table, and what sends them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import uuid_utils

from ledger.store.dynamodb_client import translated
from projections.delivery.dead_letters import DeadLetter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KIND: Final = "dead-letter#"


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter with the id it is kept under; ids are in the order the letters were put."""

    id: str
    letter: DeadLetter


class TableDeadLetters:
    """Dead letters as items of kind `dead-letter#{consumer}`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, letter: DeadLetter) -> None:
        """Keep a message for good."""
        with translated(f"writing {self._table}", writing=True):
            self._client.put_item(
                TableName=self._table,
                Item={
                    "kind": {"S": f"{KIND}{letter.consumer}"},
                    "id": {"S": str(uuid_utils.uuid7())},
                    "body": {"S": letter.body},
                    "reason": {"S": letter.reason},
                    "failed_at": {"S": letter.failed_at},
                },
            )

    def of(self, consumer: str) -> list[KeptLetter]:
        """The dead letters of a consumer, the oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="#k = :k",
            ExpressionAttributeNames={"#k": "kind"},
            ExpressionAttributeValues={":k": {"S": f"{KIND}{consumer}"}},
        )
        with translated(f"reading {self._table}"):
            return [
                KeptLetter(
                    item["id"]["S"],
                    DeadLetter(
                        consumer, item["body"]["S"], item["reason"]["S"], item["failed_at"]["S"]
                    ),
                )
                for page in pages
                for item in page["Items"]
            ]

    def remove(self, kept: KeptLetter) -> None:
        """Forget a dead letter; harmless if it is gone."""
        key = {"kind": {"S": f"{KIND}{kept.letter.consumer}"}, "id": {"S": kept.id}}
        with translated(f"writing {self._table}", writing=True):
            self._client.delete_item(TableName=self._table, Key=key)
