"""The feed of events."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.support.shop import Shop, parameters, slug


def test_the_feed_tells_all_that_happened_in_order(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 2), order_id="SO-1")
    body = shop.get("/events").json()
    events = body["items"]
    assert [(e["stream"], e["version"], e["type"]) for e in events] == [
        ("stock:MUG@main", 1, "StockReceived"),
        ("order:SO-1", 1, "OrderPlaced"),
        ("stock:MUG@main", 2, "StockReserved"),
    ]
    assert [e["position"] for e in events] == sorted({e["position"] for e in events})
    assert body["next"] == events[-1]["position"]
    first, placed, reserved = events
    assert (first["prev"], reserved["prev"]) == ("", first["hash"])
    assert placed["command"] == reserved["command"]
    assert reserved["data"]["balance"]["reserved"] == 2
    assert set(first) == {
        "position",
        "stream",
        "version",
        "type",
        "schema",
        "id",
        "at",
        "command",
        "actor",
        "region",
        "data",
        "prev",
        "hash",
    }


def test_the_feed_is_followed_by_asking_again(shop: Shop) -> None:
    assert shop.get("/events").json() == {"items": [], "next": 0}
    for _ in range(3):
        shop.receive("MUG", 1)
    first = shop.get("/events?limit=2")
    assert len(first.json()["items"]) == 2
    second = shop.client.get(first.links["next"]["url"]).json()
    assert [e["version"] for e in second["items"]] == [3]
    end = shop.get(f"/events?after={second['next']}").json()
    assert end == {"items": [], "next": second["next"]}
    shop.receive("MUG", 1)
    assert [e["version"] for e in shop.get(f"/events?after={end['next']}").json()["items"]] == [4]


def test_one_stream_alone(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.receive("CUP", 5)
    shop.receive("MUG", 5)
    only = shop.get("/events?stream=stock:MUG@main&after=1").json()
    assert [(e["stream"], e["version"]) for e in only["items"]] == [("stock:MUG@main", 2)]
    assert shop.get("/events?stream=order:NONE").json()["items"] == []


def test_the_feed_as_csv_holds_data_as_json(shop: Shop) -> None:
    shop.receive("MUG", 5)
    answer = shop.get("/events", Accept="text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert json.loads(row["data"]) == shop.get("/events").json()["items"][0]["data"]
    assert answer.headers["Next-Cursor"] == row["position"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("after=9223372036854775808", "after"),
        ("after=" + "9" * 5000, "after"),
        ("limit=1001", "limit"),
        ("limit=0", "limit"),
        ("stream=MUG", "stream"),
        ("stream=stock:MUG", "stream"),
        ("stream=order:a@b", "stream"),
    ],
)
def test_a_wrong_query_is_told_which(shop: Shop, query: str, name: str) -> None:
    refused = shop.get(f"/events?{query}")
    assert (refused.status_code, slug(refused)) == (400, "invalid-parameter")
    assert parameters(refused) == [name]
