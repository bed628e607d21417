"""A client of the API, as a shop would write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.services import Services
from ledger.service import Ledger

MAIN = "main"


@dataclass(frozen=True)
class Shop:
    """The application over real stores. `settle` brings the views up to the events."""

    client: TestClient
    ledger: Ledger
    settle: Callable[[], None]

    @property
    def services(self) -> Services:
        """What the application works with."""
        app = self.client.app
        assert isinstance(app, FastAPI)
        services: Services = app.state.services
        return services

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """GET a path below `/v1`."""
        return self.client.get(f"/v1{path}", headers=_dashed(headers))

    def post(self, path: str, body: Any, key: str | None = None, **headers: str) -> httpx2.Response:
        """POST a body, under a fresh idempotency key unless one is given."""
        return self.send("POST", path, body, key, **headers)

    def send(
        self, method: str, path: str, body: Any, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        """Send a body with any method."""
        headers = {"Idempotency-Key": key or str(uuid4()), **_dashed(headers)}
        return self.client.request(method, f"/v1{path}", json=body, headers=headers)

    def receive(self, sku: str, quantity: int, location: str = MAIN) -> dict[str, Any]:
        """Receive goods; the position right after."""
        answer = self.post("/receipts", {"sku": sku, "location": location, "quantity": quantity})
        assert answer.status_code == 201, answer.text
        level: dict[str, Any] = answer.json()["stock"][0]
        return level

    def order(self, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
        """Place an order that must be accepted."""
        wanted = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
        answer = self.post("/orders", {"lines": wanted, **fields})
        assert answer.status_code in {201, 202}, answer.text
        order: dict[str, Any] = answer.json()
        return order

    def level(self, sku: str, location: str = MAIN) -> dict[str, Any]:
        """A position as its stream has it."""
        answer = self.get(f"/stock/{sku}/{location}?consistent=true")
        assert answer.status_code == 200, answer.text
        level: dict[str, Any] = answer.json()
        return level


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def slug(answer: httpx2.Response) -> str:
    """The kind of a problem answer, whose form is checked on the way."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    kind: str = problem["type"].removeprefix("urn:problem-type:inventory-ledger:")
    assert kind != problem["type"]
    return kind


def pointers(answer: httpx2.Response) -> list[str]:
    """Where in the body a problem points."""
    return [fault["pointer"] for fault in answer.json()["errors"] if "pointer" in fault]


def parameters(answer: httpx2.Response) -> list[str]:
    """The parameters and headers a problem names."""
    return [
        fault.get("parameter") or fault["header"]
        for fault in answer.json()["errors"]
        if "pointer" not in fault
    ]
