"""Orders: placed, refused, shipped, cancelled, read and listed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.shop import Shop, parameters, pointers, slug


def test_an_order_reserves_stock(shop: Shop) -> None:
    shop.receive("MUG", 5)
    wanted = {
        "order_id": "SO-1",
        "customer": "C-1",
        "reservation_ttl_seconds": 60,
        "lines": [{"sku": "MUG", "quantity": 2}],
    }
    placed = shop.post("/orders", wanted)
    assert placed.status_code == 201
    assert placed.headers["Location"] == "/v1/orders/SO-1"
    assert placed.headers["ETag"] == '"1"'
    assert placed.headers["Cache-Control"] == "no-store"
    order = placed.json()
    assert (order["status"], order["customer"], order["version"]) == ("allocated", "C-1", 1)
    assert order["expires_at"]
    assert order["lines"][0]["places"] == [
        {"location": "main", "reserved": 2, "backordered": 0, "shipped": 0}
    ]
    assert shop.client.get(placed.headers["Location"]).json() == order
    assert shop.level("MUG")["available"] == 3


def test_an_order_without_an_id_is_given_one(shop: Shop) -> None:
    shop.receive("MUG", 5)
    assert shop.order(("MUG", 1))["order_id"] != shop.order(("MUG", 1))["order_id"]


def test_a_refused_order_lists_its_shortfalls_and_is_recorded(shop: Shop) -> None:
    shop.receive("MUG", 3)
    lines = [{"sku": "MUG", "quantity": 2}, {"sku": "MUG", "quantity": 2}]
    refused = shop.post("/orders", {"order_id": "SO-1", "lines": lines})
    assert (refused.status_code, slug(refused)) == (409, "insufficient-stock")
    body = refused.json()
    assert body["order_id"] == "SO-1"
    assert body["shortfalls"] == [
        {"sku": "MUG", "location": None, "requested": 4, "available": 3, "lines": [1, 2]}
    ]
    assert pointers(refused) == ["#/lines/0", "#/lines/1"]
    assert refused.headers["Location"] == "/v1/orders/SO-1"
    recorded = shop.get("/orders/SO-1").json()
    assert (recorded["status"], recorded["totals"]["rejected"]) == ("rejected", 4)
    assert recorded["shortfalls"] == body["shortfalls"]
    taken = shop.post("/orders", {"order_id": "SO-1", "lines": lines[:1]})
    assert (taken.status_code, slug(taken)) == (409, "order-exists")


def test_policies_take_what_is_there(shop: Shop) -> None:
    shop.receive("MUG", 3)
    partial = shop.order(("MUG", 4), policy="partial")
    assert (partial["status"], partial["totals"]["unfilled"]) == ("allocated", 1)
    waiting = shop.order(("MUG", 4), policy="backorder")
    assert (waiting["status"], waiting["totals"]["backordered"]) == ("backordered", 4)
    nothing = shop.post("/orders", {"policy": "partial", "lines": [{"sku": "X", "quantity": 1}]})
    assert slug(nothing) == "insufficient-stock"


def test_shipping_by_lines_and_then_the_rest(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 3), order_id="SO-1")
    body = {"lines": [{"line": 1, "quantity": 1}], "reference": "VAN-7", "shipment_id": "SH-1"}
    first = shop.post("/orders/SO-1/shipments", body, If_Match='"1"')
    assert (first.status_code, first.headers["ETag"]) == (201, '"2"')
    assert first.json()["status"] == "partially_shipped"
    assert first.json()["shipments"] == [{"shipment_id": "SH-1", "units": 1, "reference": "VAN-7"}]
    rest = shop.client.post("/v1/orders/SO-1/shipments", headers={"Idempotency-Key": "rest"})
    assert rest.status_code == 201
    assert rest.json()["status"] == "shipped"
    assert [s["units"] for s in rest.json()["shipments"]] == [1, 2]
    nothing = shop.post("/orders/SO-1/shipments", {})
    assert (nothing.status_code, slug(nothing)) == (409, "order-not-open")
    assert nothing.json()["order_status"] == "shipped"


def test_shipping_more_than_a_line_has_is_told_where(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 3), order_id="SO-1")
    lines = [{"line": 1, "quantity": 2}, {"line": 1, "quantity": 2}]
    exceeded = shop.post("/orders/SO-1/shipments", {"lines": lines})
    assert (exceeded.status_code, slug(exceeded)) == (409, "line-exceeded")
    assert pointers(exceeded) == ["#/lines/1/quantity"]
    missing = shop.post("/orders/SO-1/shipments", {"lines": [{"line": 2, "quantity": 1}]})
    assert (missing.status_code, slug(missing)) == (422, "line-not-found")
    assert pointers(missing) == ["#/lines/0"]


@pytest.mark.parametrize("body", [None, [], False, "all", {"line": 1}])
def test_a_shipment_that_is_no_object_ships_nothing(shop: Shop, body: object) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 3), order_id="SO-1")
    content = json.dumps(body)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    refused = shop.client.post("/v1/orders/SO-1/shipments", content=content, headers=headers)
    assert (refused.status_code, slug(refused)) == (422, "invalid-body")
    assert shop.level("MUG")["on_hand"] == 5


def test_cancelling_gives_back(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.receive("CUP", 5)
    shop.order(("MUG", 3), ("CUP", 1), order_id="SO-1")
    some = shop.post("/orders/SO-1/cancellation", {"lines": [2], "reason": "too late"})
    assert (some.status_code, some.json()["totals"]["cancelled"]) == (201, 1)
    missing = shop.post("/orders/SO-1/cancellation", {"lines": [1, 7]})
    assert (missing.status_code, pointers(missing)) == (422, ["#/lines/1"])
    rest = shop.client.post("/v1/orders/SO-1/cancellation", headers={"Idempotency-Key": "rest"})
    assert rest.json()["status"] == "cancelled"
    assert shop.level("MUG")["available"] == 5
    again = shop.post("/orders/SO-1/cancellation", {})
    assert slug(again) == "order-not-open"


@pytest.mark.parametrize("what", ["shipments", "cancellation"])
def test_if_match_names_the_version_meant(shop: Shop, what: str) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 1), order_id="SO-1")
    path = f"/orders/SO-1/{what}"
    for stale in ('"2"', '"0"', 'W/"1"', '"x"', '"2", "3"'):
        refused = shop.post(path, {}, If_Match=stale)
        assert (refused.status_code, slug(refused)) == (412, "version-mismatch"), stale
        assert refused.json()["current_version"] == 1
    malformed = shop.post(path, {}, If_Match="1")
    assert (malformed.status_code, parameters(malformed)) == (400, ["If-Match"])
    for tags in ("*", '"1"', '"1", "2"', 'W/"1"'):
        assert shop.post(f"/orders/NONE/{what}", {}, If_Match=tags).status_code == 404
    matched = '"3", "1"' if what == "shipments" else "*"
    assert shop.post(path, {}, If_Match=matched).status_code == 201


def test_if_none_match_spares_what_the_client_has(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 1), order_id="SO-1")
    for known in ('"1"', 'W/"1"', '"0", "1"', "*"):
        spared = shop.get("/orders/SO-1", If_None_Match=known)
        assert (spared.status_code, spared.content) == (304, b"")
        assert spared.headers["ETag"] == '"1"'
    assert shop.get("/orders/SO-1", If_None_Match='"2"').status_code == 200


def test_what_is_unknown_is_not_found(shop: Shop) -> None:
    for answer in (
        shop.get("/orders/NONE"),
        shop.post("/orders/NONE/shipments", {}),
        shop.post("/orders/NONE/cancellation", {}),
    ):
        assert (answer.status_code, slug(answer)) == (404, "order-not-found")
    bad = shop.get("/orders/a:b")
    assert (bad.status_code, parameters(bad)) == (400, ["order_id"])


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"lines": []}, "#/lines"),
        ({"lines": None}, "#/lines"),
        ({"lines": [{"sku": "MUG", "quantity": 1.0}]}, "#/lines/0/quantity"),
        ({"lines": [{"sku": "MUG", "quantity": 1, "x": 1}]}, "#/lines/0/x"),
        ({"lines": [{"sku": "MUG", "quantity": 1}] * 10_001}, "#/lines"),
        ({"policy": "some"}, "#/policy"),
        ({"order_id": "a b"}, "#/order_id"),
        ({"customer": ""}, "#/customer"),
        ({"reservation_ttl_seconds": 0}, "#/reservation_ttl_seconds"),
        ({"reservation_ttl_seconds": 31_536_001}, "#/reservation_ttl_seconds"),
        ({"reservation_ttl_seconds": "60"}, "#/reservation_ttl_seconds"),
        ({"status": "shipped"}, "#/status"),
    ],
)
def test_a_wrong_order_is_told_where(shop: Shop, change: dict[str, Any], pointer: str) -> None:
    refused = shop.post("/orders", {"lines": [{"sku": "MUG", "quantity": 1}], **change})
    assert (refused.status_code, slug(refused)) == (422, "invalid-body")
    assert pointers(refused) == [pointer]


def test_a_large_order_is_accepted_and_then_allocated(shop: Shop) -> None:
    skus = [f"S{n}" for n in range(120)]
    for start in range(0, 120, 60):
        lines = [
            {"sku": sku, "location": "main", "quantity": 5} for sku in skus[start : start + 60]
        ]
        assert shop.post("/receipts", {"lines": lines}).status_code == 201
    wanted = [{"sku": sku, "quantity": 2} for sku in skus]
    placed = shop.post("/orders", {"order_id": "BIG", "lines": wanted}, key="big")
    assert (placed.status_code, placed.json()["task"]) == (202, {"kind": "allocation"})
    assert placed.headers["Location"] == "/v1/orders/BIG"
    busy = shop.post("/orders/BIG/shipments", {}, key="ship")
    if busy.status_code != 202:
        assert (busy.status_code, slug(busy)) == (409, "order-busy")
        assert busy.headers["Retry-After"] == "1"
    shop.ledger.advance("BIG")
    assert shop.get("/orders/BIG").json()["status"] == "allocated"
    shipping = shop.post("/orders/BIG/shipments", {}, key="ship")
    assert (shipping.status_code, shipping.json()["task"]) == (202, {"kind": "shipment"})
    shop.ledger.advance("BIG")
    assert shop.get("/orders/BIG").json()["totals"]["shipped"] == 240
    again = shop.post("/orders", {"order_id": "BIG", "lines": wanted}, key="big")
    assert (again.status_code, again.content) == (202, placed.content)


def test_ten_thousand_lines_fit(shop: Shop) -> None:
    lines = [{"sku": f"S{n}", "quantity": 1} for n in range(10_000)]
    placed = shop.post("/orders", {"order_id": "HUGE", "lines": lines, "policy": "backorder"})
    assert placed.status_code == 202
    assert placed.json()["totals"]["pending"] == 10_000
