"""A short sound history in a file, and what verification finds once somebody ran SQL on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from eventsourcing.persistence import StoredEvent
from hypothesis import strategies as st

from ledger.domain.values import Disposition, OrderPolicy
from ledger.service import (
    CancelOrder,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ReturnLine,
    ReturnStock,
    SetPositionPolicy,
    ShipOrder,
)
from ledger.store.sqlite import SQLiteLedgerRecorder, open_recorder
from ledger.verify import Report, verify
from tests.support.processes import new_site

Key = tuple[str, int]
HERE = "originator_id=? AND originator_version=?"


@cache
def sound() -> bytes:
    """The database of a short history: commits of one event and of several, streams that cross."""
    with new_site(("east", "west")) as site:
        shop = site.start()
        shop.send(ReceiveStock((ReceiptLine("A", "east", 3), ReceiptLine("A", "west", 2))), "key")
        shop.send(PlaceOrder((OrderRequestLine("A", 4), OrderRequestLine("B", 1)), "o1",
                             policy=OrderPolicy.BACKORDER))  # fmt: skip
        shop.send(PlaceOrder((OrderRequestLine("A", 9),), "o2"))
        shop.send(ShipOrder("o1"))
        shop.send(ReceiveStock((ReceiptLine("B", "east", 2),)))
        shop.ledger.promote("stock:B@east")
        shop.send(ReturnStock((ReturnLine("A", "west", 1, Disposition.DAMAGED),)))
        shop.send(PlaceOrder((OrderRequestLine("A", 1),), "o3", policy=OrderPolicy.PARTIAL))
        shop.send(CancelOrder("o1"))
        shop.send(SetPositionPolicy("A", "west", 5))
        shop.send(ReceiveStock((ReceiptLine("C", "west", 1),)))
        assert isinstance(site.recorder, SQLiteLedgerRecorder)
        path = Path(site.recorder.datastore.pool.db_name)
        with closing(sqlite3.connect(path)) as database:
            return database.serialize()


@cache
def log() -> Sequence[StoredEvent]:
    """What the sound history holds, in log order."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "ledger.db")
        path.write_bytes(sound())
        recorder = open_recorder(path)
        try:
            return recorder.select_notifications(0, 1_000, inclusive_of_start=False)
        finally:
            recorder.close()


def key_of(stored: StoredEvent) -> Key:
    return str(stored.originator_id), stored.originator_version


def verified(*statements: tuple[str, Sequence[object]]) -> Report:
    """What verification finds once somebody ran SQL on the file."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "ledger.db")
        path.write_bytes(sound())
        with closing(sqlite3.connect(path)) as database, database:
            for statement, values in statements:
                database.execute(statement, values)
        recorder = open_recorder(path)
        try:
            return verify(recorder)
        finally:
            recorder.close()


rows = st.deferred(lambda: st.sampled_from(range(len(log()))))
