"""The composition root of the ledger itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ledger.service.ledger import Ledger
from ledger.settings import Settings
from ledger.store.base import LedgerRecorder

if TYPE_CHECKING:
    from ledger.lease import Lease


Observe = Callable[[float], None]


def open_ledger(
    settings: Settings,
    *,
    bulk: bool = False,
    sequences: bool = True,
    observe_lease: Observe = lambda _: None,
) -> Ledger:
    """The ledger on the store the settings name.

    `bulk` is for loads that can be repeated after a power cut: commits reach the disk when the
    ledger is closed, not one by one. When only the process dies, no more is lost than the batch
    it was in (see `Ledger.batch`). (DynamoDB keeps every commit at once.) `sequences` and
    `observe_lease` as in `open_event_store`.
    """
    return Ledger(
        open_event_store(settings, bulk=bulk, sequences=sequences, observe_lease=observe_lease),
        locations=settings.locations,
        region=settings.region,
        cache_size=settings.cache_size,
        auto_lanes=settings.auto_lanes,
    )


def open_event_store(
    settings: Settings,
    *,
    bulk: bool = False,
    sequences: bool = True,
    observe_lease: Observe = lambda _: None,
) -> LedgerRecorder:
    """The recorder of the store the settings name.

    On DynamoDB, whoever reads the feed gives new events their positions first, unless `sequences`
    is False because a consumer does it. Where writes are under a lease, `observe_lease` is told its
    age (see `ledger.lease.Lease`).

    What a store needs is imported when it is asked for: a Lambda on DynamoDB doesn't load SQLite,
    and a shop on SQLite doesn't load boto3, which takes longer than everything else.
    """
    if settings.sqlite_path is not None:
        if bulk:
            from ledger.store.sqlite_batches import open_bulk_recorder

            return open_bulk_recorder(settings.sqlite_path)
        from ledger.store.sqlite import open_recorder

        return open_recorder(settings.sqlite_path)
    from ledger.aws_session import share_session
    from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
    from ledger.store.dynamodb_client import make_client

    share_session()
    assert settings.table_prefix is not None, "a store is a file or has a prefix"
    lease = None
    if settings.lease:
        lease = _open_lease(settings.table_prefix, settings.region, observe_lease)
    tables = DynamoDBTables(make_client(), settings.table_prefix, lease)
    return DynamoDBLedgerRecorder(tables, uuids=False, sequences=sequences)


def _open_lease(prefix: str, region: str, observe: Observe) -> Lease:
    from ledger.lease import Lease
    from ledger.store.dynamodb_lease import LeaseTable, make_lease_client

    return Lease(LeaseTable(make_lease_client(), prefix).read, region, observe=observe)
