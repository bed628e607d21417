"""The intake of the local pump, on a stream that the test writes."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, cast

import pytest

from ledger.store.dynamodb_stream import ShardBatch
from projections.delivery.consumer import Consumer
from projections.delivery.meters import Totals
from projections.pump.intake import MAX_WAITING, Intake, Stopped
from projections.pump.plumbing import Plumbing
from projections.pump.tickets import PatientPositions, Ticket
from tests.support.delivery import Letters, received, stream_record
from tests.unit.projections.test_pump_queues import Positions


class Reader:
    """A stream of one shard, in batches; it saves positions as the real one does."""

    def __init__(self, positions: PatientPositions, *batches: Any) -> None:
        self.trimmed = False
        self.left = deque(
            ShardBatch("s", tuple(records), str(number)) for number, records in enumerate(batches)
        )
        self.positions = positions

    def poll(self) -> list[ShardBatch]:
        return [self.left[0]] if self.left else []

    def done(self, batch: ShardBatch) -> None:
        assert self.left.popleft() is batch
        self.positions.save("s", batch.last)


def batch(*skus: str) -> list[dict[str, Any]]:
    return [stream_record(received(sku)) for sku in skus]


class Setting:
    """An intake on some batches, one consumer, and who would pause."""

    def __init__(self, *batches: Any, letters: Letters | None = None) -> None:
        self.seen: list[str] = []
        self.paused: list[float] = []
        self.swept = 0
        self.stop = False
        self.stored = Positions()
        self.letters = letters
        positions = PatientPositions(self.stored)
        consumer = Consumer("stock_levels", self.note, lambda _s, _v: None, sweep=self.sweep)
        self.plumbing = Plumbing([consumer], letters, Totals())
        self.reader = cast(Any, Reader(positions, *batches))
        self.intake = Intake(self.reader, positions, self.plumbing, self.pause)

    def note(self, events: Any) -> dict[str, Exception]:
        self.seen += [event.stream for event in events]
        return {}

    def sweep(self) -> None:
        self.swept += 1
        if self.swept == 1:
            self.reader.left.append(ShardBatch("s", tuple(batch("SWEPT")), "9"))

    def pause(self, seconds: float) -> bool:
        self.paused.append(seconds)
        return self.stop


def test_positions_follow_what_was_handled_not_what_was_read() -> None:
    setting = Setting(batch("A", "B"), batch("C"))
    assert setting.intake.step()
    assert setting.intake.step()
    assert not setting.intake.step()
    assert setting.stored.stored == {}
    assert setting.plumbing.serve("stock_levels")
    assert setting.intake.settle()
    assert setting.stored.stored == {"s": "1"}


def test_a_drain_ends_when_a_sweep_brings_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.pump.intake.QUIET_SECONDS", 0.0)
    setting = Setting(batch("A"), batch("B"))
    setting.intake.drain()
    assert setting.seen == ["stock:A@main", "stock:B@main", "stock:SWEPT@main"]
    assert (setting.swept, setting.stored.stored) == (2, {"s": "9"})


def test_a_batch_that_cant_be_published_is_tried_until_it_can() -> None:
    letters = Letters(OSError("down"))
    poison = [*batch("A"), stream_record(received("B"), state={"B": "AAAA"})]
    setting = Setting(poison, letters=letters)

    def heal(seconds: float) -> bool:
        setting.paused.append(seconds)
        letters.error = None if len(setting.paused) == 2 else letters.error
        return False

    setting.intake = Intake(setting.reader, setting.reader.positions, setting.plumbing, heal)
    assert setting.intake.step()
    assert (setting.paused, len(letters.all)) == ([1.0, 1.0], 1)
    assert len(setting.plumbing.queues["stock_levels"]) == 3, "twice too often, which is harmless"


def test_it_can_be_stopped_meanwhile() -> None:
    setting = Setting([stream_record(received("B"), state={"B": "AAAA"})])
    setting.stop = True
    with pytest.raises(Stopped):
        setting.intake.step()
    assert setting.stored.stored == {}
    drained = Setting(batch("A"))
    drained.stop = True
    with pytest.raises(Stopped):
        drained.intake.drain()


def test_too_much_in_memory_stops_the_reading() -> None:
    setting = Setting(batch("A"))
    queue = setting.plumbing.queues["stock_levels"]
    for _ in range(MAX_WAITING + 1):
        queue.send("{}", Ticket())
    assert not setting.intake.step()
    assert len(setting.reader.left) == 1


def test_a_loss_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    setting = Setting()
    setting.reader.trimmed = True
    for _ in range(3):
        setting.intake.step()
    (line,) = caplog.records
    assert (line.levelno, "rebuilt" in line.message) == (logging.WARNING, True)
    assert setting.intake.trimmed
