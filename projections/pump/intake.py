"""The intake: takes batches of the stream, and gives them to the plumbing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from ledger.store.dynamodb_stream import ShardBatch, StreamReader
from projections.pump.plumbing import Plumbing
from projections.pump.tickets import PatientPositions, Ticket

log = logging.getLogger(__name__)

MAX_WAITING: Final = 20_000
"""Messages in memory, above which the stream is not read on."""

QUIET_SECONDS: Final = 1.0
"""A stream without news for so long is taken to be at its end."""

RETRY_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.1


class Stopped(Exception):
    """Somebody asked to stop while a batch was being relayed; it comes again."""


class Intake:
    """Reads a stream into the plumbing. For one thread.

    Parameters
    ----------
    positions
        The positions that `reader` was given.
    pause
        Waits so many seconds; answers whether to stop.
    """

    def __init__(
        self,
        reader: StreamReader,
        positions: PatientPositions,
        plumbing: Plumbing,
        pause: Callable[[float], bool],
    ) -> None:
        self.plumbing = plumbing
        self.trimmed = False
        """Whether the stream forgot records before they were read."""
        self._reader = reader
        self._positions = positions
        self._pause = pause

    def step(self) -> bool:
        """Relay what the stream has now; answers whether it had anything.

        Raises
        ------
        Stopped
            It was asked to.
        PersistenceError
            The stream or the positions can't be read or written now.
        """
        self._positions.flush()
        if self.plumbing.waiting > MAX_WAITING:
            return False
        batches = self._reader.poll()
        for batch in batches:
            self._relay(batch)
        if self._reader.trimmed and not self.trimmed:
            self.trimmed = True
            log.warning(
                "records were gone from the stream before they were read (it keeps a day): "
                "views may lack events until they are rebuilt"
            )
        return bool(batches)

    def settle(self) -> bool:
        """Store how far everything is done; answers whether nothing waits any more."""
        return self._positions.flush()

    def drain(self) -> None:
        """Deliver in this thread, until the stream is at its end and nothing is left to do.

        Sweeps before it says so: what a sweep brings about is delivered as well.
        """
        swept, quiet_since = False, time.monotonic()
        while True:
            news = self.step()
            served = [name for name in self.plumbing.queues if self.plumbing.serve(name)]
            if news or served or self.plumbing.waiting:
                swept, quiet_since = swept and not news, time.monotonic()
                if not news and not served and self._pause(PAUSE_SECONDS):
                    raise Stopped
            elif time.monotonic() - quiet_since < QUIET_SECONDS:
                if self._pause(PAUSE_SECONDS):
                    raise Stopped
            elif swept:
                break
            else:
                self.plumbing.sweep()
                swept, quiet_since = True, time.monotonic()
        self.settle()

    def _relay(self, batch: ShardBatch) -> None:
        ticket = Ticket()
        while not self.plumbing.relay(batch.records, ticket):
            log.warning("a batch of shard %s could not be relayed, it is tried again", batch.shard)
            if self._pause(RETRY_SECONDS):
                raise Stopped
        self._positions.cover(batch.shard, ticket)
        self._reader.done(batch)
