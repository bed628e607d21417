"""The examples of the API's description are true: sent in order, they do what they say."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from tests.support.shop import Shop


def _examples(shop: Shop, method: str, path: str) -> list[Any]:
    assert isinstance(shop.client.app, FastAPI)
    operation = shop.client.app.openapi()["paths"][path][method]
    content = operation["requestBody"]["content"]["application/json"]
    return [example["value"] for example in content["examples"].values()]


def _example(shop: Shop, method: str, path: str, name: str) -> Any:
    assert isinstance(shop.client.app, FastAPI)
    operation = shop.client.app.openapi()["paths"][path][method]
    (found,) = [p for p in operation["parameters"] if p["name"] == name]
    schema = found["schema"]
    return schema["examples"][0] if "examples" in schema else found["example"]


def test_examples_work_as_they_stand(shop: Shop) -> None:
    for what in ("receipts", "adjustments", "returns"):
        for body in _examples(shop, "post", f"/v1/{what}"):
            assert shop.post(f"/{what}", body).status_code == 201, body
    (order,) = _examples(shop, "post", "/v1/orders")
    order_id = _example(shop, "get", "/v1/orders/{order_id}", "order_id")
    assert shop.post("/orders", {**order, "order_id": order_id}).status_code == 201
    for what in ("shipments", "cancellation"):
        (body,) = _examples(shop, "post", f"/v1/orders/{{order_id}}/{what}")
        if_match = _example(shop, "post", f"/v1/orders/{{order_id}}/{what}", "If-Match")
        answer = shop.post(f"/orders/{order_id}/{what}", body, If_Match=if_match)
        assert answer.status_code == 201, answer.text
    position = "/v1/stock/{sku}/{location}"
    sku, location = (_example(shop, "get", position, name) for name in ("sku", "location"))
    (policy,) = _examples(shop, "put", f"{position}/policy")
    assert shop.send("PUT", f"/stock/{sku}/{location}/policy", policy).status_code == 200
    shop.settle()
    assert shop.get(f"/stock/{sku}/{location}").json()["low_stock_threshold"] == 5
    stream = _example(shop, "get", "/v1/events", "stream")
    assert shop.get(f"/events?stream={stream}").json()["items"]
