"""Verification on DynamoDB: no false alarm while others write, and damage is found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest

from ledger.codec import decode
from ledger.domain.errors import Refusal
from ledger.domain.values import OrderPolicy
from ledger.errors import Contention
from ledger.service import (
    CancelOrder,
    Context,
    Idempotency,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ShipOrder,
)
from ledger.service.clock import instant, utc_now
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.scanning import scan_commands, scan_events
from ledger.verify import Report, verify_scan
from projections.audit import ViewAudit
from projections.runner import Runner
from projections.store.dynamodb import DynamoDBViewStore
from projections.views import OrdersView, StockLevelsView
from tests.support.event_stores import EventTables, all_events
from tests.support.tampering import Key, key_of, log

SKUS = ("A", "B", "C")
SETTLED_SECONDS = 1.0
"""Longer than a commit takes here."""

VIEWS = (StockLevelsView(), OrdersView())


def verified(recorder: DynamoDBLedgerRecorder, **options: Any) -> Report:
    """What is found; everything is long stored."""
    scan = partial(scan_events, recorder.tables, 3, page_items=7)
    return verify_scan(scan, until=instant(utc_now()), **options)


@pytest.fixture
def damaged(tables: EventTables) -> Callable[..., Report]:
    """Puts the sound history into the tables, lets somebody change it, and verifies."""
    recorder = tables.open()
    for stored in log():
        recorder.insert_events([stored])

    def damage(*, delete: Key | None = None, put: Any = None) -> Report:
        name = recorder.tables.events
        if delete is not None:
            tables.client.delete_item(TableName=name, Key=item_key(delete))
        if put is not None:
            tables.client.put_item(TableName=name, Item=put)
        return verified(recorder)

    return damage


def item_key(key: Key) -> Any:
    return {"stream": {"S": key[0]}, "version": {"N": str(key[1])}}


def test_a_sound_history_is_sound(damaged: Callable[..., Report]) -> None:
    report = damaged()
    assert (report.findings, report.events) == ([], len(log()))
    assert report.streams == len({stored.originator_id for stored in log()})
    assert (report.later, report.withdrawn) == (0, [])


def test_an_event_that_is_gone_is_found(damaged: Callable[..., Report]) -> None:
    ends = dict(map(key_of, log()))
    lost = next(s for s in log() if decode(s).size > 1 and ends[key_of(s)[0]] == key_of(s)[1])
    stream, version = key_of(lost)
    findings = damaged(delete=(stream, version)).findings
    command, size = decode(lost).command, decode(lost).size
    assert f"commit {command}: {size - 1} events of {size} are there: it is torn" in findings


def test_a_gap_in_a_stream_is_found(damaged: Callable[..., Report]) -> None:
    findings = damaged(delete=("stock:A@west", 2)).findings
    assert "stock:A@west version 3: version 2 is missing" in findings


def test_changed_bytes_are_found(damaged: Callable[..., Report]) -> None:
    stored = log()[0]
    stream, version = key_of(stored)
    state = stored.state.replace(b'"quantity":3', b'"quantity":4')
    item = {**item_key((stream, version)), "type": {"S": stored.topic}, "state": {"B": state}}
    findings = damaged(put=item).findings
    assert f"{stream} version {version}: the bytes are not those that were sealed" in findings


@pytest.mark.parametrize("state", [{}, {"state": {"S": "text"}}, {"state": {"B": b"bytes"}}])
def test_what_is_no_envelope_is_found(damaged: Callable[..., Report], state: Any) -> None:
    stream = str(log()[0].originator_id)
    findings = damaged(put={**item_key((stream, 1)), "type": {"S": "T"}, **state}).findings
    assert any(found.startswith(f"{stream} version 1: ") for found in findings)


def test_a_version_that_is_none_is_found(damaged: Callable[..., Report]) -> None:
    item = {"stream": {"S": "order:o1"}, "version": {"N": "1.5"}, "type": {"S": "T"}}
    findings = damaged(put={**item, "state": {"B": b"x"}}).findings
    assert "order:o1: '1.5' is no version" in findings


def test_a_command_whose_events_are_gone_is_found(tables: EventTables) -> None:
    recorder = tables.open()
    ledger = Ledger(recorder)
    key = Context("ann", Idempotency("receipts", "key 1"))
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 1),)), Context())
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 1),)), key)
    assert verified(recorder, commands=scan_commands(recorder.tables)).ok
    lost = item_key(("stock:A@main", 2))
    tables.client.delete_item(TableName=recorder.tables.events, Key=lost)
    assert verified(recorder).ok, "a whole commit at the end leaves no trace in the events"
    (found,) = verified(recorder, commands=scan_commands(recorder.tables)).findings
    assert found.startswith("stock:A@main version 2 is not there, but command record ")


@contextmanager
def view_store(tables: EventTables) -> Iterator[DynamoDBViewStore]:
    store = DynamoDBViewStore(tables.client, tables.prefix, create_tables=True)
    store.prepare(VIEWS)
    yield store
    store.close()


def test_views_show_what_was_taken_away_whole(tables: EventTables) -> None:
    recorder = tables.open()
    ledger = Ledger(recorder)
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 1),)), Context())
    ledger.handle(ReceiveStock((ReceiptLine("A", "main", 1),)), Context())
    ledger.handle(ReceiveStock((ReceiptLine("B", "main", 1),)), Context())
    with view_store(tables) as store:
        Runner(recorder, store, VIEWS).apply(all_events(recorder))
        for lost in (("stock:A@main", 2), ("stock:B@main", 1)):
            tables.client.delete_item(TableName=recorder.tables.events, Key=item_key(lost))
        audit = ViewAudit(store, VIEWS, recorder)
        assert verified(recorder, observers=[audit]).ok
        assert sorted(audit.findings()) == [
            "stock_levels row A@main is at version 2, ahead of its stream, which ends at 1",
            "stock_levels row B@main shows version 1 of a stream that isn't there",
        ]


class Writers:
    """Threads that sell, ship, cancel and receive, each by a ledger of its own."""

    def __init__(self, tables: EventTables, threads: int) -> None:
        self._stop = threading.Event()
        self._failed: list[Exception] = []
        self._threads = [
            threading.Thread(target=self._write, args=(n, Ledger(tables.open())))
            for n in range(threads)
        ]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self._failed, self._failed

    def _write(self, number: int, ledger: Ledger) -> None:
        turn = 0
        try:
            while not self._stop.is_set():
                turn += 1
                with suppress(Contention, Refusal):
                    self._deal(ledger, f"{number}-{turn}", turn)
        except Exception as error:
            self._failed.append(error)

    def _deal(self, ledger: Ledger, order_id: str, turn: int) -> None:
        ledger.handle(ReceiveStock(tuple(ReceiptLine(sku, "main", 2) for sku in SKUS)), Context())
        lines = tuple(OrderRequestLine(sku, 1 + turn % 3) for sku in SKUS)
        ledger.handle(PlaceOrder(lines, order_id, policy=OrderPolicy.BACKORDER), Context())
        end = CancelOrder(order_id) if turn % 3 else ShipOrder(order_id)
        ledger.handle(end, Context())


def test_no_false_alarm_while_four_writers_commit(tables: EventTables) -> None:
    recorder = tables.open()
    later = 0
    with view_store(tables) as store, Writers(tables, 4):
        runner = Runner(recorder, store, VIEWS)
        time.sleep(1)
        for _ in range(3):
            runner.apply(all_events(recorder))
            until = instant(utc_now())
            time.sleep(SETTLED_SECONDS)
            audit = ViewAudit(store, VIEWS, recorder)
            moving = threading.Thread(target=lambda: runner.apply(all_events(recorder)))
            moving.start()
            scan = partial(scan_events, recorder.tables, 3, page_items=20)
            commands = scan_commands(recorder.tables)
            report = verify_scan(scan, [audit], until=until, commands=commands)
            assert report.findings == []
            moving.join()
            assert list(audit.findings()) == []
            later += report.later
    assert later > 0, "they wrote meanwhile"


def test_damage_is_found_while_four_writers_commit(tables: EventTables) -> None:
    recorder = tables.open()
    with Writers(tables, 4):
        time.sleep(1.5)
        orders = [e for e in all_events(recorder) if e.topic == "OrderPlaced"]
        lost = orders[0]
        recorder.tables.client.delete_item(
            TableName=recorder.tables.events, Key=item_key(key_of(lost))
        )
        until = instant(utc_now())
        time.sleep(SETTLED_SECONDS)
        report = verify_scan(partial(scan_events, recorder.tables, 3), until=until)
    recorded = decode(lost)
    torn = f"{recorded.size - 1} events of {recorded.size} are there: it is torn"
    assert f"commit {recorded.command}: {torn}" in report.findings
    known = (f"commit {recorded.command}", recorded.stream, *(f"stock:{s}@main" for s in SKUS))
    assert all(found.startswith(known) for found in report.findings), report.findings
