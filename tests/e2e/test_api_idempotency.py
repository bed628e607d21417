"""Idempotency keys: the same request is recorded once and answered alike, for good."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.shop import Shop, parameters, slug

RECEIPT = {"sku": "MUG", "location": "main", "quantity": 5}
ORDER = {"lines": [{"sku": "MUG", "quantity": 2}]}
VOLATILE = {"idempotency-replayed", "x-correlation-id"}


def _same(first: Any, again: Any) -> None:
    assert again.status_code == first.status_code
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert _lasting(first) == _lasting(again)


def _lasting(answer: Any) -> set[tuple[str, str]]:
    return {item for item in answer.headers.items() if item[0] not in VOLATILE}


def test_every_command_is_answered_alike_when_sent_again(shop: Shop) -> None:
    order = {"order_id": "SO-1", **ORDER}
    adjustment = {"sku": "MUG", "location": "main", "delta": -1, "reason": "broken"}
    commands: list[tuple[str, str, Any]] = [
        ("POST", "/receipts", RECEIPT),
        ("POST", "/adjustments", adjustment),
        ("POST", "/returns", RECEIPT),
        ("PUT", "/stock/MUG/main/policy", {"low_stock_threshold": 3}),
        ("POST", "/orders", order),
        ("POST", "/orders/SO-1/shipments", {"lines": [{"line": 1, "quantity": 1}]}),
        ("POST", "/orders/SO-1/cancellation", {}),
        ("POST", "/orders", {"lines": [{"sku": "MUG", "quantity": 100}]}),
    ]
    first = [shop.send(*command, key=f"key-{n}") for n, command in enumerate(commands)]
    assert [answer.status_code for answer in first] == [201, 201, 201, 200, 201, 201, 201, 409]
    written = len(shop.get("/events?limit=1000").json()["items"])
    for n, command in enumerate(commands):
        _same(first[n], shop.send(*command, key=f"key-{n}"))
    assert len(shop.get("/events?limit=1000").json()["items"]) == written


def test_a_replay_outranks_what_changed_meanwhile(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 2), order_id="SO-1")
    path, body = "/orders/SO-1/shipments", {"lines": [{"line": 1, "quantity": 2}]}
    first = shop.post(path, body, key="ship", If_Match='"1"')
    assert first.status_code == 201
    _same(first, shop.post(path, body, key="ship", If_Match='"1"'))
    _same(first, shop.post(path, body, key="ship", If_Match='"1", "9"'))


def test_a_key_is_good_for_one_request_only(shop: Shop) -> None:
    assert shop.post("/receipts", RECEIPT, key="k").status_code == 201
    reused = shop.post("/receipts", {**RECEIPT, "quantity": 6}, key="k")
    assert (reused.status_code, slug(reused)) == (422, "idempotency-key-reused")
    assert parameters(reused) == ["Idempotency-Key"]
    assert shop.level("MUG")["on_hand"] == 5


def test_keys_are_apart_per_operation(shop: Shop) -> None:
    assert shop.post("/receipts", RECEIPT, key="k").status_code == 201
    assert shop.post("/returns", RECEIPT, key="k").status_code == 201


def test_how_the_same_request_is_written_does_not_matter(shop: Shop) -> None:
    first = shop.post("/receipts", RECEIPT, key="k")
    _same(first, shop.post("/receipts", {"lines": [{**RECEIPT, "reference": None}]}, key="k"))


def test_a_refusal_is_not_remembered(shop: Shop) -> None:
    body = {"sku": "MUG", "location": "main", "delta": -1, "reason": "broken"}
    assert shop.post("/adjustments", body, key="k").status_code == 409
    shop.receive("MUG", 1)
    assert shop.post("/adjustments", body, key="k").status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/receipts"),
        ("POST", "/adjustments"),
        ("POST", "/returns"),
        ("POST", "/orders"),
        ("POST", "/orders/SO-1/shipments"),
        ("POST", "/orders/SO-1/cancellation"),
        ("PUT", "/stock/MUG/main/policy"),
    ],
)
def test_without_a_key_nothing_is_changed(shop: Shop, method: str, path: str) -> None:
    refused = shop.client.request(method, f"/v1{path}", json={})
    assert (refused.status_code, slug(refused)) == (400, "idempotency-key-required")
    assert parameters(refused) == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "ü", "a\tb"])
def test_a_malformed_key_is_refused(shop: Shop, key: str) -> None:
    headers = [("Idempotency-Key", key.encode("latin-1"))]
    refused = shop.client.post("/v1/receipts", json=RECEIPT, headers=headers)  # type: ignore[arg-type]
    assert (refused.status_code, slug(refused)) == (400, "invalid-parameter")
    assert parameters(refused) == ["Idempotency-Key"]


def test_two_keys_are_one_too_many(shop: Shop) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    refused = shop.client.post("/v1/receipts", json=RECEIPT, headers=headers)
    assert (refused.status_code, parameters(refused)) == (400, ["Idempotency-Key"])


def test_the_longest_key_is_taken(shop: Shop) -> None:
    assert shop.post("/receipts", RECEIPT, key="!" + "~" * 254).status_code == 201
