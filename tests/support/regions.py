"""Two Regions of one emulator, with replicas of the same tables and a lease each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import uuid4

from eventsourcing.persistence import StoredEvent

from ledger.lease import Lease, Standing
from ledger.regions.failover import Failover, Patience
from ledger.regions.place import Place
from ledger.service import Ledger
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_items import stored_event
from ledger.store.dynamodb_lease import LeaseTable
from ledger.store.tables import create_tables
from tests.support.replication import Side

MELBOURNE, SYDNEY = "ap-southeast-4", "ap-southeast-2"

REREAD, TRUSTED = 0.2, 0.6
"""Seconds, instead of the lease's own."""

QUICK: Final = Patience(settled=1.5, replicated=60.0, poll=0.1)


@dataclass
class Region:
    """A Region: its tables, and processes that write there under its lease."""

    name: str
    endpoint: str | None
    prefix: str
    stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.client = make_client(self.endpoint, self.name, read_timeout=60)
        self.stack.callback(self.client.close)
        create_tables(self.client, self.prefix)
        self.table = LeaseTable(self.client, self.prefix)
        tables = DynamoDBTables(make_client(self.endpoint, self.name), self.prefix)
        self.stack.callback(tables.close)
        self.place = Place(self.name, tables, self.table)

    @property
    def side(self) -> Side:
        """What replication sees of it."""
        return Side(make_client(self.endpoint, self.name), self.prefix)

    def lease(self, read: Callable[[], Standing] | None = None, **options: Any) -> Lease:
        """What a process of this Region knows of its lease."""
        options = {"reread": REREAD, "trusted": TRUSTED, **options}
        return Lease(read or self.table.read, self.name, **options)

    def recorder(self, lease: Lease | None = None) -> DynamoDBLedgerRecorder:
        """A recorder of a process of this Region."""
        client = make_client(self.endpoint, self.name)
        tables = DynamoDBTables(client, self.prefix, lease or self.lease())
        self.stack.callback(tables.close)
        return DynamoDBLedgerRecorder(tables)

    def ledger(self, lease: Lease | None = None) -> Ledger:
        """The ledger of a process of this Region."""
        return Ledger(self.recorder(lease), region=self.name)

    def events(self) -> dict[tuple[str, int], StoredEvent]:
        """Every event that is here."""
        found = map(stored_event, self.side.items("events"))
        return {(str(e.originator_id), e.originator_version): e for e in found}

    def take_over_from(self, other: Region | Place, patience: Patience = QUICK) -> Failover:
        """The command that makes this Region the writer."""
        place = other.place if isinstance(other, Region) else other
        return Failover(place, self.place, "a test", patience=patience)

    def unreachable(self) -> Place:
        """The Region as an operator sees it while it is cut off."""
        nobody = "http://127.0.0.1:9"
        tables = DynamoDBTables(make_client(nobody, self.name), self.prefix)
        self.stack.callback(tables.close)
        return Place(self.name, tables, LeaseTable(tables.client, self.prefix))


@contextmanager
def two_regions(endpoint: str | None) -> Iterator[tuple[Region, Region]]:
    """Two Regions with empty tables; the first one writes."""
    prefix = f"test-{uuid4().hex}"
    with ExitStack() as stack:
        make = partial(Region, endpoint=endpoint, prefix=prefix, stack=stack)
        one, other = make(MELBOURNE), make(SYDNEY)
        at_once = Patience(settled=0.0, replicated=0.0)
        try:
            one.take_over_from(other, at_once).unplanned()
            yield one, other
        finally:
            for region in (one, other):
                for name in region.client.list_tables()["TableNames"]:
                    if name.startswith(prefix):
                        region.client.delete_table(TableName=name)
