"""Stock: levels, lists, policies, movements, and reads of one's own writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.shop import Shop, parameters, slug


def test_the_view_follows_the_stream_and_the_stream_is_never_stale(shop: Shop) -> None:
    shop.receive("MUG", 5)
    behind = shop.get("/stock/MUG/main")
    assert (behind.status_code, slug(behind)) == (404, "position-not-found")
    strong = shop.get("/stock/MUG/main?consistent=true")
    assert (strong.status_code, strong.headers["ETag"]) == (200, '"1"')
    shop.settle()
    view = shop.get("/stock/MUG/main")
    assert (view.json(), view.headers["ETag"]) == (strong.json(), '"1"')
    assert shop.get("/stock/MUG/main", If_None_Match='"1"').status_code == 304
    assert shop.get("/stock/NONE/main?consistent=true").status_code == 404


def test_min_version_waits_for_what_is_recorded(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.receive("MUG", 5)
    assert shop.get("/stock/MUG/main?min_version=2").json()["on_hand"] == 10
    assert shop.get("/stock/MUG/main?min_version=1").json()["version"] == 2
    early = shop.get("/stock/MUG/main?min_version=3")
    assert (early.status_code, slug(early)) == (409, "view-behind")
    assert early.headers["Retry-After"] == "1"
    assert parameters(early) == ["min_version"]
    assert slug(shop.get("/stock/NONE/main?min_version=1")) == "position-not-found"


def test_as_of_tells_what_was_true_then_and_for_ever(shop: Shop) -> None:
    instants = [shop.receive("MUG", quantity)["as_of"] for quantity in (1, 2, 4, 8, 16)]
    expected = [1, 3, 7, 15, 31]
    for at, on_hand in zip(instants, expected, strict=True):
        answer = shop.get(f"/stock/MUG/main?as_of={at}")
        assert (answer.json()["on_hand"], answer.json()["as_of"]) == (on_hand, at)
    third = datetime.fromisoformat(instants[2])
    just_before = third - timedelta(microseconds=1)
    elsewhere = just_before.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    for text in (elsewhere, quote(elsewhere), just_before.isoformat().replace("+00:00", "z")):
        assert shop.get(f"/stock/MUG/main?as_of={text}").json()["on_hand"] == 3
    before_all = shop.get("/stock/MUG/main?as_of=2001-01-01T00:00:00Z")
    assert (before_all.status_code, slug(before_all)) == (404, "position-not-found")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:01Z",
        "2026-01-31T23:59:60Z",
        "0001-01-01T00:00:00%2B23:59",
        "9999-12-31T23:59:59-23:59",
        "now",
        "1769860800",
    ],
)
def test_an_instant_is_written_as_the_standard_says(shop: Shop, text: str) -> None:
    refused = shop.get(f"/stock/MUG/main?as_of={text}")
    assert (refused.status_code, slug(refused)) == (400, "invalid-parameter")
    assert parameters(refused) == ["as_of"]


def test_the_future_is_not_told(shop: Shop) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    refused = shop.get(f"/stock/MUG/main?as_of={tomorrow}")
    assert (refused.status_code, parameters(refused)) == (400, ["as_of"])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("consistent=yes", ["consistent"]),
        ("consistent=1", ["consistent"]),
        ("min_version=0", ["min_version"]),
        ("min_version=9007199254740992", ["min_version"]),
        ("min_version=1e3", ["min_version"]),
        ("consistent=true&min_version=1", ["consistent", "as_of", "min_version"]),
    ],
)
def test_a_wrong_reading_is_told_which(shop: Shop, query: str, names: list[str]) -> None:
    refused = shop.get(f"/stock/MUG/main?{query}")
    assert (refused.status_code, parameters(refused)) == (400, names)


def test_a_policy_is_set_also_before_anything_is_there(shop: Shop) -> None:
    path = "/stock/MUG/main/policy"
    first = shop.send("PUT", path, {"low_stock_threshold": 3})
    assert (first.status_code, first.headers["ETag"]) == (200, '"1"')
    assert first.json()["low_stock_threshold"] == 3
    stale = shop.send("PUT", path, {"low_stock_threshold": 4}, If_Match='"2"')
    assert (stale.status_code, stale.headers["ETag"]) == (412, '"1"')
    none = shop.send("PUT", path, {"low_stock_threshold": None}, If_Match='"1"')
    assert (none.status_code, none.json()["low_stock_threshold"]) == (200, None)
    fresh = shop.send("PUT", "/stock/NEW/main/policy", {"low_stock_threshold": 1}, If_Match="*")
    assert fresh.status_code == 412
    for wrong in ({}, {"low_stock_threshold": -1}, {"low_stock_threshold": True}, {"x": 1}):
        assert shop.send("PUT", path, wrong).status_code == 422


def _movements(shop: Shop, query: str) -> Any:
    answer = shop.get(f"/stock/MUG/main/movements{query}")
    assert answer.status_code == 200
    return answer


def test_movements_are_the_stock_card(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 2), order_id="SO-1")
    shop.post("/orders/SO-1/shipments", {"lines": [{"line": 1, "quantity": 1}]})
    shop.post("/orders/SO-1/cancellation", {})
    adjustment = {"sku": "MUG", "location": "main", "delta": -1, "reason": "broken"}
    shop.post("/adjustments", {**adjustment, "reference": "COUNT-1"})
    items = _movements(shop, "?order=asc").json()["items"]
    assert [
        (m["version"], m["type"], m["on_hand_change"], m["reserved_change"], m["available"])
        for m in items
    ] == [
        (1, "StockReceived", 5, 0, 5),
        (2, "StockReserved", 0, 2, 3),
        (3, "StockShipped", -1, -1, 3),
        (4, "ReservationReleased", 0, -1, 4),
        (5, "StockAdjusted", -1, 0, 3),
    ]
    assert [m["order_id"] for m in items] == [None, "SO-1", "SO-1", "SO-1", None]
    assert (items[4]["reason"], items[4]["reference"]) == ("broken", "COUNT-1")
    assert _movements(shop, "").json()["items"] == items[::-1]
    none = shop.get("/stock/NONE/main/movements")
    assert (none.status_code, slug(none)) == (404, "position-not-found")


@pytest.mark.parametrize(("order", "step"), [("asc", 1), ("desc", -1)])
def test_movements_are_paged_both_ways(shop: Shop, order: str, step: int) -> None:
    for _ in range(5):
        shop.receive("MUG", 1)
    seen, path = [], f"/v1/stock/MUG/main/movements?order={order}&limit=2"
    while True:
        answer = shop.client.get(path)
        seen.append([m["version"] for m in answer.json()["items"]])
        if answer.json()["next"] is None:
            break
        path = answer.links["next"]["url"]
    assert [len(page) for page in seen] == [2, 2, 1]
    assert [version for page in seen for version in page] == [1, 2, 3, 4, 5][::step]
