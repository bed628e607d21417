"""The table of the benchmarks: what it calls reached, and what it is put together of. No times."""

from __future__ import annotations

import json
from importlib import import_module
from inspect import signature
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from bench.__main__ import NAMES
from bench.castore import HERE
from bench.measured import Aim, Measured, Report, in_turns, table_of
from bench.soak import quantile


@pytest.mark.parametrize(
    ("aim", "ratios", "verdict"),
    [
        (Aim("≥", 1.15), [1.2, 1.3, 1.16], "reached"),
        (Aim("≥", 1.15), [1.2, 1.3, 1.0], "reached by the median"),
        (Aim("≥", 1.15), [1.1, 1.3, 1.0], "missed"),
        (Aim("≤", 1.3), [1.3, 1.2, 0.9], "reached"),
        (Aim("≤", 1.3), [1.4, 1.5, 0.9], "missed"),
        (None, [0.1], "stated"),
    ],
)
def test_a_verdict_is_of_the_median_and_says_if_a_round_differs(
    aim: Aim | None, ratios: list[float], verdict: str
) -> None:
    assert Measured.of("this", "that", aim, ratios).verdict == verdict


def test_the_table_has_a_row_for_every_measurement() -> None:
    rows = [Measured.of("this", "that", None, [1.0, 2.0, 4.0]), Measured.of("it", "", None, [1])]
    table = table_of(rows)
    assert table.row_count == 2
    assert next(iter(table.columns[3].cells)) == "2.00 (1.00 to 4.00)"


def test_each_side_goes_first_every_other_time() -> None:
    turn = count()
    pairs = in_turns(4, lambda: next(turn), lambda: next(turn))
    assert pairs == [(0, 1), (3, 2), (4, 5), (7, 6)]


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 0.999))
def test_a_quantile_is_not_exceeded_by_its_share(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert sum(value <= found for value in values) >= share * len(values)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_runs_something(name: str) -> None:
    run = import_module(NAMES[name]).run
    returned = signature(run, eval_str=True).return_annotation
    assert returned in (Report, Table)
    assert all(p.default is not p.empty for p in signature(run).parameters.values())


def test_the_lock_of_castore_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    package = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    for name, locked in lock["packages"].items():
        assert "resolved" not in locked
        assert not name or locked["integrity"].startswith("sha512-")
