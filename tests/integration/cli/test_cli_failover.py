"""`ledger lease` and `ledger failover`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ledger.service import Context, ReceiptLine, ReceiveStock
from tests.integration.cli.support import error_of, run
from tests.support.engines import Engines
from tests.support.regions import MELBOURNE, SYDNEY, Region, two_regions
from tests.support.replication import Replication


@pytest.fixture
def regions(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Region, Region]]:
    endpoint = engines.endpoint("ministack")
    with two_regions(endpoint) as regions:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_DEFAULT_REGION", MELBOURNE)
        monkeypatch.setenv("LEDGER_STORE", f"dynamodb:{regions[0].prefix}")
        yield regions


def receive(region: Region, sku: str) -> None:
    region.ledger().handle(ReceiveStock((ReceiptLine(sku, "main", 1),)), Context())


def test_a_planned_failover_and_who_writes_before_and_after(
    regions: tuple[Region, Region],
) -> None:
    one, other = regions
    receive(one, "A")
    assert f"{MELBOURNE} open" in " ".join(run("lease").stdout.split())
    with Replication(one.side, other.side, longest=0.2):
        # `settled` of the tests' leases, which are shorter than those of the product
        printed = run("failover", "--to", SYDNEY, "--from", MELBOURNE, "--yes", "--wait", "1")
    assert printed.stderr.splitlines() == [
        f"Closed {MELBOURNE}; its writers stop within 1 s.",
        f"Waiting until everything is in {SYDNEY}.",
        f"{SYDNEY} writes now, in epoch 2.",
    ]
    shown = [line.split() for line in run("lease", MELBOURNE, SYDNEY).stdout.splitlines()[1:]]
    assert [row[:4] for row in shown] == [
        [MELBOURNE, "closed", "2", SYDNEY],
        [SYDNEY, "open", "2", SYDNEY],
    ]
    assert [line.split()[0] for line in run("lease").stdout.splitlines()[1:]] == [
        MELBOURNE,
        SYDNEY,
    ]
    receive(other, "A")


def test_what_did_not_arrive_is_said(regions: tuple[Region, Region]) -> None:
    one, other = regions
    receive(one, "A")
    wait = ("--wait", "0", "--patience", "0")
    printed = run("failover", "--to", SYDNEY, "--from", MELBOURNE, "--yes", *wait, code=1)
    assert f"items are not in {SYDNEY} yet (the fence)" in printed.stderr
    back = ("failover", "--from", SYDNEY, "--to", MELBOURNE)
    assert f"go back with `ledger {' '.join(back)}`" in printed.stderr
    assert "nobody" in run("lease", MELBOURNE, SYDNEY, code=1).stderr
    Replication(one.side, other.side).carry(1.0)
    refused = run("failover", "--to", SYDNEY, "--yes", *wait, code=2)
    assert "or is about to: name the other Region with --from" in refused.stderr
    run(*back, "--yes", *wait)
    receive(one, "B")


def test_an_unplanned_failover_and_its_report(regions: tuple[Region, Region]) -> None:
    one, other = regions
    replication = Replication(one.side, other.side)
    receive(one, "A")
    replication.carry(1.0)
    receive(one, "LOST")
    move = ("failover", "--to", SYDNEY, "--from", MELBOURNE, "--yes")
    run(*move, "--unplanned", "--accept-loss", "--wait", "0")
    report = ("failover", "--to", SYDNEY, "--from", MELBOURNE, "--report")
    printed = run(*report, "--format", "jsonl", code=1)
    (line,) = printed.stdout.splitlines()
    commit = json.loads(line)
    assert (commit["fate"], commit["kept"], commit["size"]) == ("lost", 0, 1)
    assert commit["events"][0]["stream"] == "stock:LOST@main"
    assert "1 commits are not there" in printed.stderr
    assert "stock:LOST@main" in run(*report, code=1).stdout
    replication.carry(1.0)
    assert run(*report).stderr == "Nothing was lost.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", SYDNEY, "--unplanned"), "--accept-loss"),
        (("--to", SYDNEY, "--accept-loss"), "--unplanned"),
        (("--to", SYDNEY, "--unplanned", "--accept-loss", "--report"), "--report"),
        (("--to", SYDNEY), "name the other Region with --from"),
        (("--to", MELBOURNE), "name the other Region with --from"),
    ],
)
def test_what_makes_no_sense_is_refused(
    regions: tuple[Region, Region], arguments: tuple[str, ...], said: str
) -> None:
    _, other = regions
    other.client.delete_item(TableName=f"{other.prefix}-lease", Key={"name": {"S": "writer"}})
    assert said in error_of("failover", *arguments, "--yes")


def test_a_file_has_no_lease(tmp_path: object) -> None:
    store = ("--store", f"sqlite:{tmp_path}/x.db")
    assert "is for DynamoDB" in error_of("lease", *store)
    assert "is for DynamoDB" in error_of("failover", "--to", SYDNEY, *store)


def test_a_passive_region_takes_no_import(
    regions: tuple[Region, Region], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    one, other = regions
    replication = Replication(one.side, other.side)
    replication.carry(1.0)
    monkeypatch.setenv("AWS_DEFAULT_REGION", SYDNEY)
    monkeypatch.setenv("LEDGER_REGION", SYDNEY)
    monkeypatch.setenv("LEDGER_LEASE", "true")
    stock = f"{tmp_path}/stock.csv"
    with open(stock, "w") as file:
        file.write("sku,location,quantity\nA,main,5\n")
    printed = run("import", "--format", "stock-csv", stock, code=2)
    assert f"Run the same command in {MELBOURNE}" in printed.stderr
    assert ("stock:A@main", 1) not in other.events()
