"""The DynamoDB tables, from the one manifest that Terraform reads too (`tables.json`)."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AttributeType = Literal["S", "N", "B"]


class Attribute(BaseModel):
    """A key attribute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: AttributeType


class Index(BaseModel):
    """A global secondary index; its items are those that have its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash_key: Attribute
    range_key: Attribute | None = None

    @property
    def keys(self) -> list[Attribute]:
        """The index's key attributes."""
        return [key for key in (self.hash_key, self.range_key) if key is not None]


class Table(BaseModel):
    """One table. `purpose` is what it is for, in a sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    purpose: str
    hash_key: Attribute
    range_key: Attribute | None
    stream_view_type: Literal["NEW_IMAGE"] | None
    ttl_attribute: str | None
    indexes: dict[str, Index]
    point_in_time_recovery: bool
    deletion_protection: bool
    replicated: bool
    """Whether other Regions hold a replica."""

    @property
    def keys(self) -> list[Attribute]:
        """The table's own key attributes."""
        return [key for key in (self.hash_key, self.range_key) if key is not None]


@cache
def manifest() -> dict[str, Table]:
    """Every table by its name without prefix."""
    text = resources.files("ledger.store").joinpath("tables.json").read_bytes()
    return TypeAdapter(dict[str, Table]).validate_json(text)


def full_name(prefix: str, name: str) -> str:
    """A table's name in the account: `{prefix}-{name}`."""
    return f"{prefix}-{name}"


def create_table_request(prefix: str, name: str) -> dict[str, Any]:
    """The `CreateTable` request of a table: billed per request, and with its stream."""
    table = manifest()[name]
    keys = [*table.keys, *(key for index in table.indexes.values() for key in index.keys)]
    attributes = {key.name: key.type for key in keys}
    request: dict[str, Any] = {
        "TableName": full_name(prefix, name),
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _schema(table.hash_key, table.range_key),
        "AttributeDefinitions": [
            {"AttributeName": n, "AttributeType": t} for n, t in attributes.items()
        ],
    }
    if table.indexes:
        request["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index_name,
                "KeySchema": _schema(index.hash_key, index.range_key),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index_name, index in table.indexes.items()
        ]
    if table.stream_view_type:
        request["StreamSpecification"] = {
            "StreamEnabled": True,
            "StreamViewType": table.stream_view_type,
        }
    return request


def _schema(hash_key: Attribute, range_key: Attribute | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": hash_key.name, "KeyType": "HASH"}]
    if range_key is not None:
        schema.append({"AttributeName": range_key.name, "KeyType": "RANGE"})
    return schema


def create_tables(client: DynamoDBClient, prefix: str, *, protect: bool = False) -> list[str]:
    """Create the tables that are missing and wait for them; answers the names created.

    `protect` turns deletion protection and point-in-time recovery on where the manifest asks for
    it. On AWS that is Terraform's work; here it is for accounts without it.
    """
    existing = set(existing_tables(client, prefix))
    created = [name for name in manifest() if name not in existing]
    for name in created:
        client.create_table(**create_table_request(prefix, name))
    for name in created:
        table, table_name = manifest()[name], full_name(prefix, name)
        client.get_waiter("table_exists").wait(
            TableName=table_name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        if table.ttl_attribute:
            client.update_time_to_live(
                TableName=table_name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
            )
        if protect and table.deletion_protection:
            client.update_table(TableName=table_name, DeletionProtectionEnabled=True)
        if protect and table.point_in_time_recovery:
            client.update_continuous_backups(
                TableName=table_name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )
    return created


def existing_tables(client: DynamoDBClient, prefix: str) -> list[str]:
    """Names (without prefix) of the manifest's tables that exist."""
    pages = client.get_paginator("list_tables").paginate()
    found = {name for page in pages for name in page["TableNames"]}
    return [name for name in manifest() if full_name(prefix, name) in found]


def delete_tables(client: DynamoDBClient, prefix: str) -> list[str]:
    """Delete the tables and all they hold; answers the names deleted.

    Raises
    ------
    ClientError
        A table is protected against deletion.
    """
    deleted = existing_tables(client, prefix)
    for name in deleted:
        client.delete_table(TableName=full_name(prefix, name))
    for name in deleted:
        client.get_waiter("table_not_exists").wait(
            TableName=full_name(prefix, name), WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    return deleted
