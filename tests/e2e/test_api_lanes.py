"""A position in lanes is one position to whoever asks: view, events, past and lists."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.service import Context, SetLanes
from ledger.verify import verify
from tests.support.shop import Shop, slug

FIELDS = ("on_hand", "reserved", "backordered", "damaged", "available")


def split(shop: Shop, sku: str, count: int) -> None:
    shop.ledger.handle(SetLanes(sku, "main", count), Context("operator"))


def busy(shop: Shop) -> dict[str, Any]:
    """A position of which every lane has had its orders; what it must show."""
    shop.receive("HOT", 60)
    split(shop, "HOT", 4)
    shop.receive("COLD", 3)
    for home in range(4):
        shop.ledger._appender._home = home
        shop.order(("HOT", 2 + home), order_id=f"o{home}")
    shop.ledger._appender._home = 1
    shop.order(("HOT", 20), order_id="large")
    shop.post("/orders/o2/shipments", {})
    shop.post("/returns", {"sku": "HOT", "location": "main", "quantity": 1,
                           "disposition": "damaged"})  # fmt: skip
    return dict(zip(FIELDS, (57, 30, 0, 1, 26), strict=True))


def shown(level: dict[str, Any]) -> dict[str, Any]:
    return {name: level[name] for name in FIELDS}


def test_every_way_of_asking_shows_one_position(shop: Shop) -> None:
    wanted = busy(shop)
    shop.settle()
    view = shop.get("/stock/HOT/main").json()
    strong = shop.get("/stock/HOT/main?consistent=true").json()
    assert view == strong
    assert shown(view) == wanted
    version = view["version"]
    assert shop.get(f"/stock/HOT/main?min_version={version}").json() == view
    assert slug(shop.get(f"/stock/HOT/main?min_version={version + 1}")) == "view-behind"
    assert shop.get(f"/stock/HOT/main?as_of={view['as_of']}").json() == view
    assert shop.get("/stock/HOT/main", If_None_Match=f'"{version}"').status_code == 304


def test_lists_count_it_once(shop: Shop) -> None:
    wanted = busy(shop)
    shop.settle()
    page = shop.get("/stock").json()
    assert [(item["sku"], item["location"]) for item in page["items"]] == [
        ("COLD", "main"),
        ("HOT", "main"),
    ]
    assert shown(page["items"][1]) == wanted
    totals = page["totals"]["HOT"]
    assert (totals["positions"], totals["available"]) == (1, wanted["available"])
    for query, skus in (
        ("?below=26", ["COLD"]), ("?below=27", ["COLD", "HOT"]), ("?sku=HOT", ["HOT"]),
        ("?location=main", ["COLD", "HOT"]), ("?below=2", []),
    ):  # fmt: skip
        assert [item["sku"] for item in shop.get(f"/stock{query}").json()["items"]] == skus, query
    first = shop.get("/stock?limit=1").json()
    second = shop.get(f"/stock?limit=1&after={first['next']}").json()
    assert [page["items"][0]["sku"] for page in (first, second)] == ["COLD", "HOT"]
    assert second["next"] is None or not shop.get(f"/stock?after={second['next']}").json()["items"]


def test_an_answer_to_a_movement_shows_all_of_it_and_is_given_again(shop: Shop) -> None:
    wanted = busy(shop)
    body = {"sku": "HOT", "location": "main", "quantity": 4}
    (level,) = shop.post("/receipts", body, key="again").json()["stock"]
    expected = {**wanted, "on_hand": wanted["on_hand"] + 4, "available": wanted["available"] + 4}
    assert shown(level) == expected
    shop.order(("HOT", 1))
    assert shop.post("/receipts", body, key="again").json()["stock"] == [level]
    policy = shop.send("PUT", "/stock/HOT/main/policy", {"low_stock_threshold": 3},
                       If_Match=f'"{shop.level("HOT")["version"]}"')  # fmt: skip
    assert policy.status_code == 200
    assert policy.json()["on_hand"] == expected["on_hand"]
    assert policy.headers["ETag"] == f'"{policy.json()["version"]}"'


def test_orders_do_not_tell_of_lanes(shop: Shop) -> None:
    busy(shop)
    order = shop.get("/orders/o3").json()
    assert order["lines"][0]["places"] == [
        {"location": "main", "reserved": 5, "backordered": 0, "shipped": 0}
    ]


@pytest.mark.parametrize("lane", [0, 1, 3])
def test_each_lane_has_a_stock_card(shop: Shop, lane: int) -> None:
    busy(shop)
    card = shop.get(f"/stock/HOT/main/movements?lane={lane}&order=asc").json()["items"]
    assert [item["version"] for item in card] == list(range(1, len(card) + 1))
    assert "PositionLanesSet" in {item["type"] for item in card}
    assert f"o{lane}" in {item["order_id"] for item in card}


def test_the_feed_answers_for_every_stream_it_names(shop: Shop) -> None:
    busy(shop)
    named = {item["stream"] for item in shop.get("/events?limit=1000").json()["items"]}
    assert "stock:HOT@main#3" in named
    for stream in named:
        told = shop.client.get("/v1/events", params={"stream": stream}).json()["items"]
        assert {item["stream"] for item in told} == {stream}


def test_an_adjustment_may_take_what_all_lanes_have_and_no_more(shop: Shop) -> None:
    wanted = busy(shop)
    line = {"sku": "HOT", "location": "main", "reason": "flood"}
    refused = shop.post("/adjustments", {**line, "delta": -wanted["available"] - 1})
    assert slug(refused) == "insufficient-stock"
    assert refused.json()["shortfalls"][0]["available"] == wanted["available"]
    (level,) = shop.post("/adjustments", {**line, "delta": -wanted["available"]}).json()["stock"]
    assert (level["available"], level["on_hand"]) == (0, 31)


def test_the_history_of_lanes_verifies(shop: Shop) -> None:
    busy(shop)
    split(shop, "HOT", 2)
    split(shop, "HOT", 1)
    report = verify(shop.ledger.recorder)
    assert report.ok, report.findings
