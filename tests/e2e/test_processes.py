"""Real processes on one file: killed in the middle of it, and several at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from random import Random
from threading import Event
from time import sleep

import pytest

from ledger.bootstrap import open_ledger
from ledger.domain.order import Order
from ledger.importing import OnlineRetailImporter, StockImporter
from ledger.service import Context, Ledger, ReceiptLine, ReceiveStock
from ledger.settings import Settings
from ledger.verify import verify
from projections.bootstrap import open_projections
from tests.integration.importing_support import RETAIL_SAMPLE, STOCK_SAMPLE, on_hand, types_of
from tests.support.servers import Answer, Client, Request, Server, serving, start, wait_until
from tests.support.shoppers import Shopper, deeds, moved, order, receipt, recorded

SKUS = [f"SKU-{n}" for n in range(8)]
BIG = "BIG"
BIG_SKUS = [f"BIG-{n:04}" for n in range(720)]


@contextmanager
def opened(store: Path) -> Iterator[Ledger]:
    """The file, read beside its servers."""
    ledger = open_ledger(Settings(store=f"sqlite:{store}"))
    try:
        yield ledger
    finally:
        ledger.close()


def audited(store: Path) -> None:
    """The history is sound, and the servers bring the views up to it by themselves."""

    def settled() -> bool:
        audit = projections.audit()
        report = verify(ledger.recorder, [audit])
        assert [*report.findings, *audit.findings()] == []
        return not any(audit.lag().values())

    with opened(store) as ledger:
        projections = open_projections(ledger.recorder, path=store)
        try:
            wait_until(settled)
        finally:
            projections.close()


@contextmanager
def shopping(shoppers: Sequence[Shopper], server: Server) -> Iterator[None]:
    """The shoppers shop as long as the block lasts, or the server."""
    stop = Event()
    with ThreadPoolExecutor(len(shoppers)) as pool:
        rounds = [pool.submit(shopper.shop, server, stop) for shopper in shoppers]
        try:
            yield
        finally:
            stop.set()
            for one in rounds:
                one.result()


def answers(shoppers: Sequence[Shopper]) -> int:
    return sum(len(shopper.told) for shopper in shoppers)


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path, seed: int) -> None:
    store, moments = tmp_path / "ledger.db", Random(seed)
    shoppers = [Shopper(f"{seed}-{n}", SKUS) for n in range(4)]
    for _ in range(3):
        with serving(store) as (server,):
            for shopper in shoppers:
                shopper.resolve(server)
            shop_until_killed(shoppers, server, moments)

    with serving(store) as (server,), Client(server) as client:
        log = {(event["stream"], event["version"]) for event in client.log()}
        assert recorded(shoppers) <= log
        for shopper in shoppers:
            shopper.resolve(server)
        check_books(client, shoppers)
        audited(store)


def shop_until_killed(shoppers: Sequence[Shopper], server: Server, moments: Random) -> None:
    enough = answers(shoppers) + moments.randint(1, 80)
    with shopping(shoppers, server):
        wait_until(lambda: answers(shoppers) >= enough)
        sleep(moments.uniform(0, 0.02))
        server.kill()


def check_books(client: Client, shoppers: Sequence[Shopper]) -> None:
    """Everything the shoppers were told was done exactly once, and nothing else."""
    log = list(client.log())
    types = Counter(event["type"] for event in log)
    orders = sum(e["stream"].startswith("order:") and e["version"] == 1 for e in log)
    assert deeds(shoppers) == Counter(
        received=types["StockReceived"], ordered=orders, shipped=types["OrderShipped"]
    )
    for sku in SKUS:
        level = client.get(f"/v1/stock/{sku}/main?consistent=true")
        assert level["on_hand"] == moved(shoppers)[sku]


def big_order(store: Path) -> Order:
    with opened(store) as ledger:
        found = ledger.history.order(BIG)
    assert found is not None
    return found


def placed_and_killed(store: Path, request: Request, killed_at: str, stocked: int) -> Answer:
    """Place the large order on a new store, and kill the server once it has recorded an event."""
    with serving(store) as (server,), Client(server) as client:
        for at in range(0, stocked, 90):
            units = dict.fromkeys(BIG_SKUS[at : min(at + 90, stocked)], 1)
            assert client.post(receipt(f"stock-{at}", units)).status == 201
        answer = client.post(request)
        assert answer.status == 202
        with opened(store) as ledger:
            wait_until(lambda: killed_at in types_of(ledger, f"order:{BIG}"))
            server.kill()
    return answer


@pytest.mark.parametrize(
    ("killed_at", "stocked", "fate"),
    [
        ("OrderPlaced", len(BIG_SKUS), "reserved"),
        ("OrderAllocated", len(BIG_SKUS), "reserved"),
        ("OrderDeallocated", len(BIG_SKUS) - 1, "rejected"),
    ],
)
def test_a_large_order_is_finished_by_the_next_server(
    tmp_path: Path, killed_at: str, stocked: int, fate: str
) -> None:
    request = order("big", dict.fromkeys(BIG_SKUS, 1), order_id=BIG)
    # A busy machine may finish the order before the kill gets through: then once more.
    for attempt in range(10):
        store = tmp_path / f"ledger-{attempt}.db"
        answer = placed_and_killed(store, request, killed_at, stocked)
        if big_order(store).task is not None:
            break
    assert big_order(store).task is not None, "it was killed in the middle"

    with serving(store) as (server,), Client(server) as client:
        wait_until(lambda: big_order(store).task is None)
        totals = client.get(f"/v1/orders/{BIG}")["totals"]
        assert totals == {**dict.fromkeys(totals, 0), "ordered": len(BIG_SKUS), fate: len(BIG_SKUS)}
        assert client.post(request) == answer._replace(replayed=True)
        audited(store)


def imported(store: Path, format_: str, file: Path) -> None:
    """Import a file with a process of its own."""
    log = store.with_name(f"{format_}.log")
    with start(["import", "--format", format_, str(file)], store, log) as process:
        assert process.wait() == 0, log.read_text()


def test_imports_run_beside_a_server(tmp_path: Path) -> None:
    store, hot = tmp_path / "ledger.db", {"10101A": 900, "58800": 900, "71999": 900}
    early = [Shopper(f"early-{n}", SKUS) for n in range(2)]
    late = [Shopper(f"late-{n}", [*SKUS[:2], *hot]) for n in range(3)]
    with serving(store) as (server,), Client(server) as client:
        with shopping(early, server):
            wait_until(lambda: answers(early) > 10)
            imported(store, "stock-csv", STOCK_SAMPLE)
        # Enough for everybody, so that the import finds what it sells.
        assert client.post(receipt("hot", hot)).status == 201
        with shopping(late, server):
            wait_until(lambda: answers(late) > 10)
            imported(store, "online-retail", RETAIL_SAMPLE)
        audited(store)
        for shopper in late:
            shopper.resolve(server)

    with opened(store) as ledger, opened(tmp_path / "quiet.db") as quiet:
        StockImporter(quiet).import_file(STOCK_SAMPLE)
        lines = tuple(ReceiptLine(sku, "main", units) for sku, units in hot.items())
        quiet.handle(ReceiveStock(lines), Context("ann"))
        OnlineRetailImporter(quiet, location="main").import_file(RETAIL_SAMPLE)
        expected = units_by_sku(quiet)
        expected.update(moved([*early, *late]))
        assert units_by_sku(ledger) == expected


def units_by_sku(ledger: Ledger) -> Counter[str]:
    return Counter({sku: units for (sku, _), units in on_hand(ledger).items()})


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers, started at once on a file that isn't there yet."""
    with serving(tmp_path / "ledger.db", 2) as started:
        yield started
        audited(tmp_path / "ledger.db")


