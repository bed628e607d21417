"""Reading a table's stream: every shard, parents before children, from where one stopped.

A stream is a tree of shards that grows and is trimmed: a shard takes records for some hours, is
closed, and has one child or more; whatever is older than a day is gone. Records of one item are in
order when a child is read only once its parent has been read to its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from ledger.errors import Contention
from ledger.store.dynamodb_client import THROTTLED, translated
from ledger.store.dynamodb_stream_access import (
    BEGINNING,
    CLOSED,
    ShardPositions,
    lost,
    orphans,
    parents,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

BATCH: Final = 1000
"""Records of one read at most; the service's own limit."""

DESCRIBE_SECONDS: Final = 10.0
"""How long a list of shards is believed while none of them closes."""


@dataclass(frozen=True, slots=True)
class ShardBatch:
    """Records of one shard in their order; `last` is the sequence number of the last one."""

    shard: str
    records: tuple[Mapping[str, Any], ...]
    last: str


@dataclass(slots=True)
class _Shard:
    """What is known of a shard here and now."""

    id: str
    parent: str | None
    position: str
    iterator: str | None = None
    ended: bool = False
    pending: ShardBatch | None = None


class StreamReader:
    """Reads a stream at least once, each shard in order. Not for more than one thread at a time.

    Parameters
    ----------
    client, arn
        The stream and the client to read it with.
    positions
        Where reading goes on; a shard that is not in there is read from its oldest record.
    clock
        Seconds that only ever grow.
    """

    def __init__(
        self,
        client: DynamoDBStreamsClient,
        arn: str,
        positions: ShardPositions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.arn = arn
        self.trimmed = False
        """Whether records may have been trimmed unread. Whoever can find out otherwise what they
        missed (by a scan) does so before anything else is `done`, and says so (`recovered`)."""
        self._client = client
        self._positions = positions
        self._clock = clock
        self._stored: dict[str, str] | None = None
        self._listed: dict[str, str | None] = {}
        self._shards: dict[str, _Shard] = {}
        self._describe_at = clock()
        self._closed = False

    def poll(self) -> list[ShardBatch]:
        """The next records of every readable shard, none for shards without news.

        A shard whose last batch is not `done` is not read on. Shards that are being throttled or
        that were trimmed are left to the next poll.

        Raises
        ------
        ProgrammingError
            There is no such stream.
        OperationalError, InterfaceError
            The stream can't be read now, or not with these credentials.
        """
        while True:
            if self._closed or self._clock() >= self._describe_at:
                self._discover()
            batches = [
                batch
                for shard in list(self._shards.values())
                if self._readable(shard) and (batch := self._next(shard)) is not None
            ]
            if batches or not self._closed:
                return batches

    def done(self, batch: ShardBatch) -> None:
        """Remember that a batch needn't be read again; its shard may be read on."""
        shard = self._shards.get(batch.shard)
        if shard is None or shard.pending is not batch:
            return
        self._save(shard.id, batch.last)
        shard.position, shard.pending = batch.last, None
        if shard.ended:
            self._close(shard)

    def recovered(self) -> None:
        """Hear that nothing is missing any more, although records were `trimmed`."""
        self.trimmed = False
        if self._stored is not None:
            self._tidy(self._stored)

    def _readable(self, shard: _Shard) -> bool:
        """Whether it may be read on: its parent is closed and done, or was gone all along."""
        if shard.pending is not None or shard.ended:
            return False
        return shard.parent not in self._shards

    def _next(self, shard: _Shard) -> ShardBatch | None:
        try:
            with translated(f"reading shard {shard.id} of {self.arn}"):
                records = self._read(shard)
        except _NotNow:
            return None
        if not records:
            if shard.ended:
                self._close(shard)
            return None
        last = records[-1]["dynamodb"]["SequenceNumber"]
        shard.pending = ShardBatch(shard.id, records, last)
        return shard.pending

    def _read(self, shard: _Shard) -> tuple[Mapping[str, Any], ...]:
        try:
            if shard.iterator is None:
                shard.iterator = self._iterator(shard)
            answer = self._client.get_records(ShardIterator=shard.iterator, Limit=BATCH)
        except ClientError as error:
            self._recover(shard, error)
            raise _NotNow from error
        shard.iterator = answer.get("NextShardIterator")
        shard.ended = shard.iterator is None
        return tuple(answer["Records"])

    def _iterator(self, shard: _Shard) -> str:
        request: dict[str, Any] = {"StreamArn": self.arn, "ShardId": shard.id}
        if shard.position == BEGINNING:
            request["ShardIteratorType"] = "TRIM_HORIZON"
        else:
            request["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER"
            request["SequenceNumber"] = shard.position
        return self._client.get_shard_iterator(**request)["ShardIterator"]

    def _recover(self, shard: _Shard, error: ClientError) -> None:
        """Make the next read of a shard possible after an error, or raise it.

        An iterator lives for 15 minutes, a record for 24 hours, a shard about as long.
        """
        code = error.response["Error"]["Code"]
        if code in THROTTLED:
            return
        shard.iterator = None
        if code == "TrimmedDataAccessException":
            self.trimmed = True
            shard.position = BEGINNING
        elif code == "ResourceNotFoundException":
            self.trimmed = True
            del self._shards[shard.id]
            self._describe_at = self._clock()
        elif code != "ExpiredIteratorException":
            raise error

    def _close(self, shard: _Shard) -> None:
        self._save(shard.id, CLOSED)
        del self._shards[shard.id]
        self._closed = True

    def _save(self, shard: str, position: str) -> None:
        self._positions.save(shard, position)
        if self._stored is not None:
            self._stored[shard] = position

    def _discover(self) -> None:
        """Learn of new shards, and forget those that are gone."""
        self._closed = False
        self._describe_at = self._clock() + DESCRIBE_SECONDS
        try:
            with translated(f"describing the stream {self.arn}"):
                self._listed = parents(self._client, self.arn)
        except Contention:
            self._describe_at = self._clock() + DESCRIBE_SECONDS / 10
            return
        if not self._listed:  # it is being turned on
            self._describe_at = self._clock() + DESCRIBE_SECONDS / 10
        if self._stored is None:
            self._stored = dict(self._positions.load())
        self.trimmed = self.trimmed or lost(self._listed, self._stored)
        if not self.trimmed:  # or else whoever begins here after a crash must see it too
            self._tidy(self._stored)
        for shard, parent in self._listed.items():
            position = self._stored.get(shard, BEGINNING)
            if shard not in self._shards and position != CLOSED:
                self._shards[shard] = _Shard(shard, parent, position)

    def _tidy(self, stored: dict[str, str]) -> None:
        """Forget shards that are gone. Their children have positions of their own from now on."""
        for shard in orphans(self._listed, stored):
            self._save(shard, BEGINNING)
        for shard in [shard for shard in stored if shard not in self._listed]:
            self._positions.forget(shard)
            del stored[shard]
            self._shards.pop(shard, None)


class _NotNow(Exception):
    """A shard can't be read at this moment; the next poll will try."""
