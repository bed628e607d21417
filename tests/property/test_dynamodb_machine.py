"""The ledger's machine on DynamoDB, and on stores whose weak reads are stale.

No emulator reads the past, so the past is put between the ledger and the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings

from ledger.store.base import LedgerRecorder
from ledger.store.sqlite import open_recorder
from tests.property.test_lanes_machine import LanedMachine
from tests.property.test_ledger_machine import LedgerMachine
from tests.support.engines import Engines
from tests.support.event_stores import DynamoDBKind, event_tables
from tests.support.laned_trial import LanedTrial
from tests.support.stale_reads import StaleRecorder


class DynamoDBMachine(LedgerMachine):
    """On new tables of an engine."""

    engines: ClassVar[Engines]
    kind: ClassVar[DynamoDBKind] = "dynamodb-local"

    def open_store(self, folder: Path) -> LedgerRecorder:  # noqa: ARG002 - not a file
        self.stack = ExitStack()
        return self.stack.enter_context(event_tables(self.kind, self.engines)).open()

    def close_store(self) -> None:
        self.stack.close()


class StaleDynamoDBMachine(DynamoDBMachine):
    """On the other engine, reading the past."""

    kind = "ministack"

    def open_store(self, folder: Path) -> LedgerRecorder:
        return StaleRecorder(super().open_store(folder))


class StaleMachine(LedgerMachine):
    """On a file, reading the past."""

    def open_store(self, folder: Path) -> LedgerRecorder:
        return StaleRecorder(open_recorder(folder / "ledger.db"))


class LanedDynamoDBMachine(DynamoDBMachine, LanedMachine):
    """Positions in lanes, whose refusals are checked by the engine."""

    trial: LanedTrial


@pytest.fixture(autouse=True, scope="module")
def _engines(engines: Engines) -> Iterator[None]:
    DynamoDBMachine.engines = engines
    yield
    del DynamoDBMachine.engines


TestOnDynamoDBLocal = DynamoDBMachine.TestCase
TestOnDynamoDBLocal.settings = settings(max_examples=settings().max_examples // 3)
TestOnMiniStackWithStaleReads = StaleDynamoDBMachine.TestCase
TestOnMiniStackWithStaleReads.settings = settings(max_examples=settings().max_examples // 3)
TestWithStaleReads = StaleMachine.TestCase
TestWithStaleReads.settings = settings(max_examples=settings().max_examples)
TestInLanes = LanedDynamoDBMachine.TestCase
TestInLanes.settings = settings(max_examples=settings().max_examples // 3)
