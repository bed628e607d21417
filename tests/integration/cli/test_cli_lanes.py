"""`ledger lanes` as an operator meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.support import error_of, run


@pytest.fixture(autouse=True)
def _stocked(tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    file.write_text("sku,location,quantity\nHOT,main,50\n")
    run("import", "--format", "stock-csv", file)


def rows(printed: str) -> list[list[str]]:
    return [line.split() for line in printed.splitlines() if line[:1].isdigit()]


def test_a_position_is_one_lane_until_it_is_split() -> None:
    assert rows(run("lanes", "HOT", "main").stdout) == [["0", "yes", "50", "0", "0", "0", "50"]]


def test_it_is_split_and_mended_and_what_it_has_is_shown() -> None:
    printed = run("lanes", "HOT", "main", "--count", 4).stdout
    assert [row[:3] for row in rows(printed)] == [
        ["0", "yes", "13"], ["1", "yes", "13"], ["2", "yes", "12"], ["3", "yes", "12"],
    ]  # fmt: skip
    assert printed.splitlines()[-1].split() == ["Together", "50", "0", "0", "0", "50"]
    printed = run("lanes", "HOT", "main", "--count", 1).stdout
    assert [row[:3] for row in rows(printed)] == [
        ["0", "yes", "50"], ["1", "no", "0"], ["2", "no", "0"], ["3", "no", "0"],
    ]  # fmt: skip
    run("verify")
    assert rows(run("stock", "HOT", "--csv").stdout) == []
    assert "HOT,main,50,0,0,0,50," in run("stock", "HOT", "--csv").stdout


def test_too_little_for_lanes_stays_gathered_and_says_so() -> None:
    printed = run("lanes", "HOT", "main", "--count", 16).stdout
    assert "Gathered" not in printed
    run("lanes", "HOT", "main", "--count", 1)
    run("lanes", "NEW", "main", "--count", 3)
    assert "Gathered" in run("lanes", "NEW", "main").stdout


def test_what_cannot_be_is_said_in_one_line() -> None:
    assert "nothing was recorded" in error_of("lanes", "NONE", "main")
    assert "can't be a SKU" in error_of("lanes", "a b", "main")
    assert "can't be a SKU" in error_of("lanes", "HOT", "main#1")
    run("lanes", "HOT", "main", "--count", 17, code=2)


def test_lanes_of_all_locations_fit_a_commit_and_one_always_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEDGER_LOCATIONS", ",".join(["main", *(f"L{n}" for n in range(9))]))
    assert "can have 8 lanes" in error_of("lanes", "HOT", "main", "--count", 9)
    run("lanes", "HOT", "main", "--count", 8)
    monkeypatch.setenv("LEDGER_LOCATIONS", ",".join(["main", *(f"L{n}" for n in range(99))]))
    assert rows(run("lanes", "HOT", "main", "--count", 1).stdout)[1][1] == "no"
