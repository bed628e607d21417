"""Everything at once on a DynamoDB API: clients, a server, and a pump that is killed thrice."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, Final
from uuid import uuid4

import pytest

from tests.support.engines import Engines
from tests.support.event_stores import ENGINES
from tests.support.receivers import Receiver, receiving
from tests.support.servers import Client, Request, Server, start_in, wait_until
from tests.support.shoppers import Shopper, deeds, moved, recorded
from tests.support.webhooks import KEYS, SECRETS, verified

SKUS: Final = [f"SKU-{n}" for n in range(6)]
CLIENTS: Final = 16
KILLS: Final = 3
THRESHOLD: Final = 5
Fact = tuple[str, str, int]


class Site:
    """One ledger in its tables, its processes, and the receiver of its notifications."""

    def __init__(self, endpoint: str, folder: Path, receiver: Receiver) -> None:
        self._folder = folder
        self._environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "LEDGER_STORE": f"dynamodb:test-{uuid4().hex}",
            "LEDGER_NOTIFY_WEBHOOKS": f'[{{"url": "{receiver.url}", "secret": "{SECRETS[0]}"}}]',
            "LEDGER_WEBHOOKS_ALLOW_LOOPBACK": "true",
        }

    def command(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end; its exit code and all it said."""
        log = self._folder / f"{arguments[0]}.log"
        log.unlink(missing_ok=True)
        code = start_in(self._environment, list(arguments), log).wait(300)
        return code, log.read_text()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that goes on; it may not fail."""
        return start_in(self._environment, list(arguments), self.log(arguments[0]))

    def log(self, name: str) -> Path:
        """What the processes of a command have said so far."""
        return self._folder / f"{name}.log"

    @contextmanager
    def served(self) -> Iterator[Server]:
        """A server for as long as the block lasts."""
        with self.start("serve", "--port", "0") as process:
            server = Server(process, self.log("serve"))
            try:
                server.wait_ready()
                yield server
            finally:
                process.terminate()

    @contextmanager
    def pumped(self) -> Iterator[subprocess.Popen[bytes]]:
        """A pump for as long as the block lasts, unless it is killed."""
        with self.start("pump") as process:
            try:
                yield process
                assert process.poll() is None, self.log("pump").read_text()
            finally:
                process.terminate()


@pytest.fixture(params=ENGINES)
def site(
    request: pytest.FixtureRequest, engines: Engines, tmp_path: Path
) -> Iterator[tuple[Site, Receiver]]:
    with receiving() as receiver:
        site = Site(engines.endpoint(request.param), tmp_path, receiver)
        code, said = site.command("tables", "create")
        assert code == 0, said
        yield site, receiver
        assert site.command("tables", "delete", "--yes")[0] == 0


def test_sixteen_clients_while_the_pump_is_killed(site: tuple[Site, Receiver]) -> None:
    place, receiver = site
    shoppers = [Shopper(f"client-{n}", SKUS, pause=1.0) for n in range(CLIENTS)]
    with place.served() as server:
        with Client(server) as client:
            for sku in SKUS:
                set_threshold(client, sku)
        with shopping(shoppers, server):
            for kill in range(KILLS):
                kill_in_the_middle(place, receiver, shoppers, Random(kill))
        with place.pumped():
            early = read_log(server)
            wait_for_facts(server, receiver)
            wait_until(lambda: settled(place), patience=120)
        log = read_log(server)
        assert log[: len(early)] == early, "positions are for ever"
        check_log(log, shoppers)
        check_books(server, log, shoppers)
    check_notifications(receiver, facts(log))
    for name in ("serve", "pump"):
        assert "Traceback" not in place.log(name).read_text(), place.log(name).read_text()


@contextmanager
def shopping(shoppers: list[Shopper], server: Server) -> Iterator[None]:
    """The shoppers shop for as long as the block lasts."""
    stop = Event()
    with ThreadPoolExecutor(len(shoppers)) as pool, ExitStack() as stack:
        rounds = [pool.submit(shopper.shop, server, stop) for shopper in shoppers]
        stack.callback(stop.set)
        yield
    for one in rounds:
        one.result()


def kill_in_the_middle(
    place: Site, receiver: Receiver, shoppers: list[Shopper], moments: Random
) -> None:
    """Run a pump while the shoppers shop, and kill it once it has told something new."""
    heard, done = len(receiver.requests), sum(len(shopper.told) for shopper in shoppers)
    with place.start("pump") as pump:
        more = moments.randint(5, 25)
        wait_until(
            lambda: (
                len(receiver.requests) >= heard + more
                and sum(len(shopper.told) for shopper in shoppers) >= done + more
            )
        )
        assert pump.poll() is None, place.log("pump").read_text()
        pump.kill()


def wait_for_facts(server: Server, receiver: Receiver) -> None:
    """Wait until everything there is to tell was told."""
    deadline = time.monotonic() + 240
    while missing := facts(read_log(server)) - told(receiver).keys():
        assert time.monotonic() < deadline, sorted(missing)
        time.sleep(0.2)


def set_threshold(client: Client, sku: str) -> None:
    policy = {"low_stock_threshold": THRESHOLD}
    answer = client.put(Request(f"/v1/stock/{sku}/main/policy", policy, f"policy-{sku}"))
    assert answer.status == 200


def settled(place: Site) -> bool:
    """Whether a verification finds nothing wrong, and nothing that is still to come."""
    code, said = place.command("verify")
    assert code == 0, said
    return "has yet to apply" not in said


def check_log(log: list[dict[str, Any]], shoppers: list[Shopper]) -> None:
    """The feed has every event once, in the order of its stream, without a gap."""
    assert [event["position"] for event in log] == list(range(1, len(log) + 1))
    versions: Counter[str] = Counter()
    for event in log:
        versions[event["stream"]] += 1
        assert event["version"] == versions[event["stream"]]
    assert recorded(shoppers) <= {(event["stream"], event["version"]) for event in log}


def read_log(server: Server) -> list[dict[str, Any]]:
    """Every event there is."""
    with Client(server) as client:
        return list(client.log())


def check_books(server: Server, log: list[dict[str, Any]], shoppers: list[Shopper]) -> None:
    """Everything the shoppers were told was done once, and the views show it."""
    types = Counter(event["type"] for event in log)
    orders = sum(e["stream"].startswith("order:") and e["version"] == 1 for e in log)
    assert deeds(shoppers) == Counter(
        received=types["StockReceived"], ordered=orders, shipped=types["OrderShipped"]
    )
    assert types["BackorderAllocated"], "nothing that waited was promoted"
    with Client(server) as client:
        for sku in SKUS:
            shown = client.get(f"/v1/stock/{sku}/main")
            assert shown["on_hand"] == moved(shoppers)[sku]
            strong = client.get(f"/v1/stock/{sku}/main?consistent=true")
            assert {**shown, "as_of": ""} == {**strong, "as_of": ""}


def check_notifications(receiver: Receiver, wanted: Iterable[Fact]) -> None:
    """Every fact was told and nothing else, always under one id, which is no other fact's."""
    assert all(verified(request, KEYS[0]) for request in receiver.requests)
    assert told(receiver).keys() == set(wanted)
    ids = list(told(receiver).values())
    assert all(len(one) == 1 for one in ids)
    assert len(set().union(*ids)) == len(ids)


