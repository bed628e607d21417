"""The threads of the pump: one reads the stream, one serves each queue, one sweeps."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from ledger.codec import Recorded
from ledger.store.dynamodb_stream import StreamReader
from projections.delivery.meters import Totals
from projections.loop import Loop
from projections.pump.intake import Intake, Stopped
from projections.pump.plumbing import Plumbing
from projections.pump.tickets import PatientPositions

POLL_SECONDS: Final = 0.25
"""How often the stream is looked at while nobody says that there is something."""

SWEEP_SECONDS: Final = 5.0
WAIT_SECONDS: Final = 1.0


class Pump:
    """Delivers what the stream tells, until it is stopped.

    A position in the stream is stored only once everything before it was handled or is among the
    dead letters: the process may die at any point, and need not be the only one.

    Parameters
    ----------
    totals
        What relay and consumers count.
    """

    def __init__(
        self,
        reader: StreamReader,
        positions: PatientPositions,
        plumbing: Plumbing,
        totals: Totals,
        *,
        poll: float = POLL_SECONDS,
        sweep: float = SWEEP_SECONDS,
    ) -> None:
        self.plumbing = plumbing
        self.totals = totals
        self._stopping = threading.Event()
        self._intake = Intake(reader, positions, plumbing, self._stopping.wait)
        self._reading = Loop("stream", self._read, every=poll)
        self._sweeping = Loop("sweep", plumbing.sweep, every=sweep)
        self._serving = [
            threading.Thread(target=self._serve, args=(name,), name=name, daemon=True)
            for name in plumbing.queues
        ]

    def start(self) -> None:
        """Start delivering; a pump starts once."""
        for thread in self._serving:
            thread.start()
        self._reading.start()
        self._sweeping.start()

    def stop(self) -> None:
        """End every thread after the batch it is in. What is left in queues comes again."""
        self._stopping.set()
        self._sweeping.stop()
        self._reading.stop()
        for thread in self._serving:
            if thread.is_alive():
                thread.join()
        self._intake.settle()

    def drain(self) -> None:
        """Deliver in this thread until nothing is left to do, instead of starting."""
        self._intake.drain()

    def notify(self, _events: Iterable[Recorded] = ()) -> None:
        """Say that a commit was made here. Cheap, never blocks, never raises."""
        self._reading.wake()

    def _read(self) -> None:
        """Relay what the stream has, until it has nothing."""
        with suppress(Stopped):
            while not self._stopping.is_set() and self._intake.step():
                pass

    def _serve(self, name: str) -> None:
        while not self._stopping.is_set():
            self.plumbing.serve(name, WAIT_SECONDS)
