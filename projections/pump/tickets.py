"""How far a shard's batches have been delivered, so that none is forgotten before it is."""

from __future__ import annotations

import threading
from collections import deque

from ledger.store.dynamodb_stream_access import ShardPositions


class Ticket:
    """Stands for one batch until all messages that came of it are done with."""

    def __init__(self) -> None:
        self._open = 0
        self._guard = threading.Lock()

    def add(self) -> None:
        """Another message came of the batch."""
        with self._guard:
            self._open += 1

    def settle(self) -> None:
        """A message was acknowledged, or put among the dead letters."""
        with self._guard:
            self._open -= 1

    @property
    def done(self) -> bool:
        """Whether nothing of the batch is open. Not before all of it was published."""
        with self._guard:
            return self._open == 0


class PatientPositions:
    """Positions that are stored only once everything before them has been delivered.

    So the stream is read on while messages are still in their queues, and nothing is lost with
    them. For one thread, that of the stream's reader; tickets are settled by any.
    """

    def __init__(self, positions: ShardPositions) -> None:
        self._positions = positions
        self._waiting: dict[str, deque[tuple[str, Ticket]]] = {}
        self._covered: dict[str, Ticket] = {}

    def cover(self, shard: str, ticket: Ticket) -> None:
        """Let the shard's next position wait for a ticket."""
        self._covered[shard] = ticket

    def flush(self) -> bool:
        """Store what is due; answers whether nothing waits any more."""
        for shard, waiting in self._waiting.items():
            due = None
            while waiting and waiting[0][1].done:
                due = waiting.popleft()[0]
            if due is not None:
                self._positions.save(shard, due)
        return not any(self._waiting.values())

    def load(self) -> dict[str, str]:
        """Every stored position."""
        return self._positions.load()

    def save(self, shard: str, position: str) -> None:
        """Store a position when its time has come."""
        ticket = self._covered.pop(shard, None) or Ticket()
        self._waiting.setdefault(shard, deque()).append((position, ticket))
        self.flush()

    def forget(self, shard: str) -> None:
        """Drop a shard that the stream no longer has."""
        self._waiting.pop(shard, None)
        self._positions.forget(shard)
