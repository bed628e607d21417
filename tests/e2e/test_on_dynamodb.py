"""The whole product on a DynamoDB API: tables by the command, then the server, as processes."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from tests.support.engines import Engines, free_port
from tests.support.event_stores import ENGINES, verified

ROOT = Path(__file__).parents[2]


class Product:
    """The commands and the server of one DynamoDB store."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.prefix = f"test-{uuid4().hex}"
        self.port = free_port()
        store = f"dynamodb:{self.prefix}"
        self._env = {**os.environ, "AWS_ENDPOINT_URL": endpoint, "LEDGER_STORE": store}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `ledger` with arguments."""
        words = [sys.executable, "-c", "from ledger.cli import main; main()", *arguments]
        return subprocess.run(
            words, env=self._env, cwd=ROOT, capture_output=True, text=True, check=False
        )

    @contextmanager
    def running(self, *arguments: str) -> Iterator[None]:
        """Run a command for as long as the block lasts; it must stop when it is asked to."""
        words = [sys.executable, "-c", "from ledger.cli import main; main()", *arguments]
        process = subprocess.Popen(
            words, env=self._env, cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        announced = process.stderr.readline()
        try:
            yield
        finally:
            process.terminate()
            errors = process.communicate(timeout=30)[1]
            assert (process.returncode, "Traceback" in errors) == (0, False), announced + errors

    @contextmanager
    def served(self, *arguments: str) -> Iterator[None]:
        """Run the server for as long as the block lasts."""
        with self.running("serve", "--port", str(self.port), *arguments):
            soon(self._listens)
            yield

    def _listens(self) -> bool:
        try:
            return self.call("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request; posts go under a new key."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as http_:
            http_.request(method, path, None if body is None else json.dumps(body), headers)
            answer = http_.getresponse()
            return answer.status, json.loads(answer.read())


def soon(happened: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


@pytest.fixture(params=ENGINES)
def product(request: pytest.FixtureRequest, engines: Engines) -> Iterator[Product]:
    product = Product(engines.endpoint(request.param))
    created = product.command("tables", "create")
    assert (created.returncode, created.stderr) == (0, "")
    yield product
    assert product.command("tables", "delete", "--yes").returncode == 0


@pytest.mark.parametrize("pumps", ["serve --pump", "serve, pump", "serve --pump, pump"])
def test_orders_stock_and_views(product: Product, pumps: str) -> None:
    """All in one process, in two, and with two that deliver."""
    with ExitStack() as running:
        for command in pumps.split(", "):
            words = command.split()
            running.enter_context(
                product.served(*words[1:]) if words[0] == "serve" else product.running(*words)
            )
        orders_stock_and_views(product)
    recorder = DynamoDBLedgerRecorder(DynamoDBTables(make_client(product.endpoint), product.prefix))
    assert verified(recorder).ok
    recorder.close()
    assert "no dead letters" in product.command("redrive", "--list").stderr


def orders_stock_and_views(product: Product) -> None:
    receipt = {"sku": "MUG", "location": "main", "quantity": 10}
    order = {"order_id": "A-1", "policy": "backorder", "lines": [{"sku": "MUG", "quantity": 13}]}
    assert product.call("POST", "/v1/receipts", receipt)[0] == 201
    assert product.call("POST", "/v1/orders", order)[1]["status"] == "backordered"
    assert product.call("POST", "/v1/receipts", receipt)[0] == 201
    soon(lambda: product.call("GET", "/v1/orders/A-1")[1]["status"] == "allocated")
    assert product.call("POST", "/v1/orders/A-1/shipments", {})[1]["status"] == "shipped"
    one = {"lines": [{"sku": "MUG", "quantity": 1}]}
    with ThreadPoolExecutor(8) as pool:
        placed = pool.map(lambda _: product.call("POST", "/v1/orders", one)[0], range(12))
    assert sorted(placed) == [201] * 7 + [409] * 5, "7 were left"
    soon(lambda: stock(product) == [(7, 7, 0)])
    soon(lambda: len(product.call("GET", "/v1/orders?status=rejected")[1]["items"]) == 5)
    assert product.call("GET", "/v1/events?stream=order:A-1")[0] == 200
    status, level = product.call("GET", "/v1/stock/MUG/main?min_version=4")
    assert (status, level["version"] >= 4) == (200, True)


def stock(product: Product) -> list[tuple[int, int, int]]:
    items = product.call("GET", "/v1/stock?sku=MUG")[1]["items"]
    return [(item["on_hand"], item["reserved"], item["backordered"]) for item in items]


def test_the_tables_can_be_looked_at(product: Product) -> None:
    shown = product.command("tables", "describe").stdout
    for name in ("events", "commands", "stock_levels", "orders", "checkpoints"):
        assert f"{product.prefix}-{name}" in shown
    assert "missing" not in shown
    assert "All tables" in product.command("tables", "create").stdout


def test_invoices_are_imported_once(product: Product) -> None:
    command = ("import", "--format", "online-retail", "samples/online-retail-sample.csv")
    first, second = product.command(*command), product.command(*command)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    recorder = DynamoDBLedgerRecorder(DynamoDBTables(make_client(product.endpoint), product.prefix))
    report = verified(recorder)
    recorder.close()
    assert (report.findings, report.events > 50) == ([], True)


def test_a_store_without_tables_says_what_to_do(engines: Engines) -> None:
    product = Product(engines.endpoint("ministack"))
    for command in ("stock", "serve"):
        failed = product.command(command)
        assert (failed.returncode, "ledger tables create" in failed.stderr) == (2, True)
    wrong = product.command("tables", "describe", "--store", "sqlite:x.db")
    assert (wrong.returncode, "--store dynamodb:PREFIX" in wrong.stderr) == (2, True)


@pytest.mark.parametrize("engine", ENGINES)
def test_somebody_elses_aggregate_runs_as_the_documentation_shows(
    engine: str, engines: Engines
) -> None:
    endpoint = engines.endpoint(engine)  # type: ignore[arg-type]
    prefix = f"test-{uuid4().hex}"
    env = {**os.environ, "AWS_ENDPOINT_URL": endpoint, "DYNAMODB_TABLE_PREFIX": prefix}
    env["PYTHONPATH"] = str(ROOT)
    ran = subprocess.run(
        [sys.executable, "examples/library_aggregate.py"],
        env=env, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = ran.stdout.splitlines()
    assert told[5:] == ["  1. Book.Added", "  2. Book.Borrowed"]
    assert told[1:4] == [
        "Anna reads Dubliners",
        "It has 2 events",
        "A book nobody added is not found",
    ]
    assert "Bert was too late" in ran.stdout
