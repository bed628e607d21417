"""The raw history: what the tables were given, commit by commit, read with nothing but `json`."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from tests.simulation.dynamodb.storage import Table
from tests.simulation.judge.findings import insist

_HASH = re.compile(rb',"hash":"[0-9a-f]{64}"(?=}$)')


@dataclass(frozen=True)
class Event:
    """One event as it is stored."""

    stream: str
    version: int
    type: str
    at: str
    actor: str
    command: str
    data: dict[str, Any]
    hash: str
    id: str

    @property
    def spot(self) -> tuple[str, str]:
        """SKU and location of a position's event, whichever lane it is on."""
        sku, _, location = self.stream.removeprefix("stock:").partition("@")
        return sku, location.partition("#")[0]

    @property
    def lane(self) -> int:
        """The lane of its position that an event is on."""
        return int(self.stream.partition("#")[2] or 0)

    @property
    def order_id(self) -> str:
        """The order of an order's event."""
        return self.stream.removeprefix("order:")


@dataclass(frozen=True)
class Commit:
    """The events of one atomic write. `number` counts the writes of the whole database."""

    number: int
    events: tuple[Event, ...]

    @property
    def actor(self) -> str:
        """Who asked for it."""
        return self.events[0].actor


def commits_of(events: Table) -> list[Commit]:
    """Every commit in its order; each event is checked to be sealed, chained and in its place."""
    grouped: dict[int, list[Event]] = {}
    tails: dict[str, tuple[int, str, str]] = {}
    for write in events.stream:
        insist(write.old is None and write.new is not None, "append only", f"{write.old} changed")
        assert write.new is not None
        event = _read(write.new, tails)
        grouped.setdefault(write.commit, []).append(event)
    commits = [Commit(number, tuple(found)) for number, found in grouped.items()]
    seen: set[str] = set()
    for commit in commits:
        ids = {event.command for event in commit.events}
        insist(len(ids) == 1 and not ids & seen, "a commit is atomic", f"{sorted(ids)}")
        seen |= ids
    return commits


def _read(item: Any, tails: dict[str, tuple[int, str, str]]) -> Event:
    stream, version, state = item["stream"]["S"], int(item["version"]["N"]), item["state"]["B"]
    raw = json.loads(state)
    last, last_hash, last_at = tails.get(stream, (0, "", ""))
    where = f"{stream} version {version}"
    body = _HASH.sub(b"", state)
    sealed = hashlib.sha256(f"{stream}\n{version}\n".encode() + body).hexdigest()
    insist(raw["hash"] == sealed, "12: the hash chain", f"{where} is not sealed")
    insist(version == last + 1, "versions are contiguous", f"{where} comes after {last}")
    insist(raw["prev"] == last_hash, "12: the hash chain", f"{where} doesn't continue it")
    insist(raw["at"] > last_at, "time goes on within a stream", f"{where} is at {raw['at']}")
    tails[stream] = (version, raw["hash"], raw["at"])
    return Event(
        stream, version, raw["type"], raw["at"], raw["actor"], raw["command"], raw["data"],
        raw["hash"], raw["id"],
    )  # fmt: skip
