"""The age of the lease, as the API's function measures it for the alarm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api import lambda_handler
from tests.support.engines import Engines
from tests.support.functions import functions_forgotten
from tests.support.regions import MELBOURNE, SYDNEY, Region, two_regions

RECEIPT = json.dumps({"sku": "MUG", "location": "main", "quantity": 1})


@pytest.fixture
def regions(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Region, Region]]:
    """Two Regions, and the environment of functions in the first, which writes."""
    endpoint = engines.endpoint("ministack")
    with two_regions(endpoint) as regions, functions_forgotten():
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("LEDGER_STORE", f"dynamodb:{regions[0].prefix}")
        monkeypatch.setenv("LEDGER_LEASE", "true")
        monkeypatch.setenv("LEDGER_AUTH", "none")
        enter(MELBOURNE, monkeypatch)
        yield regions


def enter(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("LEDGER_REGION", region)
    lambda_handler.built_app.cache_clear()


def ask(method: str, path: str, key: str = "") -> int:
    """The status of a request that API Gateway hands to the function."""
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "idempotency-key": key},
        "requestContext": {"http": http, "stage": "$default"},
        "isBase64Encoded": False,
    }
    if method == "POST":
        event["body"] = RECEIPT
    answer = lambda_handler.handler(event, None)  # type: ignore[arg-type]
    return int(answer["statusCode"])


def ages(capsys: pytest.CaptureFixture[str]) -> list[float]:
    """The ages that were written since the last call, in milliseconds."""
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [line for line in told if "LeaseAge" in line]
    for line in found:
        (definition,) = line["_aws"]["CloudWatchMetrics"]
        ((name, unit),) = ((one["Name"], one["Unit"]) for one in definition["Metrics"])
        assert (name, unit) == ("LeaseAge", "Milliseconds")
        assert line["consumer"] == "api"
    return [age for line in found for age in line["LeaseAge"]]


@pytest.mark.usefixtures("regions")
def test_writes_measure_it_and_reads_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("GET", "/v1/stock") == 200
    assert ages(capsys) == []
    assert ask("POST", "/v1/receipts", "k-1") == 201
    told = ages(capsys)
    assert told
    assert all(0 <= age < 5_000 for age in told)


@pytest.mark.usefixtures("regions")
def test_a_region_that_does_not_write_knows_its_lease_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(SYDNEY, monkeypatch)
    assert ask("POST", "/v1/receipts", "k-1") == 503
    told = ages(capsys)
    assert told
    assert max(told) < 5_000


def test_a_lease_that_can_not_be_read_grows_old(
    regions: tuple[Region, Region], capsys: pytest.CaptureFixture[str]
) -> None:
    writing, _ = regions
    writing.client.delete_table(TableName=f"{writing.prefix}-lease")
    assert ask("POST", "/v1/receipts", "k-1") == 503
    first = max(ages(capsys))
    assert ask("POST", "/v1/receipts", "k-2") == 503
    assert max(ages(capsys)) > first
