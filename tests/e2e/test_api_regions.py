"""The API in a Region that doesn't write: it reads, and says who writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.bootstrap import app_from_settings
from ledger.service import Context, ReceiptLine, ReceiveStock
from ledger.settings import Settings
from tests.support.engines import Engines
from tests.support.regions import MELBOURNE, SYDNEY, Region, two_regions
from tests.support.replication import Replication


@pytest.fixture
def regions(engines: Engines) -> Iterator[tuple[Region, Region]]:
    with two_regions(engines.endpoint("ministack")) as regions:
        yield regions


@pytest.fixture
def passive(
    regions: tuple[Region, Region], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    one, other = regions
    one.ledger().handle(ReceiveStock((ReceiptLine("MUG", "main", 5),)), Context())
    Replication(one.side, other.side).carry(1.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", other.endpoint or "")
    monkeypatch.setenv("AWS_DEFAULT_REGION", SYDNEY)
    settings = Settings(_env_file=None, store=f"dynamodb:{other.prefix}", region=SYDNEY, lease=True)
    with TestClient(app_from_settings(settings)) as client:
        yield client


RECEIPT = {"lines": [{"sku": "MUG", "location": "main", "quantity": 1}]}


def test_it_reads_and_names_the_writer(passive: TestClient) -> None:
    level = passive.get("/v1/stock/MUG/main", params={"consistent": "true"})
    assert level.status_code == 200, level.text
    assert level.json()["on_hand"] == 5

    for path, body in (
        ("/v1/receipts", RECEIPT),
        ("/v1/orders", {"lines": [{"sku": "MUG", "quantity": 99}]}),
        ("/v1/orders/none/cancellation", {}),
    ):
        answer = passive.post(path, json=body, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 503, answer.text
        problem = answer.json()
        assert problem["type"].endswith(":writing-elsewhere")
        assert problem["writer_region"] == MELBOURNE
        assert answer.headers["Retry-After"] == "5"


def test_it_writes_once_it_has_the_lease(
    passive: TestClient, regions: tuple[Region, Region]
) -> None:
    one, other = regions
    other.take_over_from(one).unplanned()
    answer = passive.post("/v1/receipts", json=RECEIPT, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201, answer.text
