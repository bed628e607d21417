"""Empty event stores of every kind, and what can be told of any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from moto import mock_aws

from ledger.store.base import LedgerRecorder
from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.sqlite import SQLiteLedgerRecorder, open_recorder
from ledger.store.tables import create_table_request, full_name
from ledger.verify import Report, Verifier
from tests.support.bodies import check_bodies
from tests.support.engines import Engines
from tests.support.lost_answers import LosingRecorder

NEEDED: Final = ("events", "commands", "feed", "tracking")
"""The tables of the event store itself."""

DynamoDBKind = Literal["moto", "ministack", "dynamodb-local"]
ENGINES: Final = ("ministack", "dynamodb-local")
"""The DynamoDB engines whose transactions are atomic, whoever else is writing."""

ATOMIC: Final = ("sqlite", *ENGINES)
"""The stores that races may be run on: moto's transactions are not atomic between threads."""

EVERYWHERE: Final = ("moto", *ATOMIC)


@dataclass(frozen=True)
class Store:
    """One empty event store; `open` answers a recorder that shares nothing but the data.

    `address` is what settings name it by; another process opens it in this `environment`.
    """

    name: str
    open: Callable[[], LedgerRecorder]
    address: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class EventTables:
    """The tables of one ledger's event store on some engine, empty at first."""

    endpoint: str | None
    streamed: bool = True
    prefix: str = field(default_factory=lambda: f"test-{uuid4().hex}")

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        # A cold engine takes its time, and CreateTable must not be sent twice.
        self.client = make_client(self.endpoint, read_timeout=60)
        self._stack.callback(self.client.close)
        for name in NEEDED:
            request = create_table_request(self.prefix, name)
            if not self.streamed:
                request.pop("StreamSpecification", None)
            self.client.create_table(**request)

    def connect(self, endpoint: str | None = None, **config: Any) -> DynamoDBTables:
        """The tables with a client of their own; `config` is botocore's."""
        tables = DynamoDBTables(make_client(endpoint or self.endpoint, **config), self.prefix)
        check_bodies(tables.client)
        self._stack.callback(tables.close)
        return tables

    def open(self, endpoint: str | None = None, **config: Any) -> DynamoDBLedgerRecorder:
        """A recorder with a client of its own; `config` is botocore's."""
        return DynamoDBLedgerRecorder(self.connect(endpoint, **config), uuids=False)

    def close(self) -> None:
        """Close every recorder and drop the tables."""
        for name in NEEDED:
            self.client.delete_table(TableName=full_name(self.prefix, name))
        self._stack.close()


@contextmanager
def event_tables(
    kind: DynamoDBKind, engines: Engines, *, streamed: bool | None = None
) -> Iterator[EventTables]:
    """New tables on an engine.

    On DynamoDB Local they have a stream only for who wants one: when an event is written to a
    table that has, it looks through the records of every stream that is older, those of deleted
    tables too (20 ms an event after 7,000 of them, 2 s a transaction).
    """
    if streamed is None:
        streamed = kind != "dynamodb-local"
    with ExitStack() as stack:
        if kind == "moto":
            stack.enter_context(mock_aws())
        tables = EventTables(None if kind == "moto" else engines.endpoint(kind), streamed)
        stack.callback(tables.close)
        yield tables


@contextmanager
def event_store(kind: str, folder: Path, engines: Engines) -> Iterator[Store]:
    """An empty store of a kind in `EVERYWHERE`."""
    if kind != "sqlite":
        with event_tables(kind, engines) as tables:  # type: ignore[arg-type]
            environment = {"AWS_ENDPOINT_URL_DYNAMODB": tables.endpoint or ""}
            yield Store(kind, tables.open, f"dynamodb:{tables.prefix}", environment)
        return
    with ExitStack() as stack:
        path = folder / "ledger.db"

        def open_sqlite() -> LedgerRecorder:
            recorder = open_recorder(path)
            stack.callback(recorder.close)
            return recorder

        yield Store(kind, open_sqlite, f"sqlite:{path}")


def all_events(recorder: LedgerRecorder) -> Sequence[StoredEvent]:
    """Every event, those of each stream in the order of their versions."""
    if isinstance(recorder, LosingRecorder):
        return all_events(recorder.inner)
    if isinstance(recorder, SQLiteLedgerRecorder):
        return recorder.select_notifications(None, 1_000_000)
    assert isinstance(recorder, DynamoDBLedgerRecorder)
    scan = recorder.tables.client.get_paginator("scan")
    pages = scan.paginate(TableName=recorder.tables.events, ConsistentRead=True)
    events = [
        StoredEvent(
            item["stream"]["S"], int(item["version"]["N"]), item["type"]["S"], item["state"]["B"]
        )
        for page in pages
        for item in page["Items"]
    ]
    return sorted(events, key=lambda e: (str(e.originator_id), e.originator_version))


def verified(recorder: LedgerRecorder) -> Report:
    """What a verification of the whole history finds."""
    verifier = Verifier()
    for stored in all_events(recorder):
        verifier.see(stored)
    return verifier.conclude()
