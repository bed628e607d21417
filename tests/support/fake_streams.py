"""A table's stream of any shape in memory, with the service's errors on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

PAGE = 2
"""Shards in one answer of DescribeStream."""


@dataclass
class FakeShard:
    """A shard; its records are numbered within the stream, and gone below `trimmed`."""

    parent: str | None
    records: list[int] = field(default_factory=list)
    closed: bool = False
    trimmed: int = 0
    listed: bool = True


class FakeStreams:
    """Answers as a `dynamodbstreams` client does, for one stream."""

    def __init__(self) -> None:
        self.shards: dict[str, FakeShard] = {"shard-0": FakeShard(None)}
        self.written = 0
        self.refusals: list[str] = []
        """Error codes of the next answers."""
        self.iterators: dict[str, tuple[str, int]] = {}
        self.issued = 0

    def write(self, shard: str) -> int:
        """Add a record; its number."""
        self.written += 1
        self.shards[shard].records.append(self.written)
        return self.written

    def split(self, shard: str, children: int) -> list[str]:
        """Close a shard; its children go on."""
        self.shards[shard].closed = True
        names = [f"shard-{len(self.shards) + n}" for n in range(children)]
        self.shards.update({name: FakeShard(shard) for name in names})
        return names

    def expire(self) -> None:
        """Let 15 minutes pass."""
        self.iterators.clear()

    def describe_stream(self, **request: Any) -> dict[str, Any]:
        """A page of the shards that are still listed."""
        self._refuse()
        listed = [name for name, shard in self.shards.items() if shard.listed]
        start = request.get("ExclusiveStartShardId")
        at = listed.index(start) + 1 if start else 0
        page = listed[at : at + PAGE]
        shards = []
        for name in page:
            parent = self.shards[name].parent
            shards.append({"ShardId": name} | ({"ParentShardId": parent} if parent else {}))
        more = {"LastEvaluatedShardId": page[-1]} if listed[at + PAGE :] else {}
        return {"StreamDescription": {"Shards": shards, **more}}

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        """An iterator after a record, or at the oldest one."""
        self._refuse()
        shard = self._shard(request["ShardId"])
        if request["ShardIteratorType"] == "TRIM_HORIZON":
            return {"ShardIterator": self._issue(request["ShardId"], shard.trimmed)}
        after = shard.records.index(int(request["SequenceNumber"])) + 1
        if after <= shard.trimmed:
            raise refusal("TrimmedDataAccessException")
        return {"ShardIterator": self._issue(request["ShardId"], after)}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803 (boto3's)
        """Records from an iterator on; three at most, so that there is more to come."""
        self._refuse()
        if ShardIterator not in self.iterators:
            raise refusal("ExpiredIteratorException")
        name, at = self.iterators[ShardIterator]
        shard = self._shard(name)
        if at < shard.trimmed:
            raise refusal("TrimmedDataAccessException")
        until = min(at + min(Limit, 3), len(shard.records))
        records = [
            {"dynamodb": {"SequenceNumber": str(number)}} for number in shard.records[at:until]
        ]
        ended = shard.closed and until == len(shard.records)
        return {"Records": records} | (
            {} if ended else {"NextShardIterator": self._issue(name, until)}
        )

    def _shard(self, name: str) -> FakeShard:
        if not self.shards[name].listed:
            raise refusal("ResourceNotFoundException")
        return self.shards[name]

    def _issue(self, shard: str, at: int) -> str:
        self.issued += 1
        self.iterators[str(self.issued)] = (shard, at)
        return str(self.issued)

    def _refuse(self) -> None:
        if self.refusals:
            raise refusal(self.refusals.pop(0))


def refusal(code: str) -> ClientError:
    """An error of the service."""
    return ClientError({"Error": {"Code": code, "Message": "injected by a test"}}, "Read")


class Positions(dict[str, str]):
    """Positions in memory."""

    def load(self) -> dict[str, str]:
        """Every stored position."""
        return dict(self)

    def save(self, shard: str, position: str) -> None:
        """Store a position."""
        self[shard] = position

    def forget(self, shard: str) -> None:
        """Drop a shard."""
        del self[shard]