def sent(server: Server, requests: Sequence[Request]) -> list[Answer]:
    """One client's answers to its requests."""
    with Client(server) as client:
        return [client.post(request) for request in requests]


def all_sent(work: Sequence[tuple[Server, Sequence[Request]]]) -> list[list[Answer]]:
    """The answers of clients that send all at once."""
    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(lambda one: sent(*one), work))


def hot_level(server: Server) -> tuple[int, int, int]:
    """What is on hand, reserved and available of the hot SKU, strongly read."""
    with Client(server) as client:
        level = client.get("/v1/stock/HOT/main?consistent=true")
    return level["on_hand"], level["reserved"], level["available"]


def test_two_servers_sell_exactly_the_stock(servers: list[Server]) -> None:
    sent(servers[0], [receipt("hot", {"HOT": 120})])
    work = [(servers[n % 2], [order(f"{n}-{k}", {"HOT": 1}) for k in range(25)]) for n in range(8)]

    statuses = Counter(answer.status for answer in chain(*all_sent(work)))

    assert statuses == {201: 120, 409: 80}
    assert {hot_level(server) for server in servers} == {(120, 120, 0)}


def test_a_key_sent_to_two_servers_counts_once(servers: list[Server]) -> None:
    sent(servers[0], [receipt("hot", {"HOT": 60})])
    requests = [[order(f"{n}-{k}", {"HOT": 1}) for k in range(25)] for n in range(4)]

    found = all_sent([(server, keys) for server in servers for keys in requests])

    pairs = list(zip(chain(*found[:4]), chain(*found[4:]), strict=True))
    assert all(one[:2] == other[:2] for one, other in pairs)
    assert all(one.replayed != other.replayed for one, other in pairs)
    assert Counter(one.status for one, _ in pairs) == {201: 60, 409: 40}
    assert {hot_level(server) for server in servers} == {(60, 60, 0)}
