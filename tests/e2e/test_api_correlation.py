"""What a client can quote, and the line of the log it leads to."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest

from tests.support.shop import Shop

RECEIPT = {"sku": "MUG", "location": "main", "quantity": 5}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="api")
    return caplog


@pytest.mark.parametrize(("quantity", "status"), [(3, 201), (8, 409)])
def test_a_change_is_found_by_what_the_client_quotes(
    shop: Shop, log: pytest.LogCaptureFixture, quantity: int, status: int
) -> None:
    """A refused order is recorded, too."""
    shop.receive("MUG", 5)
    log.clear()
    order = {"order_id": "A-1", "lines": [{"sku": "MUG", "quantity": quantity}]}
    for key, replayed in (("k-1", False), ("k-1", True)):
        answer = shop.post("/orders", order, key, X_Correlation_Id="quoted-1")
        assert answer.headers["X-Correlation-Id"] == "quoted-1"
        line = log.records[-1]
        (placed,) = shop.ledger.history.events("order:A-1")
        assert (line.name, line.levelname) == ("api", "INFO")
        assert line.getMessage() == (
            f"POST /v1/orders {status}, request quoted-1, command {placed.command}"
        )
        assert line.__dict__["correlation_id"] == placed.command
        assert line.__dict__["replayed"] is replayed
    assert len(log.records) == 2


def test_what_is_refused_is_logged_without_a_command(
    shop: Shop, log: pytest.LogCaptureFixture
) -> None:
    answer = shop.post("/receipts", {})
    (line,) = log.records
    assert line.__dict__["correlation_id"] is None
    assert line.__dict__["request_id"] == answer.headers["X-Correlation-Id"]
    assert line.__dict__["status"] == answer.status_code


def test_reading_is_not_logged_but_can_be_quoted(shop: Shop, log: pytest.LogCaptureFixture) -> None:
    answer = shop.get("/stock")
    assert UUID(answer.headers["X-Correlation-Id"]).version == 4
    assert log.records == []


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'a"b', "{}"], ids=repr)
def test_only_well_formed_ids_are_taken_over(shop: Shop, given: str) -> None:
    answer = shop.post("/receipts", RECEIPT, X_Correlation_Id=given)
    assert answer.status_code == 201
    assert UUID(answer.headers["X-Correlation-Id"]).version == 4
