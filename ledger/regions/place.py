"""One Region, as those see it who work on two of them."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_lease import LeaseTable
from ledger.store.dynamodb_tables import DynamoDBTables


@dataclass(frozen=True, slots=True)
class Place:
    """A Region's tables, and its lease."""

    region: str
    tables: DynamoDBTables
    lease: LeaseTable

    def close(self) -> None:
        """Let go of connections."""
        self.tables.close()


def open_place(region: str, prefix: str) -> Place:
    """A Region of the account, by its name."""
    tables = DynamoDBTables(make_client(region_name=region), prefix)
    return Place(region, tables, LeaseTable(tables.client, prefix))
