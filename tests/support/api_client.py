"""A client of the API that uses all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi.testclient import TestClient

MANY: Final = 100
"""Positions of an order that takes more than one commit."""


@dataclass
class Client:
    """Somebody who asks everything twice, as clients do whose line is bad."""

    http: TestClient
    asked: int = 0

    def send(self, method: str, path: str, body: Any = None) -> None:
        """Ask, and be answered in the same way twice."""
        self.asked += 1
        headers = {} if body is None else {"Idempotency-Key": f"k{self.asked}"}
        for _ in range(2):
            answer = self.http.request(method, path, json=body, headers=headers)
            assert answer.status_code in {200, 201, 202, 404, 409}, (path, answer.text)

    def trade(self) -> None:
        """Every command, and orders that are refused, wait, fall due, and take many steps."""
        stock = [{"sku": f"S{n}", "location": "main", "quantity": 5} for n in range(MANY)]
        wanted = [{"sku": f"S{n}", "quantity": 1} for n in range(MANY)]
        self.send("POST", "/v1/receipts", {"lines": stock[: MANY // 2]})
        self.send("POST", "/v1/receipts", {"lines": stock[MANY // 2 :]})
        self.send("PUT", "/v1/stock/S0/main/policy", {"low_stock_threshold": 5})
        lost = {"sku": "S0", "location": "main", "delta": -1, "reason": "lost"}
        self.send("POST", "/v1/adjustments", lost)
        self.send("POST", "/v1/returns", {**stock[0], "quantity": 1})
        orders: dict[str, dict[str, Any]] = {
            "SMALL": {"lines": wanted[:2]},
            "BRIEF": {"lines": wanted[:1], "reservation_ttl_seconds": 1},
            "GONE": {"lines": wanted[:1]},
            "REFUSED": {"lines": [{"sku": "S0", "quantity": 999}]},
            "WAITS": {"lines": [{"sku": "S1", "quantity": 99}], "policy": "backorder"},
            "LARGE": {"lines": wanted, "policy": "partial"},
        }
        for order_id, order in orders.items():
            self.send("POST", "/v1/orders", {"order_id": order_id, **order})
        self.send("POST", "/v1/orders/SMALL/shipments", {})
        self.send("POST", "/v1/orders/GONE/cancellation", {})
        self.send("POST", "/v1/receipts", {**stock[1], "quantity": 500})

    def be_refused(self, sku: str) -> None:
        """Order more of something than there is."""
        self.send("POST", "/v1/orders", {"lines": [{"sku": sku, "quantity": 999}]})

    def look(self) -> None:
        """Every query."""
        for path in (
            "/healthz",
            "/v1/stock",
            "/v1/stock?limit=1&below=5",
            "/v1/stock?location=main",
            "/v1/stock/S0/main",
            "/v1/stock/S0/main?consistent=true",
            "/v1/stock/S0/main?as_of=2026-01-01T00:00:00Z",
            "/v1/stock/S0/main/movements",
            "/v1/stock/S0/main/movements?order=asc",
            "/v1/orders",
            "/v1/orders?status=allocated",
            "/v1/orders?customer=nobody",
            "/v1/orders/SMALL",
            "/v1/events",
            "/v1/events?stream=order:SMALL",
        ):
            self.send("GET", path)
