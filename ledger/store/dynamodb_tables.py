"""The tables of one ledger, and the one way anything is written to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from eventsourcing.persistence import DataError, StoredEvent

from ledger.errors import CommandRecorded, Contention, UnknownOutcome, VersionConflict
from ledger.store.base import CommandRecord
from ledger.store.dynamodb_client import MAX_CONNECTIONS, THROTTLED, translated
from ledger.store.dynamodb_items import Item, check_limits, command_item, command_record
from ledger.store.tables import full_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NEW_EVENT: Final = {
    "ConditionExpression": "attribute_not_exists(#s)",
    "ExpressionAttributeNames": {"#s": "stream"},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}


class DynamoDBTables:
    """The client and the tables of one ledger; shared by its recorders."""

    def __init__(self, client: DynamoDBClient, prefix: str) -> None:
        self.client = client
        self.events = full_name(prefix, "events")
        self.commands = full_name(prefix, "commands")
        self.in_parallel = ThreadPoolExecutor(MAX_CONNECTIONS // 2, "dynamodb-read")
        """Threads for reads that need not wait for each other."""

    def close(self) -> None:
        """Let go of threads and connections."""
        self.in_parallel.shutdown()
        self.client.close()

    def append(
        self,
        items: Sequence[Item],
        command: CommandRecord | None,
        stored: Callable[[Mapping[str, Any]], StoredEvent],
    ) -> None:
        """Write the items of new events and the command's record, or nothing.

        `stored` reads an event back from the item that was there before.

        Raises
        ------
        CommandRecorded, VersionConflict, Contention, UnknownOutcome, CommitTooLarge
            See `LedgerRecorder.insert_events`.
        """
        if len({(i["stream"]["S"], i["version"]["N"]) for i in items}) < len(items):
            raise VersionConflict({})
        everything = list(items)
        actions: list[dict[str, Any]] = [
            {"Put": {"TableName": self.events, "Item": item, **_NEW_EVENT}} for item in items
        ]
        if command is not None:
            everything.append(command_item(command))
            actions.append({"Put": self._new_command(everything[-1])})
        check_limits(everything)
        what = f"appending {_named(items)}"
        try:
            with translated(what, writing=True):
                self.client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]
        except ClientError as error:
            raise _cancelled(error, what, stored, with_command=command is not None) from error

    def _new_command(self, item: Item) -> dict[str, Any]:
        return {
            "TableName": self.commands,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(#k) OR expires_at <= :now",
            "ExpressionAttributeNames": {"#k": "key"},
            "ExpressionAttributeValues": {":now": {"N": str(int(time.time()))}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def _named(items: Sequence[Item]) -> str:
    """The events of a commit, by stream and version; of many, the first."""
    names = [f"{item['stream']['S']} version {item['version']['N']}" for item in items]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"


def _cancelled(
    error: ClientError,
    what: str,
    stored: Callable[[Mapping[str, Any]], StoredEvent],
    *,
    with_command: bool,
) -> Exception:
    """What a cancelled transaction means; the command's reason outranks the others."""
    reasons: list[Any] = list(error.response.get("CancellationReasons", []))
    if with_command and reasons and reasons[-1]["Code"] == "ConditionalCheckFailed":
        return CommandRecorded(command_record(reasons[-1]["Item"]))
    codes = [reason["Code"] for reason in reasons]
    if "ConditionalCheckFailed" in codes:
        winners = [stored(reason["Item"]) for reason in reasons if reason.get("Item")]
        return VersionConflict({str(winner.originator_id): winner for winner in winners})
    if "TransactionConflict" in codes:
        return VersionConflict({})
    if THROTTLED.intersection(codes):
        return Contention(f"{what}: throttled")
    if "ValidationError" in codes or "ItemCollectionSizeLimitExceeded" in codes:
        return DataError(f"{what}: {[r.get('Message') for r in reasons]}")
    return UnknownOutcome(f"{what}: {codes}")
