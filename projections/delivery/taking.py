"""What is done once when a Region takes the lease: what the one before left undone."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ledger.lease import Lease
from ledger.store.dynamodb_lease import LeaseTable
from ledger.store.dynamodb_tables import DynamoDBTables

log = logging.getLogger(__name__)


class OnTaking:
    """Sweeps once in each epoch in which this Region acts, whichever process comes to it first.

    While a Region doesn't act, its consumers let events pass. Everything that passed them was
    stored before the lease was opened here, so a sweep that begins afterwards sees it; and what
    comes later is acted on, since `Lease.held` never remembers a no.

    Parameters
    ----------
    sweep
        Does it; answers whether all of it was done. It may be called more often than once.
    """

    def __init__(
        self, tables: DynamoDBTables, lease: Lease, name: str, sweep: Callable[[], bool]
    ) -> None:
        self._tables = tables
        self._lease = lease
        self._name = name
        self._sweep = sweep
        self._table = LeaseTable(tables.client, tables.prefix)
        self._swept = 0

    def __call__(self) -> None:
        """Sweep, if this Region acts and it was not done in this epoch."""
        if not self._tables.acting():
            return
        epoch = self._lease.epoch()
        if self._swept >= epoch:
            return
        if self._table.swept(self._name) < epoch:
            log.info("%s: this Region took the lease (epoch %s): sweeping", self._name, epoch)
            if not self._sweep():
                return
            self._table.mark_swept(self._name, epoch)
        self._swept = epoch
