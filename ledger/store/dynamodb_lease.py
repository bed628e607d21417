"""The lease of one Region on DynamoDB: its grant, and the fence that replication brings.

The grant is the item `writer` of the table `lease`, which has no replicas. The fence is an item of
the table of commands, which has: it has the form of a command record without events, so that
nobody who reads commands is disturbed, and a key no command can have (those hold two `#` at least).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, get_args

from eventsourcing.persistence import IntegrityError

from ledger.lease import Fence, Grant, Standing, State
from ledger.store.base import CommandRecord
from ledger.store.dynamodb_client import make_client, translated
from ledger.store.dynamodb_items import command_item
from ledger.store.tables import full_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WRITER: Final = "writer"
FENCE: Final = "lease#fence"


class LeaseMoved(IntegrityError):
    """Somebody else changed the lease meanwhile."""


def make_lease_client(region_name: str | None = None) -> DynamoDBClient:
    """A client that answers or fails within 2 s; whoever reads the lease tries again by itself."""
    once = {"mode": "standard", "total_max_attempts": 1}
    return make_client(region_name=region_name, read_timeout=1, retries=once)


class LeaseTable:
    """What one Region's tables say of the lease."""

    def __init__(self, client: DynamoDBClient, prefix: str) -> None:
        self.client = client
        self._table = full_name(prefix, "lease")
        self._commands = full_name(prefix, "commands")

    def read(self) -> Standing:
        """Grant and fence, read strongly.

        Raises
        ------
        OperationalError, ProgrammingError, InterfaceError
            They can't be read.
        """
        grant = self._item(self._table, "name", WRITER)
        fence = self._item(self._commands, "key", FENCE)
        return Standing(
            None if grant is None else _grant(grant),
            None if fence is None else Fence(int(fence["epoch"]["N"]), fence["region"]["S"]),
        )

    def _item(self, table: str, key: str, value: str) -> Mapping[str, Any] | None:
        with translated(f"reading {table}"):
            answer = self.client.get_item(
                TableName=table, Key={key: {"S": value}}, ConsistentRead=True
            )
        return answer.get("Item")

    def put(self, grant: Grant, *, after: Grant | None) -> None:
        """Change the grant, if it is still what it was when it was read.

        Raises
        ------
        LeaseMoved
            It isn't.
        """
        condition: dict[str, Any] = {
            "ConditionExpression": "attribute_not_exists(#e)",
            "ExpressionAttributeNames": {"#e": "epoch"},
        }
        if after is not None:
            condition = {
                "ConditionExpression": "#e = :e AND #s = :s",
                "ExpressionAttributeNames": {"#e": "epoch", "#s": "state"},
                "ExpressionAttributeValues": {
                    ":e": {"N": str(after.epoch)},
                    ":s": {"S": after.state},
                },
            }
        item: Any = {
            "name": {"S": WRITER},
            "state": {"S": grant.state},
            "epoch": {"N": str(grant.epoch)},
            "region": {"S": grant.region},
            "at": {"S": grant.at},
            "by": {"S": grant.by},
        }
        with translated(f"writing {self._table}", writing=True):
            try:
                self.client.put_item(TableName=self._table, Item=item, **condition)
            except self.client.exceptions.ConditionalCheckFailedException as error:
                # The SDK may have sent it twice: then what stands is what we wanted.
                if self.read().grant == grant:
                    return
                msg = f"the lease in {self._table} was changed by somebody else meanwhile"
                raise LeaseMoved(msg) from error

    def raise_fence(self, fence: Fence) -> None:
        """Put the fence where replication takes it to the other Regions.

        Raises
        ------
        LeaseMoved
            A newer one is there.
        """
        item = command_item(CommandRecord(FENCE, "", ()))
        item |= {"epoch": {"N": str(fence.epoch)}, "region": {"S": fence.region}}
        with translated(f"writing {self._commands}", writing=True):
            try:
                self.client.put_item(
                    TableName=self._commands,
                    Item=item,
                    ConditionExpression="attribute_not_exists(#e) OR #e < :e OR "
                    "(#e = :e AND #r = :r)",
                    ExpressionAttributeNames={"#e": "epoch", "#r": "region"},
                    ExpressionAttributeValues={":e": item["epoch"], ":r": item["region"]},
                )
            except self.client.exceptions.ConditionalCheckFailedException as error:
                raise LeaseMoved("the lease was moved again meanwhile") from error


def _grant(item: Mapping[str, Any]) -> Grant:
    state: State = item["state"]["S"]
    assert state in get_args(State), f"the lease is {state!r}"
    return Grant(
        state, int(item["epoch"]["N"]), item["region"]["S"], item["at"]["S"], item["by"]["S"]
    )