def told(receiver: Receiver) -> dict[Fact, set[str]]:
    """The ids under which each fact came in."""
    found: defaultdict[Fact, set[str]] = defaultdict(set)
    for request in list(receiver.requests):
        body = json.loads(request.body)
        fact = (body["kind"], body["stream"], body["version"])
        found[fact].add(request.headers["webhook-id"])
    return found


def facts(log: list[dict[str, Any]]) -> set[Fact]:
    """What there is to tell, worked out from the feed alone."""
    found: set[Fact] = set()
    available: defaultdict[str, int] = defaultdict(int)
    stocked: set[str] = set()
    confirmed: set[str] = set()
    waiting: Counter[str] = Counter()
    for event in log:
        stream, version, data = event["stream"], event["version"], event["data"]
        if stream.startswith("stock:"):
            was, now = available[stream], free(data["balance"])
            low = was > THRESHOLD >= now or event["type"] == "PositionPolicySet"
            found |= {("low_stock", stream, version)} if low else set()
            found |= {("out_of_stock", stream, version)} if was > 0 == now else set()
            back = was == 0 < now and stream in stocked
            found |= {("back_in_stock", stream, version)} if back else set()
            available[stream] = now
            stocked |= {stream} if now else set()
            continue
        waiting[stream] += waits(event["type"], data)
        kind = {"OrderShipped": "order_shipped", "OrderRejected": "order_rejected"}
        if event["type"] in kind:
            found.add((kind[event["type"]], stream, version))
        elif version == 1 and waiting[stream]:
            found.add(("order_backordered", stream, version))
        if not waiting[stream] and event["type"] != "OrderRejected" and stream not in confirmed:
            confirmed.add(stream)
            found.add(("order_confirmed", stream, version))
    return found


def free(balance: dict[str, int]) -> int:
    """Units a new order may take."""
    held = sum(balance.get(name, 0) for name in ("reserved", "damaged", "backordered"))
    on_hand: int = balance["on_hand"]
    return max(0, on_hand - held)


def waits(kind: str, data: dict[str, Any]) -> int:
    """By how much an event changes what of its order waits."""
    if kind == "OrderPlaced":
        return int(sum(part.get("backordered", 0) for part in data["allocations"]))
    if kind == "BackorderAllocated":
        return -int(sum(part["reserved"] for part in data["allocations"]))
    return 0
