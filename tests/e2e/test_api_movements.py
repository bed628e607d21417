"""Receipts, adjustments and returns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.shop import Shop, pointers, slug

RECEIPT = {"sku": "MUG", "location": "main", "quantity": 5}


def test_a_receipt_answers_the_stock_right_after(shop: Shop) -> None:
    answer = shop.post(
        "/receipts", {**RECEIPT, "unit_cost": 450, "currency": "GBP", "reference": "PO-1"}
    )
    assert answer.status_code == 201
    body = answer.json()
    assert body["stock"] == [
        {
            "sku": "MUG",
            "location": "main",
            "on_hand": 5,
            "reserved": 0,
            "backordered": 0,
            "damaged": 0,
            "available": 5,
            "low_stock_threshold": None,
            "version": 1,
            "as_of": body["at"],
        }
    ]
    assert [(e["stream"], e["version"], e["type"]) for e in body["events"]] == [
        ("stock:MUG@main", 1, "StockReceived")
    ]
    event = shop.get("/events").json()["items"][0]
    assert event["command"] == body["command"]
    assert event["actor"] == "anonymous"
    assert event["data"]["cost"] == {"amount": 450, "currency": "GBP"}
    assert event["data"]["reference"] == "PO-1"


def test_lines_are_recorded_together_and_may_name_a_position_twice(shop: Shop) -> None:
    answer = shop.post("/receipts", {"lines": [RECEIPT, {**RECEIPT, "sku": "CUP"}, RECEIPT]})
    assert answer.status_code == 201
    body = answer.json()
    assert {s["sku"]: (s["on_hand"], s["version"]) for s in body["stock"]} == {
        "MUG": (10, 2),
        "CUP": (5, 1),
    }
    assert len(body["events"]) == 3


def test_ninety_lines_fit_and_no_more(shop: Shop) -> None:
    lines = [{**RECEIPT, "sku": f"S{n}"} for n in range(91)]
    assert shop.post("/receipts", {"lines": lines[:90]}).status_code == 201
    refused = shop.post("/receipts", {"lines": lines})
    assert (refused.status_code, pointers(refused)) == (422, ["#/lines"])


def test_an_adjustment_takes_only_what_is_free_and_all_lines_or_none(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.receive("CUP", 5)
    shop.order(("MUG", 2))
    one = {"sku": "MUG", "location": "main", "delta": -3, "reason": "broken"}
    other = {"sku": "CUP", "location": "main", "delta": -6, "reason": "stolen"}
    refused = shop.post("/adjustments", {"lines": [one, other]})
    assert slug(refused) == "insufficient-stock"
    assert refused.status_code == 409
    assert refused.json()["shortfalls"] == [
        {"sku": "CUP", "location": "main", "requested": 6, "available": 5, "lines": []}
    ]
    assert shop.level("MUG")["on_hand"] == 5
    assert shop.post("/adjustments", one).json()["stock"][0]["on_hand"] == 2
    assert slug(shop.post("/adjustments", {**one, "delta": -1})) == "insufficient-stock"


def test_returns_restock_or_stay_as_damaged(shop: Shop) -> None:
    back = {"sku": "MUG", "location": "main", "quantity": 2}
    assert shop.post("/returns", back).json()["stock"][0]["available"] == 2
    damaged = shop.post("/returns", {"lines": [{**back, "disposition": "damaged"}]}).json()
    level = damaged["stock"][0]
    assert (level["on_hand"], level["damaged"], level["available"]) == (4, 2, 2)


def test_a_receipt_serves_who_waits(shop: Shop) -> None:
    order = shop.order(("MUG", 3), policy="backorder")
    assert order["status"] == "backordered"
    shop.receive("MUG", 5)
    shop.settle()
    after = shop.get(f"/orders/{order['order_id']}").json()
    assert (after["status"], after["totals"]["reserved"]) == ("allocated", 3)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"quantity": 0}, "#/quantity"),
        ({"quantity": 1.0}, "#/quantity"),
        ({"quantity": "5"}, "#/quantity"),
        ({"quantity": True}, "#/quantity"),
        ({"quantity": None}, "#/quantity"),
        ({"quantity": 1_000_000_001}, "#/quantity"),
        ({"sku": "a/b"}, "#/sku"),
        ({"sku": "a:b"}, "#/sku"),
        ({"sku": "x" * 65}, "#/sku"),
        ({"sku": "MUG\n"}, "#/sku"),
        ({"location": ""}, "#/location"),
        ({"unit_cost": 5}, "#"),
        ({"currency": "GBP"}, "#"),
        ({"unit_cost": 4.5, "currency": "GBP"}, "#/unit_cost"),
        ({"unit_cost": 5, "currency": "gbp"}, "#/currency"),
        ({"reference": "x" * 257}, "#/reference"),
        ({"reference": "a\nb"}, "#/reference"),
        ({"qty": 1}, "#/qty"),
        ({"a/b~c d": 1}, "#/a~1b~0c%20d"),
    ],
)
def test_a_wrong_receipt_is_told_where(shop: Shop, change: dict[str, Any], pointer: str) -> None:
    for body, prefix in (
        ({**RECEIPT, **change}, "#"),
        ({"lines": [RECEIPT, {**RECEIPT, **change}]}, "#/lines/1"),
    ):
        refused = shop.post("/receipts", body)
        assert (refused.status_code, slug(refused)) == (422, "invalid-body"), body
        assert pointers(refused) == [prefix + pointer.removeprefix("#")]


@pytest.mark.parametrize("delta", [0, -0.0, 1.5, "1", True])
def test_an_adjustment_must_change_something(shop: Shop, delta: object) -> None:
    body = {"sku": "MUG", "location": "main", "delta": delta, "reason": "count"}
    refused = shop.post("/adjustments", body)
    assert pointers(refused) == ["#/delta"]


@pytest.mark.parametrize("body", [[], "x", 1, True, {}, {"lines": []}, {"lines": {}}])
def test_what_is_no_receipt_at_all_is_refused(shop: Shop, body: object) -> None:
    assert shop.post("/receipts", body).status_code == 422


def test_a_body_with_faults_everywhere_is_told_its_first_hundred(shop: Shop) -> None:
    lines = [{"sku": 1, "quantity": "x"} for _ in range(10_000)]
    refused = shop.post("/orders", {"lines": lines})
    assert refused.status_code == 422
    assert len(refused.json()["errors"]) == 100
