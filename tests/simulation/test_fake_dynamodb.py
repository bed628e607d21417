"""The simulated DynamoDB is held to the contracts that every store is held to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

from ledger.service import Ledger
from ledger.store.base import LedgerRecorder
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.tables import create_table_request
from projections.store import ViewStore
from projections.store.dynamodb import DynamoDBViewStore
from projections.views import OpenReservationsView, OrdersView, StockLevelsView
from tests.contract import (
    test_ledger,
    test_recorder,
    test_unmoved,
    test_view_queries,
    test_view_store,
)
from tests.simulation.dynamodb.client import FakeClient
from tests.simulation.dynamodb.storage import Database
from tests.support.event_stores import Store
from tests.support.view_stores import Open

PREFIX = "contract"


def adopted(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """A contract's tests, as tests of this module: on the fixtures below, and so on one store."""
    found: dict[str, Callable[..., Any]] = {}
    for name, test in vars(module).items():
        if name.startswith("test_") and isinstance(test, FunctionType):
            own = FunctionType(
                test.__code__, test.__globals__, name, test.__defaults__, test.__closure__
            )
            own.__annotations__ = test.__annotations__
            marks = getattr(test, "pytestmark", [])
            on_stores = ("store", "open_store")
            vars(own)["pytestmark"] = [
                m for m in marks if m.args[:1] not in [(s,) for s in on_stores]
            ]
            found[f"{name}__{module.__name__.rpartition('_')[2]}"] = own
    return found


for contract in (test_recorder, test_unmoved, test_ledger, test_view_store, test_view_queries):
    globals().update(adopted(contract))


@pytest.fixture
def database() -> Database:
    return Database(time.monotonic)


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    for name in ("events", "commands"):
        FakeClient(database).create_table(**create_table_request(PREFIX, name))
    opened: list[LedgerRecorder] = []

    def opener() -> LedgerRecorder:
        tables = DynamoDBTables(FakeClient(database), PREFIX)  # type: ignore[arg-type]
        opened.append(DynamoDBLedgerRecorder(tables, uuids=False))
        return opened[-1]

    yield Store("simulated", opener, f"dynamodb:{PREFIX}")
    for recorder in opened:
        recorder.close()


@pytest.fixture
def recorder(store: Store) -> LedgerRecorder:
    return store.open()


@pytest.fixture
def ledger(recorder: LedgerRecorder) -> Ledger:
    return Ledger(recorder)


@pytest.fixture
def open_store(database: Database) -> Iterator[Open]:
    opened: list[ViewStore] = []

    def opener() -> ViewStore:
        store = DynamoDBViewStore(FakeClient(database), PREFIX, create_tables=True)  # type: ignore[arg-type]
        store.prepare([StockLevelsView(), OrdersView(), OpenReservationsView()])
        opened.append(store)
        return store

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def views(open_store: Open) -> ViewStore:
    return open_store()
