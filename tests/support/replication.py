"""Replication between two Regions as Global Tables do it (MREC), slowed down.

Every item travels alone after a delay of its own, so items of one commit arrive apart and in any
order. Of two writes of one item the later one wins, on both sides in the end.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ledger.regions.contents import REPLICATED
from ledger.store.tables import full_name, manifest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

POLL_SECONDS: Final = 0.1

Item = Mapping[str, Any]
Key = tuple[str, str]
"""A table, and its item's key as text."""


class Side:
    """One Region's replicated tables."""

    def __init__(self, client: DynamoDBClient, prefix: str) -> None:
        self.client = client
        self.prefix = prefix
        self.known: dict[Key, tuple[Item, float]] = {}
        """What was last seen of each item, and when it was written."""

    def news(self) -> list[tuple[Key, Item]]:
        """Items that were written here since they were last looked at."""
        now, changed = time.monotonic(), []
        for name in REPLICATED:
            for item in self.items(name):
                key = _key(name, item)
                if key not in self.known or self.known[key][0] != item:
                    self.known[key] = item, now
                    changed.append((key, item))
        return changed

    def items(self, name: str) -> list[Item]:
        """All items of a table."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=full_name(self.prefix, name), ConsistentRead=True
        )
        return [item for page in pages for item in page["Items"]]

    def receive(self, key: Key, item: Item, written_at: float) -> None:
        """Take an item that was written elsewhere, unless it was written here since."""
        if key in self.known and self.known[key][1] >= written_at:
            return
        self.client.put_item(TableName=full_name(self.prefix, key[0]), Item=dict(item))
        self.known[key] = item, written_at


class Replication:
    """Copies both ways in a thread, until it is stopped; it may be cut and mended meanwhile."""

    def __init__(self, one: Side, other: Side, *, longest: float = 0.5, seed: int = 0) -> None:
        self._sides = one, other
        self._longest = longest
        self._random = random.Random(seed)
        self._due: list[tuple[float, Side, Key, Item, float]] = []
        self._working = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replication", daemon=True)
        self.is_cut = False
        self.failure: Exception | None = None

    def __enter__(self) -> Replication:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def cut(self) -> None:
        """Let nothing arrive any more; what is on its way waits."""
        with self._working:
            self.is_cut = True

    def mend(self) -> None:
        """Let everything arrive again."""
        with self._working:
            self.is_cut = False

    def carry(self, part: float) -> None:
        """Without a thread: let about this part of what is on its way arrive."""
        self._collect()
        arriving = [entry for entry in self._due if self._random.random() < part]
        self._due = [entry for entry in self._due if entry not in arriving]
        self._deliver(arriving)

    def settle(self) -> None:
        """Wait until both sides are equal."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with self._working:
                one, other = (
                    {_key(name, item): item for name in REPLICATED for item in side.items(name)}
                    for side in self._sides
                )
            if one == other:
                return
            time.sleep(POLL_SECONDS)
        raise AssertionError("the Regions do not become equal")

    def _run(self) -> None:
        try:
            while not self._stopping.wait(POLL_SECONDS):
                with self._working:
                    self._step()
        except Exception as error:
            self.failure = error

    def _step(self) -> None:
        self._collect()
        if self.is_cut:
            return
        now = time.monotonic()
        ready = [entry for entry in self._due if entry[0] <= now]
        self._due = [entry for entry in self._due if entry[0] > now]
        self._deliver(ready)

    def _collect(self) -> None:
        here, there = self._sides
        for side, target in ((here, there), (there, here)):
            for key, item in side.news():
                written_at = side.known[key][1]
                due = written_at + self._random.uniform(0, self._longest)
                self._due.append((due, target, key, item, written_at))

    def _deliver(self, entries: list[tuple[float, Side, Key, Item, float]]) -> None:
        self._random.shuffle(entries)
        for _, target, key, item, written_at in entries:
            target.receive(key, item, written_at)


def _key(name: str, item: Item) -> Key:
    return name, str([item[key.name] for key in manifest()[name].keys])
