"""Faults are told in words, not in regular expressions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.wording import PATTERNS
from tests.support.shop import Shop, slug

ROOT = Path(__file__).parents[2]


def patterns_of(described: Any) -> Iterator[str]:
    if isinstance(described, dict):
        if isinstance(described.get("pattern"), str):
            yield described["pattern"]
        for part in described.values():
            yield from patterns_of(part)
    elif isinstance(described, list):
        for part in described:
            yield from patterns_of(part)


def test_every_pattern_of_the_api_has_words() -> None:
    described = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))

    assert set(patterns_of(described)) == set(PATTERNS)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/stock/M%20UG/main", "sku: Input should be letters, digits and . _ + - only"),
        ("/stock/A/main?as_of=yesterday", "such as 2026-11-02T08:00:00Z"),
        ("/stock/A/main?as_of=2026-02-30T00:00:00Z", "such as 2026-11-02T08:00:00Z"),
        ("/events?stream=MUG", "stream: Input should be stock:SKU@LOCATION or order:ORDER_ID"),
        (f"/stock?below={10**25}", "below: Input should be an integer in plain digits, at most 20"),
    ],
)
def test_a_wrong_parameter(shop: Shop, path: str, said: str) -> None:
    answer = shop.get(path)

    assert (answer.status_code, slug(answer)) == (400, "invalid-parameter")
    assert said in answer.json()["detail"]
    assert not re.search(r"pattern|\^", answer.text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sku": "Ä"}, "#/sku: Input should be letters, digits and . _ + - only"),
        ({"reference": "a\nb"}, "#/reference: Input should be on one line"),
        ({"unit_cost": 1, "currency": "gbp"}, "#/currency: Input should be three capital letters"),
        ({"colour": "red"}, "#/colour: There is no such field here"),
    ],
)
def test_a_wrong_field(shop: Shop, changes: dict[str, Any], said: str) -> None:
    answer = shop.post("/receipts", {"sku": "A", "location": "main", "quantity": 1, **changes})

    assert (answer.status_code, slug(answer)) == (422, "invalid-body")
    assert said in answer.json()["detail"]


def test_an_empty_body(shop: Shop) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = shop.client.post("/v1/receipts", content=b"", headers=headers)

    assert answer.json()["detail"] == "#: A body is required: a JSON object"


def test_what_a_missing_position_is_called(shop: Shop) -> None:
    shop.post("/receipts", {"sku": "A", "location": "main", "quantity": 1})

    card = shop.get("/stock/A/main/movements?lane=5").json()["detail"]
    then = shop.get("/stock/A/main?as_of=2020-01-01T00:00:00+01:00").json()["detail"]

    assert card == "Nothing was recorded for A at main, lane 5."
    assert then == "Nothing was recorded for A at main by 2019-12-31T23:00:00.000000Z."
