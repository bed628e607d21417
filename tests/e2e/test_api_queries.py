"""Query parameters that an operation does not have are refused."""

from __future__ import annotations

import pytest

from tests.support.shop import Shop, slug


@pytest.mark.parametrize(
    ("path", "parameter", "there"),
    [
        ("/orders?stauts=rejected", "stauts", "after, customer, limit, status"),
        ("/orders/o1?verbose=", "verbose", "none"),
        ("/stock?Limit=5", "Limit", "after, below, limit, location, sku"),
        ("/stock/A/main?asof=2026-01-01T00:00:00Z", "asof", "as_of, consistent, min_version"),
        ("/stock/A/main/movements?lanes=1", "lanes", "after, lane, limit, order"),
        ("/events?type=StockReceived", "type", "after, limit, stream"),
    ],
)
def test_a_read_with_an_unknown_parameter(
    shop: Shop, path: str, parameter: str, there: str
) -> None:
    answer = shop.get(path)

    assert (answer.status_code, slug(answer)) == (400, "invalid-parameter")
    (fault,) = answer.json()["errors"]
    assert fault["parameter"] == parameter
    assert fault["detail"].endswith(f"(there are: {there})")


def test_a_change_with_an_unknown_parameter_changes_nothing(shop: Shop) -> None:
    answer = shop.post("/receipts?dry_run=true", {"sku": "A", "location": "main", "quantity": 1})

    assert (answer.status_code, slug(answer)) == (400, "invalid-parameter")
    assert shop.get("/events").json()["items"] == []


def test_a_parameter_is_given_once(shop: Shop) -> None:
    answer = shop.get("/stock?limit=5&sku=A&limit=6")

    assert answer.json()["errors"] == [{"detail": "it must be given once", "parameter": "limit"}]


def test_many_unknown_parameters_are_not_all_repeated(shop: Shop) -> None:
    answer = shop.get("/stock?" + "&".join(f"p{number}=" for number in range(150)))

    assert len(answer.json()["errors"]) == 100


def test_health_may_be_asked_with_anything(shop: Shop) -> None:
    assert shop.client.get("/healthz?probe=1").status_code == 200
