"""Finding a table's stream, a client for it, and keeping where its readers stand."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from eventsourcing.persistence import ProgrammingError

from ledger.store.dynamodb_client import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

BEGINNING: Final = "TRIM_HORIZON"
"""Position of a shard of which nothing has been read yet."""

CLOSED: Final = "CLOSED"
"""Position of a shard that is closed and was read to its end."""

READ_TIMEOUT: Final = 5
"""Seconds to wait for an answer of a stream."""

_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


class ShardPositions(Protocol):
    """Where a reader stands: by shard, the last sequence number done, `BEGINNING` or `CLOSED`."""

    def load(self) -> dict[str, str]:
        """Every stored position."""

    def save(self, shard: str, position: str) -> None:
        """Store a shard's position."""

    def forget(self, shard: str) -> None:
        """Drop a shard that the stream no longer has."""


class TablePositions:
    """Positions in the `pump` table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def load(self) -> dict[str, str]:
        """Every stored position."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="#k = :k",
            ExpressionAttributeNames={"#k": "kind"},
            ExpressionAttributeValues={":k": {"S": "shard"}},
        )
        with translated(f"reading positions in {self._table}"):
            return {
                item["id"]["S"]: item["position"]["S"] for page in pages for item in page["Items"]
            }

    def save(self, shard: str, position: str) -> None:
        """Store a shard's position."""
        with translated(f"saving a position in {self._table}", writing=True):
            self._client.put_item(
                TableName=self._table, Item={**_shard_key(shard), "position": {"S": position}}
            )

    def forget(self, shard: str) -> None:
        """Drop a shard that the stream no longer has."""
        with translated(f"dropping a position in {self._table}", writing=True):
            self._client.delete_item(TableName=self._table, Key=_shard_key(shard))


def _shard_key(shard: str) -> dict[str, Any]:
    return {"kind": {"S": "shard"}, "id": {"S": shard}}


def stream_arn(client: DynamoDBClient, table: str) -> str:
    """The ARN of a table's stream.

    Raises
    ------
    ProgrammingError
        There is no such table, or it has no stream (now), or one without new images.
    """
    with translated(f"describing {table}"):
        described = client.describe_table(TableName=table)["Table"]
    stream = described.get("StreamSpecification", {"StreamEnabled": False})
    images = stream.get("StreamViewType") in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
    if not (stream["StreamEnabled"] and images and "LatestStreamArn" in described):
        msg = f"{table} has no stream of new images: turn it on, with view type NEW_IMAGE"
        raise ProgrammingError(msg)
    return described["LatestStreamArn"]


def parents(client: DynamoDBStreamsClient, arn: str) -> dict[str, str | None]:
    """Every shard a stream has now, with its parent (which may be gone)."""
    return {shard["ShardId"]: shard.get("ParentShardId") for shard in _shards(client, arn)}


def ends(client: DynamoDBStreamsClient, arn: str) -> dict[str, str]:
    """The last sequence number of every shard that is closed and still there."""
    ranges = {shard["ShardId"]: shard["SequenceNumberRange"] for shard in _shards(client, arn)}
    return {
        shard: its["EndingSequenceNumber"]
        for shard, its in ranges.items()
        if "EndingSequenceNumber" in its
    }


def _shards(client: DynamoDBStreamsClient, arn: str) -> Iterator[Any]:
    request: dict[str, Any] = {"StreamArn": arn}
    while True:
        answer = client.describe_stream(**request)["StreamDescription"]
        yield from answer.get("Shards", [])
        last = answer.get("LastEvaluatedShardId")
        if last is None:
            return
        request["ExclusiveStartShardId"] = last


def lost(listed: Mapping[str, str | None], stored: Mapping[str, str]) -> bool:
    """Whether shards went away unread: ones with a position, or some between those and `listed`.

    A first reader has lost nothing: it begins where the stream does.
    """
    gone = [position for shard, position in stored.items() if shard not in listed]
    missing = [stored.get(p) for p in orphans(listed, stored).values() if p is not None]
    return bool(stored) and any(position != CLOSED for position in [*gone, *missing])


def orphans(listed: Mapping[str, str | None], stored: Mapping[str, str]) -> dict[str, str | None]:
    """Shards without a position whose parent is gone, if they ever had one."""
    return {
        shard: parent
        for shard, parent in listed.items()
        if shard not in stored and parent not in listed
    }


def make_streams_client(
    endpoint_url: str | None = None, region_name: str | None = None, **config: Any
) -> DynamoDBStreamsClient:
    """A client for tables' streams, tuned as `make_client` tunes the one for tables.

    When no endpoint is given, botocore's own `AWS_ENDPOINT_URL_DYNAMODB_STREAMS` comes first, then
    `AWS_ENDPOINT_URL_DYNAMODB` (an emulator serves both on one URL), then `AWS_ENDPOINT_URL`.
    """
    if endpoint_url is None and not os.environ.get("AWS_ENDPOINT_URL_DYNAMODB_STREAMS"):
        endpoint_url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or None
    settings: dict[str, Any] = {
        "connect_timeout": 1,
        "read_timeout": READ_TIMEOUT,
        "retries": {"mode": "standard", "total_max_attempts": 4},
        "tcp_keepalive": True,
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    return boto3.client(
        "dynamodbstreams",
        endpoint_url=endpoint_url,
        region_name=region_name,
        config=Config(**{**settings, **config}),
    )


def streams_client_beside(client: DynamoDBClient) -> DynamoDBStreamsClient:
    """A streams client that speaks with whom the given client speaks, no less patiently.

    AWS has other hosts for streams than for tables; whatever else a client was given (an
    emulator) serves both.
    """
    url = client.meta.endpoint_url
    on_aws = (urlsplit(url).hostname or "").endswith(_AWS)
    given: Any = client.meta.config
    return make_streams_client(
        None if on_aws else url,
        client.meta.region_name,
        read_timeout=max(READ_TIMEOUT, given.read_timeout),
    )
