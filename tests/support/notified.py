"""A ledger with notifiers beside it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from ledger.service import Context, commands
from ledger.service.history import History
from projections.notifications.channels.base import Channel
from projections.notifications.marks_file import MarksFile
from projections.notifications.notifier import Notifier, Outcome
from projections.notifications.sqlite_marks import SQLiteMarks
from tests.support.histories import START, World
from tests.support.notifications import Recording


class Counting(History):
    """Counts the reads of the event store."""

    reads = 0

    def events(self, *args: object, **kwargs: object) -> list:  # type: ignore[type-arg]
        self.reads += 1
        return super().events(*args, **kwargs)  # type: ignore[arg-type]


class Shop:
    """All of them are on one file, and on one clock."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.file = MarksFile(self.world.path)
        self.history = Counting(self.world.recorder)
        self.outcomes: list[Outcome] = []
        self.now = START + timedelta(hours=1)

    def clock(self) -> datetime:
        return self.now

    def notifier(self, channel: Channel) -> Notifier:
        return Notifier(
            channel,
            self.marks(channel),
            self.history,
            clock=self.clock,
            observe=self.outcomes.append,
        )

    def marks(self, channel: Channel) -> SQLiteMarks:
        return SQLiteMarks(self.file, channel.name, clock=lambda: self.now.timestamp())

    def receive(self, sku: str, quantity: int, actor: str = "anna") -> None:
        command = commands.ReceiveStock((commands.ReceiptLine(sku, "A", quantity),))
        self.world.ledger.handle(command, Context(actor=actor))

    def adjust(self, sku: str, delta: int, actor: str = "anna") -> None:
        line = commands.AdjustmentLine(sku, "A", delta, "count")
        self.world.ledger.handle(commands.AdjustStock((line,)), Context(actor=actor))

    def turn_over(self, sku: str, times: int = 1, actor: str = "anna") -> None:
        """Stock comes and goes: out of stock every time."""
        for _ in range(times):
            self.receive(sku, 1, actor)
            self.adjust(sku, -1, actor)

    def close(self) -> None:
        self.file.close()
        self.world.recorder.close()


def kinds(channel: Recording) -> list[str]:
    """What was sent, in order."""
    return [str(notification.kind) for notification in channel.sent]
