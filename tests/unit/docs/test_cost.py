"""The page of costs says what its data comes to; what it calls measured was measured."""

from __future__ import annotations

import re

import pytest

from docs import cost

PAGE = (cost.HERE / "cost.md").read_text(encoding="utf-8")
MODULE = (cost.HERE / "dynamodb-module.md").read_text(encoding="utf-8")


def write_units(operation: str) -> float:
    """What the benchmark measured, as the page on the module has it."""
    row = re.search(rf"^\| {re.escape(operation)} \| \d* \| (\d+) \|", MODULE, re.MULTILINE)
    assert row is not None
    return float(row[1])


def test_the_tables_are_what_the_data_comes_to() -> None:
    assert cost.filled(PAGE, cost.load()) == PAGE


def test_another_price_makes_another_page() -> None:
    data = cost.load()
    data["price"]["nat_hour"]["usd"] *= 2
    assert cost.filled(PAGE, data) != PAGE


def test_every_price_has_a_source_and_every_line_a_price() -> None:
    data = cost.load()
    sources = set(re.findall(r"^(\[\d+\]) ", PAGE, re.MULTILINE))
    assert {price["source"] for price in data["price"].values()} == sources
    assert {line["price"] for line in (*data["idle"], *data["order"])} <= set(data["price"])
    assert {line["basis"] for line in data["order"]} == {"measured", "counted", "assumed"}


def test_commits_cost_what_was_measured() -> None:
    commits = next(line for line in cost.load()["order"] if line["what"].startswith("commits"))
    receipt = write_units("receipt, 40 positions")
    order = write_units("order of 3 lines") + write_units("shipment of 3 lines")
    assert commits["units"] == pytest.approx(order + receipt / 100)
    # A transaction writes everything twice, a replica once.
    assert commits["replica"] == pytest.approx(commits["units"] / 2)


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for the table idle"):
        cost.filled("# What it costs\n", cost.load())
