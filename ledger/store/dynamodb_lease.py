"""The lease of one Region on DynamoDB: its grant, and the fence that replication brings.

The grant is the item `writer` of the table `lease`, which has no replicas. The fence is an item of
the table of commands, which has: it has the form of a command record without events, so that
nobody who reads commands is disturbed, and a key no command can have (those hold two `#` at least).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, get_args

from eventsourcing.persistence import IntegrityError, OperationalError

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
    """A client that answers or fails within 5 s, so that a copy can be read twice in its life."""
    return make_client(
        region_name=region_name,
        read_timeout=1,
        retries={"mode": "standard", "total_max_attempts": 2},
    )


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
        asked: Any = {
            self._table: {"Keys": [{"name": {"S": WRITER}}], "ConsistentRead": True},
            self._commands: {"Keys": [{"key": {"S": FENCE}}], "ConsistentRead": True},
        }
        with translated(f"reading {self._table}"):
            answer = self.client.batch_get_item(RequestItems=asked)
        if answer.get("UnprocessedKeys"):
            raise OperationalError(f"reading {self._table}: throttled")
        grants = answer["Responses"].get(self._table, [])
        fences = answer["Responses"].get(self._commands, [])
        return Standing(
            _grant(grants[0]) if grants else None,
            Fence(int(fences[0]["epoch"]["N"]), fences[0]["region"]["S"]) if fences else None,
        )

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

    def swept(self, what: str) -> int:
        """The epoch in which `what` was last swept on taking the lease; 0: never."""
        with translated(f"reading {self._table}"):
            answer = self.client.get_item(
                TableName=self._table, Key={"name": {"S": f"swept#{what}"}}, ConsistentRead=True
            )
        return int(answer["Item"]["epoch"]["N"]) if "Item" in answer else 0

    def mark_swept(self, what: str, epoch: int) -> None:
        """Remember that `what` was swept in this epoch."""
        item: Any = {"name": {"S": f"swept#{what}"}, "epoch": {"N": str(epoch)}}
        with translated(f"writing {self._table}", writing=True):
            self.client.put_item(TableName=self._table, Item=item)


def _grant(item: Mapping[str, Any]) -> Grant:
    state: State = item["state"]["S"]
    assert state in get_args(State), f"the lease is {state!r}"
    return Grant(
        state, int(item["epoch"]["N"]), item["region"]["S"], item["at"]["S"], item["by"]["S"]
    )
