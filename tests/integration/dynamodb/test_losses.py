"""What an unplanned failover lost is reported exactly; the test keeps the truth itself."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from ledger.codec import Recorded, decode
from ledger.domain.values import OrderPolicy
from ledger.regions.losses import QUIET_READS, HarmedCommit, losses
from ledger.service import (
    Context,
    Ledger,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
)
from ledger.store.dynamodb_stream_access import streams_client_beside
from tests.support.engines import Engines
from tests.support.event_stores import verified
from tests.support.regions import Region, two_regions
from tests.support.replication import Replication

SKUS = ("A", "B", "C", "D")

Told = dict[str, tuple[str, int, set[tuple[str, int, str, str | None]]]]
"""By commit: its fate, how many of its events are there, and what became of the others."""


@pytest.fixture
def regions(engines: Engines) -> Iterator[tuple[Region, Region]]:
    with two_regions(engines.endpoint("ministack")) as regions:
        yield regions


def trade(ledger: Ledger, chance: random.Random, commits: int, name: str) -> list[Recorded]:
    """Commits of one to four events; answers every event that was acknowledged."""
    acknowledged: list[Recorded] = []
    for n in range(commits):
        skus = chance.sample(SKUS, chance.randint(1, 3))
        if n % 2:
            lines = tuple(OrderRequestLine(sku, 1) for sku in skus)
            order = PlaceOrder(lines, f"{name}-{n}", policy=OrderPolicy.BACKORDER)
            acknowledged += ledger.handle(order, Context()).events
        else:
            receipt = ReceiveStock(tuple(ReceiptLine(sku, "main", 2) for sku in skus))
            acknowledged += ledger.handle(receipt, Context()).events
    return acknowledged


def truth(acknowledged: Sequence[Recorded], there: Region) -> Told:
    found = {place: decode(event) for place, event in there.events().items()}
    commits: dict[str, list[Recorded]] = {}
    for event in acknowledged:
        commits.setdefault(event.command, []).append(event)
    told: Told = {}
    for command, events in commits.items():
        harms: set[tuple[str, int, str, str | None]] = set()
        for event in events:
            now = found.get((event.stream, event.version))
            if now is None:
                harms.add((event.stream, event.version, "missing", None))
            elif now.hash != event.hash:
                harms.add((event.stream, event.version, "overwritten", now.command))
        if harms:
            kept = len(events) - len(harms)
            overwritten = any(harm[2] == "overwritten" for harm in harms)
            fate = "overwritten" if overwritten else "torn" if kept else "lost"
            told[command] = fate, kept, harms
    return told


def told(reported: Sequence[HarmedCommit]) -> Told:
    assert [commit.at for commit in reported] == sorted(commit.at for commit in reported)
    return {
        commit.command: (
            commit.fate,
            commit.kept,
            {(e.stream, e.version, e.harm, e.by) for e in commit.events},
        )
        for commit in reported
    }


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_exactly_what_was_lost_is_reported(
    regions: tuple[Region, Region], seed: int, split: bool
) -> None:
    """`split`: the old Region goes on writing: operators can not reach it, but clients can."""
    one, other = regions
    chance = random.Random(seed)
    replication = Replication(one.side, other.side, seed=seed)
    acknowledged = trade(one.ledger(), chance, 10, "before")
    replication.carry(1.0)
    acknowledged += trade(one.ledger(), chance, 12, "cut")
    replication.carry(0.6)
    other.take_over_from(one.unreachable()).unplanned()
    acknowledged += trade(other.ledger(), chance, 3, "after")
    replication.carry(0.0)
    if split:
        acknowledged += trade(one.ledger(), chance, 3, "split")

    while_cut = truth(acknowledged, other)
    assert while_cut
    assert told(losses(one.place, other.place)) == while_cut
    assert verified(other.recorder()).findings

    # Replication comes back: late events arrive, and what lost its place is gone on both sides.
    for _ in range(3):
        replication.carry(1.0)
    assert one.events() == other.events()
    converged = truth(acknowledged, other)
    assert told(losses(one.place, other.place)) == converged
    by_us = {event.command for event in acknowledged if event.region == other.name}
    assert split or converged.keys() <= while_cut.keys() - by_us


def test_every_fate_is_told_apart(regions: tuple[Region, Region]) -> None:
    one, other = regions
    replication = Replication(one.side, other.side)
    replication.carry(1.0)
    ledger = one.ledger()
    whole = ledger.handle(ReceiveStock((ReceiptLine("W", "main", 1),)), Context()).events
    torn = ledger.handle(
        ReceiveStock((ReceiptLine("T", "main", 1), ReceiptLine("U", "main", 1))), Context()
    ).events
    lost = ledger.handle(ReceiveStock((ReceiptLine("L", "main", 1),)), Context()).events
    taken = ledger.handle(ReceiveStock((ReceiptLine("O", "main", 1),)), Context()).events
    arrived = {whole[0].stream, torn[0].stream}
    for item in one.side.items("events"):
        if item["stream"]["S"] in arrived:
            other.client.put_item(TableName=other.place.tables.events, Item=dict(item))
    other.take_over_from(one.unreachable()).unplanned()
    winner = other.ledger().handle(ReceiveStock((ReceiptLine("O", "main", 5),)), Context()).events

    reported = {commit.command: commit for commit in losses(one.place, other.place)}
    assert {c: (r.fate, r.kept, r.size) for c, r in reported.items()} == {
        torn[0].command: ("torn", 1, 2),
        lost[0].command: ("lost", 0, 1),
        taken[0].command: ("overwritten", 0, 1),
    }
    (event,) = reported[taken[0].command].events
    assert event.by == winner[0].command
    assert reported[taken[0].command].as_json()["events"][0]["by"] == winner[0].command


def overwritten_everywhere(one: Region, other: Region) -> None:
    """A commit of which nothing but the streams tells."""
    receipt = ReceiveStock((ReceiptLine("A", "main", 1),))
    replication = Replication(one.side, other.side)
    one.ledger().handle(receipt, Context())
    other.take_over_from(one.unreachable()).unplanned()
    other.ledger().handle(receipt, Context())
    for _ in range(3):
        replication.carry(1.0)


def test_a_stream_may_answer_nothing_though_there_is_more(
    regions: tuple[Region, Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = regions
    overwritten_everywhere(one, other)

    def hesitant(client: Any) -> Any:
        streams, asked = streams_client_beside(client), Counter[str]()
        read: Any = streams.get_records

        def get_records(**request: Any) -> Any:
            iterator = request["ShardIterator"]
            asked[iterator] += 1
            if asked[iterator] < QUIET_READS:
                return {"Records": [], "NextShardIterator": iterator}
            return read(**request)

        monkeypatch.setattr(streams, "get_records", get_records)
        return streams

    monkeypatch.setattr("ledger.regions.losses.streams_client_beside", hesitant)
    assert [commit.fate for commit in losses(one.place, other.place)] == ["overwritten"]


def test_the_report_ends_though_clients_go_on_writing(
    regions: tuple[Region, Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = regions
    overwritten_everywhere(one, other)
    monkeypatch.setattr("ledger.regions.losses.CLOCKS_SECONDS", 0.5)
    ledger, ended, found = other.ledger(), threading.Event(), list[HarmedCommit]()

    def report() -> None:
        found.extend(losses(one.place, other.place))
        ended.set()

    reporting = threading.Thread(target=report)
    reporting.start()
    until = time.monotonic() + 30
    while not ended.wait(0.05) and time.monotonic() < until:
        ledger.handle(ReceiveStock((ReceiptLine("B", "main", 1),)), Context())
    in_time = ended.is_set()
    reporting.join()
    assert in_time
    assert [commit.fate for commit in found] == ["overwritten"]


def test_nothing_lost_is_nothing_to_report(regions: tuple[Region, Region]) -> None:
    one, other = regions
    replication = Replication(one.side, other.side)
    trade(one.ledger(), random.Random(0), 6, "before")
    replication.carry(1.0)
    other.take_over_from(one).unplanned()
    assert losses(one.place, other.place) == []
