"""The application as a server runs it: views and large orders move by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.testclient import TestClient

from api.bootstrap import app_from_settings
from ledger.settings import Settings

PATIENCE_SECONDS = 20.0


def _eventually(ask: Callable[[], Any], expected: object) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := ask()) != expected and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found == expected


def test_views_follow_and_large_orders_are_finished(tmp_path: Path) -> None:
    app = app_from_settings(Settings(store=f"sqlite:{tmp_path}/ledger.db"))
    with TestClient(app) as client:
        for part in range(2):
            lines = [
                {"sku": f"S{60 * part + n}", "location": "main", "quantity": 5} for n in range(60)
            ]
            receipt = client.post(
                "/v1/receipts", json={"lines": lines}, headers={"Idempotency-Key": f"r{part}"}
            )
            assert receipt.status_code == 201
        seen = client.get("/v1/stock/S7/main?min_version=1")
        assert (seen.status_code, seen.json()["on_hand"]) == (200, 5)
        wanted = [{"sku": f"S{n}", "quantity": 1} for n in range(120)]
        placed = client.post(
            "/v1/orders",
            json={"order_id": "BIG", "lines": wanted},
            headers={"Idempotency-Key": "o"},
        )
        assert placed.status_code == 202
        where = placed.headers["Location"]
        _eventually(lambda: client.get(where).json()["status"], "allocated")
        _eventually(lambda: client.get("/v1/orders").json()["items"][0]["reserved"], 120)


def test_history_and_cursors_outlast_the_process(tmp_path: Path) -> None:
    settings = Settings(
        store=f"sqlite:{tmp_path}/ledger.db", cursor_secret=SecretStr("the same on every one")
    )
    line = {"location": "main", "quantity": 5}
    with TestClient(app_from_settings(settings)) as client:
        lines = [{"sku": sku, **line} for sku in ("CUP", "MUG", "TIN")]
        client.post("/v1/receipts", json={"lines": lines}, headers={"Idempotency-Key": "k"})
        _eventually(lambda: len(client.get("/v1/stock").json()["items"]), 3)
        cursor = client.get("/v1/stock?limit=2").json()["next"]
    with TestClient(app_from_settings(settings)) as client:
        page = client.get(f"/v1/stock?limit=2&after={cursor}").json()
        assert [(item["sku"], item["on_hand"]) for item in page["items"]] == [("TIN", 5)]
