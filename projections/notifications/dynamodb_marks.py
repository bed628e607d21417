"""Marks in DynamoDB: one item for each channel and stream, keyed `{channel}#{stream}`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from typing_extensions import override

from ledger.store.dynamodb_client import translated
from ledger.store.tables import full_name
from projections.notifications.marks import LEASE_SECONDS, Advance, Claim, ClaimLost, Marks

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE: Final = "notifications"
NAMES: Final = {"#v": "version", "#c": "claim", "#u": "until"}
FREE: Final = "(attribute_not_exists(#c) OR #u <= :now)"


class DynamoDBMarks(Marks):
    """The marks of one channel, in the table `{prefix}-notifications`.

    Parameters
    ----------
    client
        Stays the caller's.
    lease
        In seconds. Senders' clocks may differ by much less than this.
    clock
        Answers epoch seconds.
    leased
        Within it requests are sent only where this Region acts: a stream is claimed or passed over
        in no other. What was claimed is told to its end and marked: elsewhere the claim, which is
        replicated, holds others off.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        prefix: str,
        channel: str,
        *,
        lease: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.time,
        leased: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._leased = leased
        self._client = client
        self._table = full_name(prefix, TABLE)
        self._channel = channel
        self._lease = lease
        self._clock = clock

    @override
    def versions(self, streams: Iterable[str]) -> dict[str, int]:
        return {stream: self._version(stream) for stream in streams}

    @override
    def advance(self, moves: Sequence[Advance]) -> set[str]:
        refused = set()
        for move in moves:
            with self._leased():
                if not self._advance(move):
                    refused.add(move.stream)
        return refused

    @override
    def claim(self, stream: str) -> Claim | None:
        token = uuid4().hex
        with self._leased():
            found = self._update(
                stream,
                "SET #c = :token, #u = :until",
                # An answer that was lost is asked for again by the SDK: the claim is this one then.
                f"{FREE} OR #c = :token",
                {":token": {"S": token}, ":until": self._until(), ":now": self._now()},
            )
        if found is None:
            return None
        return Claim(stream, token, int(found.get("version", {"N": "0"})["N"]))

    @override
    def mark(self, claim: Claim, version: int, *, release: bool = False) -> None:
        values = {":token": {"S": claim.token}, ":to": _number(version)}
        if release:
            change = "SET #v = :to REMOVE #c, #u"
        else:
            change = "SET #v = :to, #u = :until"
            values[":until"] = self._until()
        condition = "#c = :token AND (attribute_not_exists(#v) OR #v < :to)"
        if self._update(claim.stream, change, condition, values) is None:
            raise ClaimLost(claim.stream)

    @override
    def release(self, claim: Claim) -> None:
        token = {":token": {"S": claim.token}}
        self._update(claim.stream, "REMOVE #c, #u", "#c = :token", token)

    def _version(self, stream: str) -> int:
        with translated(f"reading the mark of {stream}"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=self._key(stream),
                ConsistentRead=True,
                ProjectionExpression="#v",
                ExpressionAttributeNames={"#v": "version"},
            )
        return int(answer.get("Item", {}).get("version", {"N": "0"})["N"])

    def _advance(self, move: Advance) -> bool:
        values = {":to": _number(move.to), ":now": self._now()}
        seen = "attribute_not_exists(#v)"
        if move.seen:
            seen, values[":seen"] = "#v = :seen", _number(move.seen)
        change = "SET #v = :to REMOVE #c, #u"
        return self._update(move.stream, change, f"{seen} AND {FREE}", values) is not None

    def _update(
        self, stream: str, change: str, condition: str, values: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Change an item; the item after it, or None if the condition is not met."""
        asked = f"{change} {condition}"
        names = {short: name for short, name in NAMES.items() if short in asked}
        unmet = self._client.exceptions.ConditionalCheckFailedException
        with translated(f"marking {stream}", writing=True):
            try:
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=self._key(stream),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                    ReturnValues="ALL_NEW",
                )
            except unmet:
                return None
        return dict(answer["Attributes"])

    def _key(self, stream: str) -> dict[str, Any]:
        return {"key": {"S": f"{self._channel}#{stream}"}}

    def _now(self) -> dict[str, str]:
        return _number(self._clock())

    def _until(self) -> dict[str, str]:
        return _number(self._clock() + self._lease)


def _number(value: float) -> dict[str, str]:
    """A number as DynamoDB takes it, times to the millisecond."""
    return {"N": str(value if isinstance(value, int) else round(Decimal(value), 3))}
