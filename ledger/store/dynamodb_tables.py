"""The tables of one ledger, and the one way anything is written to them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from eventsourcing.persistence import DataError, IntegrityError, StoredEvent, Tracking

from ledger.errors import CommandRecorded, Contention, UnknownOutcome, VersionConflict
from ledger.lease import Lease
from ledger.store.base import CommandRecord
from ledger.store.dynamodb_client import MAX_CONNECTIONS, THROTTLED, translated
from ledger.store.dynamodb_items import (
    Item,
    check_limits,
    command_item,
    command_record,
    stored_event,
    tracking_item,
)
from ledger.store.dynamodb_requests import Actions
from ledger.store.dynamodb_stream_access import streams_client_beside
from ledger.store.sending import check_each_try, sending_under
from ledger.store.tables import full_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

_NEW_EVENT: Final = {
    "ConditionExpression": "attribute_not_exists(#s)",
    "ExpressionAttributeNames": {"#s": "stream"},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}


MAX_GETS: Final = 100
"""Keys of one BatchGetItem at most."""

MAX_IN_VAIN: Final = 6
"""How often BatchGetItem may answer nothing at all before it is given up, after some 3 s."""


class DynamoDBTables:
    """The client and the tables of one ledger; shared by its recorders.

    Parameters
    ----------
    lease
        Where several Regions have replicas of the tables: what says whether this one writes.
    """

    def __init__(self, client: DynamoDBClient, prefix: str, lease: Lease | None = None) -> None:
        self.client = client
        self.prefix = prefix
        self.lease = lease
        if lease is not None:
            check_each_try(client)
        self.events = full_name(prefix, "events")
        self.commands = full_name(prefix, "commands")
        self.feed = full_name(prefix, "feed")
        self.tracking = full_name(prefix, "tracking")
        self.in_parallel = ThreadPoolExecutor(MAX_CONNECTIONS // 2, "dynamodb-read")
        """Threads for requests that need not wait for each other."""

    @cached_property
    def streams(self) -> DynamoDBStreamsClient:
        """A client for the tables' streams."""
        return streams_client_beside(self.client)

    def permit(self) -> None:
        """Pass if this Region writes; where there is no lease, it does.

        Raises
        ------
        NotTheWriter, LeaseUnreadable
            See `Lease.check`.
        """
        if self.lease is not None:
            self.lease.check()

    def acting(self) -> bool:
        """Whether this Region is the one to act on events (see `Lease.held`)."""
        return self.lease is None or self.lease.held()

    @contextmanager
    def leased(self) -> Iterator[None]:
        """Within it, every try of every request of this thread is sent only under the lease."""
        if self.lease is None:
            yield
            return
        with sending_under(self.lease.check):
            yield

    def close(self) -> None:
        """Let go of threads and connections."""
        self.in_parallel.shutdown()
        self.client.close()
        if "streams" in self.__dict__:
            self.streams.close()

    def get_many(self, table: str, keys: Sequence[Item]) -> list[Mapping[str, Any]]:
        """The items of these keys that there are, in any order, read strongly and in parallel.

        Raises
        ------
        Contention
            The table was too busy to answer all of it.
        """
        lots = [keys[start : start + MAX_GETS] for start in range(0, len(keys), MAX_GETS)]
        get = partial(self._get_lot, table)
        found = map(get, lots) if len(lots) == 1 else self.in_parallel.map(get, lots)
        return [item for items in found for item in items]

    def _get_lot(self, table: str, keys: Sequence[Item]) -> list[Mapping[str, Any]]:
        """One request, repeated for what an answer left out for its size (16 MB) or for haste."""
        asked: Any = {table: {"Keys": keys, "ConsistentRead": True}}
        found: list[Mapping[str, Any]] = []
        in_vain = 0
        while asked:
            with translated(f"reading {table}"):
                answer = self.client.batch_get_item(RequestItems=asked)
            items = answer["Responses"].get(table, [])
            found += items
            asked = answer.get("UnprocessedKeys")
            in_vain = 0 if items else in_vain + 1
            if asked and in_vain:
                if in_vain > MAX_IN_VAIN:
                    msg = f"reading {table}: throttled"
                    raise Contention(msg)
                time.sleep(random.uniform(0, 0.025 * 2**in_vain))  # noqa: S311 (no secret)
        return found

    def append(
        self,
        items: Sequence[Item],
        command: CommandRecord | None,
        stored: Callable[[Mapping[str, Any]], StoredEvent],
        tracking: Tracking | None = None,
        unmoved: Mapping[str, int] | None = None,
    ) -> None:
        """Write the items of new events, the command's record and a tracking, or nothing.

        `stored` reads an event back from the item that was there before. `unmoved` is as in
        `LedgerRecorder.insert_events`.

        Raises
        ------
        CommandRecorded, VersionConflict, Contention, UnknownOutcome, CommitTooLarge
            See `LedgerRecorder.insert_events`.
        NotTheWriter, LeaseUnreadable
            Nothing was sent.
        IntegrityError
            The tracking's position, or a later one, was recorded before.
        """
        if len({(i["stream"]["S"], i["version"]["N"]) for i in items}) < len(items):
            raise VersionConflict({})
        everything = list(items)
        actions = Actions(
            {"Put": {"TableName": self.events, "Item": item, **_NEW_EVENT}} for item in items
        )
        written = {item["stream"]["S"] for item in items}
        checked = [
            {"stream": {"S": stream}, "version": {"N": str(version + 1)}}
            for stream, version in (unmoved or {}).items()
            if stream not in written
        ]
        everything += checked
        actions += (
            {"ConditionCheck": {"TableName": self.events, "Key": key, **_NEW_EVENT}}
            for key in checked
        )
        if not actions and command is None and tracking is None:
            return
        if command is not None:
            everything.append(command_item(command))
            actions.append({"Put": self._new_command(everything[-1])})
        if tracking is not None:
            everything.append(tracking_item(tracking))
        check_limits(everything)
        with_command = command is not None
        self.write(actions, f"appending {_named(items)}", stored, tracking, with_command)

    def write(
        self,
        actions: Sequence[Mapping[str, Any]],
        what: str,
        stored: Callable[[Mapping[str, Any]], StoredEvent] = stored_event,
        tracking: Tracking | None = None,
        with_command: bool = False,
    ) -> None:
        """Do all of these actions (the command's record last) and track, or nothing."""
        if tracking is not None:
            actions = [*actions, {"Put": self.new_tracking(tracking)}]
        try:
            with self.leased(), translated(what, writing=True):
                self.client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]
        except ClientError as error:
            reasons: list[Any] = list(error.response.get("CancellationReasons", []))
            if tracking is not None and reasons and _refused(reasons.pop()):
                raise tracked_before(tracking) from error
            raise _cancelled(reasons, what, stored, with_command=with_command) from error

    def new_tracking(self, tracking: Tracking) -> dict[str, Any]:
        """The put of a tracking, on the condition that it is the application's newest."""
        return {
            "TableName": self.tracking,
            "Item": tracking_item(tracking),
            "ConditionExpression": "attribute_not_exists(application) OR notification_id < :n",
            "ExpressionAttributeValues": {":n": {"N": str(tracking.notification_id)}},
        }

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


def tracked_before(tracking: Tracking) -> IntegrityError:
    """What is raised when a position, or a later one, was recorded before."""
    msg = f"{tracking.application_name} is tracked up to {tracking.notification_id} or further"
    return IntegrityError(msg)


def _refused(reason: Mapping[str, Any]) -> bool:
    return bool(reason["Code"] == "ConditionalCheckFailed")


def _cancelled(
    reasons: Sequence[Any],
    what: str,
    stored: Callable[[Mapping[str, Any]], StoredEvent],
    *,
    with_command: bool,
) -> Exception:
    """What a cancelled transaction means; the command's reason outranks the others."""
    if with_command and reasons and _refused(reasons[-1]):
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
