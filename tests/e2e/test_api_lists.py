"""Lists: of stock and of orders, page by page, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.support.shop import Shop, parameters, slug


def _stocked(shop: Shop) -> None:
    for sku, location, quantity in (
        ("CUP", "main", 1),
        ("MUG", "annex", 2),
        ("MUG", "main", 30),
        ("TIN", "main", 4),
    ):
        shop.receive(sku, quantity, location)
    shop.settle()


def _places(answer: Any) -> list[tuple[str, str]]:
    return [(item["sku"], item["location"]) for item in answer.json()["items"]]


def test_stock_is_listed_with_totals_per_sku(shop: Shop) -> None:
    _stocked(shop)
    everything = shop.get("/stock")
    assert _places(everything) == [
        ("CUP", "main"),
        ("MUG", "annex"),
        ("MUG", "main"),
        ("TIN", "main"),
    ]
    totals = everything.json()["totals"]
    assert totals["MUG"] == {
        "on_hand": 32,
        "reserved": 0,
        "backordered": 0,
        "damaged": 0,
        "available": 32,
        "positions": 2,
    }
    assert everything.headers["Applied-To"] == everything.json()["applied_to"]
    assert everything.headers["Vary"] == "Accept"
    assert _places(shop.get("/stock?sku=MUG&location=main")) == [("MUG", "main")]
    below = shop.get("/stock?below=4")
    assert _places(below) == [("CUP", "main"), ("MUG", "annex")]
    assert below.json()["totals"]["MUG"]["on_hand"] == 32
    assert _places(shop.get("/stock?below=0")) == []


def test_stock_is_paged_and_cursors_hold_where_they_were_given(shop: Shop) -> None:
    _stocked(shop)
    first = shop.get("/stock?limit=2&location=main")
    assert _places(first) == [("CUP", "main"), ("MUG", "main")]
    cursor = first.json()["next"]
    second = shop.client.get(first.links["next"]["url"])
    assert (_places(second), second.json()["next"]) == ([("TIN", "main")], None)
    assert shop.get(f"/stock?location=main&after={cursor}").status_code == 200
    for path in (
        f"/stock?after={cursor}",
        f"/stock?location=annex&after={cursor}",
        f"/orders?after={cursor}",
        f"/stock/MUG/main/movements?after={cursor}",
        f"/stock?location=main&after={cursor[:-1]}{'A' if cursor[-1] != 'A' else 'B'}",
        f"/stock?location=main&after={cursor}x",
    ):
        refused = shop.get(path)
        assert (refused.status_code, slug(refused)) == (400, "invalid-parameter"), path
        assert parameters(refused) == ["after"]


def test_lists_come_as_csv_with_the_same_columns(shop: Shop) -> None:
    _stocked(shop)
    answer = shop.get("/stock?limit=3", Accept="text/csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Next-Cursor"] == shop.get("/stock?limit=3").json()["next"]
    assert 'rel="next"' in answer.headers["Link"]
    assert answer.headers["Applied-To"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    items = shop.get("/stock?limit=3").json()["items"]
    assert list(rows[0]) == list(items[0])
    assert rows == [
        {name: "" if value is None else str(value) for name, value in item.items()}
        for item in items
    ]


@pytest.mark.parametrize("path", ["/orders", "/events", "/stock", "/stock/MUG/main/movements"])
def test_every_list_negotiates(shop: Shop, path: str) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 1))
    shop.settle()
    for accept, kind in (
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.5, text/csv", "text/csv"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("*/*", "application/json"),
        ("application/*, text/csv;q=0", "application/json"),
    ):
        answer = shop.get(path, Accept=accept)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind), accept
    items = shop.get(path).json()["items"]
    columns = shop.get(path, Accept="text/csv").text.splitlines()[0].split(",")
    assert columns == list(items[0])
    refused = shop.get(path, Accept="application/xml")
    assert (refused.status_code, slug(refused)) == (406, "not-acceptable")


def test_text_that_looks_like_a_formula_is_made_harmless_in_csv(shop: Shop) -> None:
    shop.receive("MUG", 5)
    shop.order(("MUG", 1), customer='=HYPERLINK("http://x","y")')
    shop.settle()
    (row,) = csv.DictReader(io.StringIO(shop.get("/orders", Accept="text/csv").text))
    assert row["customer"] == '\'=HYPERLINK("http://x","y")'
    assert shop.get("/orders").json()["items"][0]["customer"].startswith("=")


def test_orders_are_listed_newest_first(shop: Shop) -> None:
    shop.receive("MUG", 10)
    for number, customer in enumerate(("ann", "bob", "ann"), 1):
        shop.order(("MUG", number), order_id=f"SO-{number}", customer=customer)
    shop.post("/orders/SO-1/shipments", {})
    shop.settle()
    everything = shop.get("/orders")
    assert [order["order_id"] for order in everything.json()["items"]] == ["SO-3", "SO-2", "SO-1"]
    assert everything.json()["next"] is None
    assert everything.headers["Applied-To"] == everything.json()["applied_to"]
    first = everything.json()["items"][0]
    assert (first["line_count"], first["reserved"], first["status"]) == (1, 3, "allocated")
    assert first["placed_at"] == first["updated_at"]
    of_ann = shop.get("/orders?customer=ann&status=allocated").json()["items"]
    assert [order["order_id"] for order in of_ann] == ["SO-3"]


def test_orders_are_paged(shop: Shop) -> None:
    shop.receive("MUG", 10)
    for number in range(5):
        shop.order(("MUG", 1), order_id=f"SO-{number}")
    shop.settle()
    seen, path = [], "/v1/orders?limit=2"
    for _ in range(3):
        answer = shop.client.get(path)
        seen.append([order["order_id"] for order in answer.json()["items"]])
        if "next" not in answer.links:
            break
        assert answer.headers["Next-Cursor"] == answer.json()["next"]
        path = answer.links["next"]["url"]
    assert seen == [["SO-4", "SO-3"], ["SO-2", "SO-1"], ["SO-0"]]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=lost", "status"),
        ("customer=", "customer"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=1_0", "limit"),
        ("limit=1.0", "limit"),
        ("limit=%201", "limit"),
        ("after=x", "after"),
        ("after=", "after"),
        ("after=%C3%BC", "after"),
    ],
)
def test_a_wrong_query_is_told_which(shop: Shop, query: str, name: str) -> None:
    refused = shop.get(f"/orders?{query}")
    assert (refused.status_code, slug(refused)) == (400, "invalid-parameter")
    assert parameters(refused) == [name]
