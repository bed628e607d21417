"""A store on which an append can crash its process or be overtaken, besides losing its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eventsourcing.persistence import StoredEvent

from ledger.store.base import CommandRecord, LedgerRecorder
from tests.support.lost_answers import LosingRecorder, Loss


class Crash(BaseException):
    """The process dies here: nothing in it may catch this."""


class FaultyRecorder(LosingRecorder):
    """Passes everything on until told otherwise.

    `crash` says how many appends still succeed, and on which side of the next commit it dies.
    `overtake` is called once, just before the next append.
    """

    def __init__(self, recorder: LedgerRecorder) -> None:
        super().__init__(recorder)
        self.crash: tuple[int, Loss] | None = None
        self.overtake: Callable[[], object] | None = None
        self.appends = 0

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandRecord | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        """Append, unless a fault comes first."""
        overtake, self.overtake = self.overtake, None
        if overtake is not None:
            overtake()
        left, side = self.crash or (-1, "before")
        if left == 0 and side == "before":
            self.crash = None
            raise Crash
        ids = super().insert_events(stored_events, command=command, **kwargs)
        self.appends += 1
        self.crash = (left - 1, side) if left > 0 else None
        if left == 0:
            raise Crash
        return ids

    def calm(self) -> None:
        """Take back every fault that has not happened."""
        self.losses, self.crash, self.overtake = [], None, None
