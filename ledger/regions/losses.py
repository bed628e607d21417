"""What an unplanned failover lost: commits that were made and are not there any more.

What was made is known from the old Region's table, and, for a day, from the streams of both: those
show what was written, even where replication overwrote it since (the last writer of an item wins).
What is there is what the new Region's table holds. Every event names the size of its commit, so
of a commit that arrived in part the missing part is known.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

from eventsourcing.persistence import ProgrammingError, StoredEvent

from ledger.codec import CorruptEvent, Recorded, decode
from ledger.regions.contents import digests, items_of, unlike
from ledger.regions.place import Place
from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_items import PURPOSE, stored_event
from ledger.store.dynamodb_stream import StreamReader
from ledger.store.dynamodb_stream_access import (
    BEGINNING,
    CLOSED,
    ends,
    stream_arn,
    streams_client_beside,
)
from ledger.store.dynamodb_tables import DynamoDBTables

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

LOOKED_UP: Final = 1000
"""Events that are looked up in the new Region at a time."""

QUIET_READS: Final = 10
"""Reads in a row that tell nothing from before the report was asked for, after which open shards
are taken for read up to then. (An answer may be empty though there is more to come.)"""

CLOCKS_SECONDS: Final = 60.0
"""By how much this machine's time of day may be behind DynamoDB's."""

Harm = Literal["missing", "overwritten"]
Fate = Literal["lost", "torn", "overwritten"]


@dataclass(frozen=True, slots=True, order=True)
class HarmedEvent:
    """An event that was recorded and is not there: missing, or another one has its place."""

    stream: str
    version: int
    type: str
    harm: Harm
    by: str | None
    """The commit that has its place."""


@dataclass(frozen=True, slots=True)
class HarmedCommit:
    """A commit that is not there, or not whole.

    Its fate is `lost` if nothing of it is there and nothing took its place, `overwritten` if
    another commit took the place of any of its events, `torn` if only a part is missing.
    """

    command: str
    at: str
    actor: str
    region: str
    size: int
    fate: Fate
    kept: int
    """How many of its events are there."""
    events: tuple[HarmedEvent, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def losses(old: Place, new: Place, *, segments: int = 4) -> list[HarmedCommit]:
    """Every commit that was made in either Region and is not whole in the new one, by its time.

    Exact for what the old Region's table still holds, and for what either stream still tells.
    """
    harmed: dict[tuple[str, int, str], tuple[Recorded, HarmedEvent]] = {}
    events = _made(old, new, segments)
    while lot := list(islice(events, LOOKED_UP)):
        there = _there(new.tables, lot)
        for made in lot:
            found = there.get((made.stream, made.version))
            if found is None or found.hash != made.hash:
                harmed[made.stream, made.version, made.hash] = made, _harm(made, found)
    commits: dict[str, list[tuple[Recorded, HarmedEvent]]] = {}
    for made, harm in harmed.values():
        commits.setdefault(made.command, []).append((made, harm))
    return sorted((_commit(parts) for parts in commits.values()), key=lambda c: (c.at, c.command))


def _made(old: Place, new: Place, segments: int) -> Iterator[Recorded]:
    """Events that were recorded and may be gone; some of them come twice."""
    ours = digests(old.tables, "events", segments)
    theirs = digests(new.tables, "events", segments)
    for stream in unlike(ours, theirs):
        yield from _decoded(map(stored_event, items_of(old.tables, "events", stream)))
    for place in (old, new):
        yield from _decoded(_written(place.tables))


def _decoded(events: Iterable[StoredEvent]) -> Iterator[Recorded]:
    for stored in events:
        try:
            yield decode(stored)
        except CorruptEvent:
            continue  # `ledger verify` tells of it


def _written(tables: DynamoDBTables) -> Iterator[StoredEvent]:
    """What the events table's stream still tells, if it has one."""
    try:
        arn = stream_arn(tables.client, tables.events)
    except ProgrammingError:
        return
    until = time.time() + CLOCKS_SECONDS
    with closing(streams_client_beside(tables.client)) as client:
        read, quiet = _Read(), 0
        reader = StreamReader(client, arn, read)
        while quiet < QUIET_READS or _unread(client, arn, read):
            batches = reader.poll()
            # Clients go on writing: what they write now is no matter of the report.
            old = any(_written_at(batch.records[0]) <= until for batch in batches)
            quiet = 0 if old or quiet == QUIET_READS else quiet + 1
            for batch in batches:
                images = (record["dynamodb"].get("NewImage") for record in batch.records)
                yield from (stored_event(i) for i in images if i is not None and PURPOSE not in i)
                reader.done(batch)
            if not batches:
                time.sleep(0.1)


def _written_at(record: Mapping[str, Any]) -> float:
    """When a record was written (epoch seconds); 0 if it doesn't say."""
    at = record["dynamodb"].get("ApproximateCreationDateTime")
    return 0.0 if at is None else float(at.timestamp())


def _unread(client: DynamoDBStreamsClient, arn: str, read: _Read) -> bool:
    """Whether a shard that is closed was not read to its end."""
    with translated(f"describing the stream {arn}"):
        return any(not read.has(shard, last) for shard, last in ends(client, arn).items())


def _there(tables: DynamoDBTables, made: Iterable[Recorded]) -> Mapping[tuple[str, int], Recorded]:
    """What the table holds in the places of these events."""
    places = {(event.stream, event.version) for event in made}
    keys: Any = [{"stream": {"S": s}, "version": {"N": str(v)}} for s, v in sorted(places)]
    found = _decoded(map(stored_event, tables.get_many(tables.events, keys)))
    return {(event.stream, event.version): event for event in found}


def _harm(made: Recorded, found: Recorded | None) -> HarmedEvent:
    harm: Harm = "missing" if found is None else "overwritten"
    by = None if found is None else found.command
    return HarmedEvent(made.stream, made.version, made.type, harm, by)


def _commit(parts: list[tuple[Recorded, HarmedEvent]]) -> HarmedCommit:
    first, harms = parts[0][0], [harm for _, harm in parts]
    kept = max(0, first.size - len(harms))
    fate: Fate = "torn" if kept else "lost"
    if any(harm.harm == "overwritten" for harm in harms):
        fate = "overwritten"
    return HarmedCommit(
        first.command,
        min(made.at for made, _ in parts),
        first.actor,
        first.region,
        first.size,
        fate,
        kept,
        tuple(sorted(harms)),
    )


class _Read:
    """How far a stream was read by this process: from its oldest record on."""

    def __init__(self) -> None:
        self._positions: dict[str, str] = {}

    def has(self, shard: str, last: str) -> bool:
        """Whether a shard was read up to its last record."""
        position = self._positions.get(shard, BEGINNING)
        return position == CLOSED or (position != BEGINNING and int(position) >= int(last))

    def load(self) -> dict[str, str]:
        """Nothing was read before."""
        return {}

    def save(self, shard: str, position: str) -> None:
        """Remember it for this reading."""
        self._positions[shard] = position

    def forget(self, shard: str) -> None:
        """The stream no longer has it."""
        self._positions.pop(shard, None)
