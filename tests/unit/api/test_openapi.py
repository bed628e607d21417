"""The API's description: kept in the repository, complete, and true of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from api.app import routed_app
from api.auth import SCOPES
from api.gates import is_open
from api.openapi import document_text
from api.problems import MEDIA_TYPE

ROOT = Path(__file__).parents[3]
DOCUMENT: dict[str, Any] = routed_app().openapi()
OPERATIONS = [
    (method, path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def test_the_kept_description_is_the_present_one() -> None:
    kept = (ROOT / "docs/openapi.json").read_text(encoding="utf-8")
    why = "run: python -m api.openapi > docs/openapi.json"
    assert kept == document_text(), why


def test_it_is_printed_by_a_command() -> None:
    command = [sys.executable, "-m", "api.openapi"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    assert printed.decode() == document_text()


def test_operations_have_stable_ids_and_tags() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    found = {operation["operationId"]: f"{method} {path}" for method, path, operation in OPERATIONS}
    assert found == {
        "recordReceipts": "post /v1/receipts",
        "recordAdjustments": "post /v1/adjustments",
        "recordReturns": "post /v1/returns",
        "placeOrder": "post /v1/orders",
        "listOrders": "get /v1/orders",
        "getOrder": "get /v1/orders/{order_id}",
        "shipOrder": "post /v1/orders/{order_id}/shipments",
        "cancelOrder": "post /v1/orders/{order_id}/cancellation",
        "listStock": "get /v1/stock",
        "getStockLevel": "get /v1/stock/{sku}/{location}",
        "setPositionPolicy": "put /v1/stock/{sku}/{location}/policy",
        "listMovements": "get /v1/stock/{sku}/{location}/movements",
        "readEvents": "get /v1/events",
        "checkHealth": "get /healthz",
    }
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for _, path, operation in OPERATIONS:
        assert operation["tags"], path
        assert set(operation["tags"]) <= tags
        assert operation["summary"]
        assert operation["description"]


def test_every_answer_has_its_form() -> None:
    for method, path, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            where = (method, path, status)
            assert answer["description"], where
            if status == "304":
                assert "content" not in answer, where
                continue
            kinds = set(answer["content"])
            assert kinds == {MEDIA_TYPE} if status >= "400" else "application/json" in kinds, where
            assert all("schema" in body for body in answer["content"].values()), where


def test_every_change_wants_a_key_and_every_answer_can_be_told_apart() -> None:
    for method, path, operation in OPERATIONS:
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("Idempotency-Key" in names) == (method in {"post", "put"}), path


def test_every_operation_names_the_scope_it_wants() -> None:
    """A new operation that names none is found here, and so is one that is wide open."""
    wanted = {
        operation["operationId"]: [
            scope for one in operation["security"] for scope in one["bearer"]
        ]
        for _, path, operation in OPERATIONS
        if not is_open(path)
    }
    assert wanted == {
        "recordReceipts": ["stock:write"],
        "recordAdjustments": ["stock:write"],
        "recordReturns": ["stock:write"],
        "placeOrder": ["orders:write"],
        "listOrders": ["inventory:read"],
        "getOrder": ["inventory:read"],
        "shipOrder": ["orders:write"],
        "cancelOrder": ["orders:write"],
        "listStock": ["inventory:read"],
        "getStockLevel": ["inventory:read"],
        "setPositionPolicy": ["stock:write"],
        "listMovements": ["inventory:read"],
        "readEvents": ["inventory:read"],
    }
    unguarded = [operation for _, path, operation in OPERATIONS if is_open(path)]
    assert [operation["operationId"] for operation in unguarded] == ["checkHealth"]
    assert all("security" not in operation for operation in unguarded)
    (scheme,) = DOCUMENT["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert all(f"`{scope}`" in scheme["description"] for scope in SCOPES)


def test_what_is_guarded_says_how_it_refuses() -> None:
    for _, path, operation in OPERATIONS:
        answers = operation["responses"]
        assert is_open(path) or {"401", "403", "429", "503"} <= set(answers), path
        if not is_open(path):
            assert "WWW-Authenticate" in answers["401"]["headers"]
            assert "WWW-Authenticate" in answers["403"]["headers"]
            assert {"Retry-After", "RateLimit"} <= set(answers["429"]["headers"])


def test_nothing_of_fastapis_own_errors_is_left() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert not {"HTTPValidationError", "ValidationError"} & set(schemas)
    assert "ProblemOut" in schemas
