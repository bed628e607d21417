"""One store, and the processes that come, crash and go on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.service import Command, Context, Idempotency, Ledger, Outcome
from ledger.store.base import LedgerRecorder
from ledger.store.sqlite import open_recorder
from tests.support.auditing import Auditor
from tests.support.faults import FaultyRecorder
from tests.support.lost_answers import Loss

START = datetime(2026, 1, 1, tzinfo=UTC)


class Process:
    """A ledger with its own memory and its own faults."""

    def __init__(self, site: Site, cache_size: int) -> None:
        self.faults = FaultyRecorder(site.recorder)
        self.ledger = Ledger(
            self.faults,
            locations=site.locations,
            clock=lambda: site.now,
            new_id=lambda: f"id-{next(site.ids)}",
            cache_size=cache_size,
        )

    def send(self, command: Command, key: str | None = None) -> Outcome:
        """Send a command, under a key if one is given."""
        idempotency = Idempotency("test", key) if key else None
        return self.ledger.handle(command, Context("ann", idempotency))


class Site:
    """A store, a clock and ids that all its processes share."""

    def __init__(self, recorder: LedgerRecorder, locations: Sequence[str]) -> None:
        self.recorder = recorder
        self.locations = locations
        self.now = START
        self.ids = count()
        self.auditor = Auditor(self.recorder)

    def start(self, *, crash: tuple[int, Loss] | None = None, cache_size: int = 50_000) -> Process:
        """A new process that remembers nothing; `crash` as in `FaultyRecorder`."""
        process = Process(self, cache_size)
        process.faults.crash = crash
        return process


@contextmanager
def new_site(locations: Sequence[str]) -> Iterator[Site]:
    """A site on an empty file; in the end everything recorded is judged, commit by commit."""
    with TemporaryDirectory() as folder:
        site = Site(open_recorder(Path(folder, "ledger.db")), locations)
        try:
            yield site
            site.auditor.catch_up()
        finally:
            site.recorder.close()
