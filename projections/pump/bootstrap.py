"""The composition root of the pump."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.service import Ledger
from ledger.settings import Settings
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_stream import StreamReader
from ledger.store.dynamodb_stream_access import (
    TablePositions,
    stream_arn,
    streams_client_beside,
)
from ledger.store.tables import full_name
from projections.delivery.consumer import Consumer
from projections.delivery.consumers import CONSUMERS, Parts, make_consumers
from projections.delivery.meters import Totals
from projections.pump.letters import TableDeadLetters
from projections.pump.plumbing import Plumbing
from projections.pump.pump import Pump
from projections.pump.tickets import PatientPositions


@dataclass(frozen=True, slots=True)
class Local:
    """What delivery on this machine is made of."""

    letters: TableDeadLetters
    totals: Totals
    parts: Parts

    def consumers(self, names: Sequence[str] = tuple(CONSUMERS)) -> list[Consumer]:
        """The consumers of these names, which put what they give up into the `pump` table."""
        return make_consumers(self.parts, names)

    def plumbing(self, consumers: Sequence[Consumer]) -> Plumbing:
        """Relay, bus and queues before these consumers."""
        return Plumbing(consumers, self.letters, self.totals)


def local_delivery(settings: Settings, ledger: Ledger) -> Local:
    """Delivery on this machine for the ledger of the settings, which is on DynamoDB."""
    recorder = ledger.recorder
    assert isinstance(recorder, DynamoDBLedgerRecorder), "the pump follows a table's stream"
    assert settings.table_prefix is not None, "the pump follows a table's stream"
    letters = TableDeadLetters(recorder.tables.client, full_name(settings.table_prefix, "pump"))
    totals = Totals()
    return Local(letters, totals, Parts(settings, ledger, lambda _: totals, lambda _: letters))


def open_pump(
    settings: Settings,
    ledger: Ledger,
    consumers: Callable[[Local], Sequence[Consumer]] = Local.consumers,
) -> Pump:
    """The pump of the ledger of the settings, not started yet; hand its `notify` to the ledger.

    Raises
    ------
    PersistenceError
        There is no table or no stream, or it can't be read.
    """
    local = local_delivery(settings, ledger)
    client, prefix = local.parts.recorder.tables.client, local.parts.prefix
    arn = stream_arn(client, full_name(prefix, "events"))
    positions = PatientPositions(TablePositions(client, full_name(prefix, "pump")))
    reader = StreamReader(streams_client_beside(client), arn, positions)
    return Pump(reader, positions, local.plumbing(consumers(local)), local.totals)
