"""The composition root of the ledger itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.service.ledger import Ledger
from ledger.settings import Settings
from ledger.store.base import LedgerRecorder

if TYPE_CHECKING:
    from ledger.lease import Lease


def open_ledger(settings: Settings, *, bulk: bool = False, sequences: bool = True) -> Ledger:
    """The ledger on the store the settings name.

    `bulk` is for loads that can be repeated after a power cut: commits reach the disk when the
    ledger is closed, not one by one. When only the process dies, no more is lost than the batch
    it was in (see `Ledger.batch`). (DynamoDB keeps every commit at once.) `sequences` as in
    `open_event_store`.
    """
    return Ledger(
        open_event_store(settings, bulk=bulk, sequences=sequences),
        locations=settings.locations,
        region=settings.region,
        cache_size=settings.cache_size,
    )


def open_event_store(
    settings: Settings, *, bulk: bool = False, sequences: bool = True
) -> LedgerRecorder:
    """The recorder of the store the settings name.

    On DynamoDB, whoever reads the feed gives new events their positions first, unless `sequences`
    is False because a consumer does it.

    What a store needs is imported when it is asked for: a Lambda on DynamoDB doesn't load SQLite,
    and a shop on SQLite doesn't load boto3, which takes longer than everything else.
    """
    if settings.sqlite_path is not None:
        if bulk:
            from ledger.store.sqlite_batches import open_bulk_recorder

            return open_bulk_recorder(settings.sqlite_path)
        from ledger.store.sqlite import open_recorder

        return open_recorder(settings.sqlite_path)
    from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
    from ledger.store.dynamodb_client import make_client

    assert settings.table_prefix is not None, "a store is a file or has a prefix"
    lease = _open_lease(settings.table_prefix, settings.region) if settings.lease else None
    tables = DynamoDBTables(make_client(), settings.table_prefix, lease)
    return DynamoDBLedgerRecorder(tables, uuids=False, sequences=sequences)


def _open_lease(prefix: str, region: str) -> Lease:
    from ledger.lease import Lease
    from ledger.store.dynamodb_lease import LeaseTable, make_lease_client

    return Lease(LeaseTable(make_lease_client(), prefix).read, region)
