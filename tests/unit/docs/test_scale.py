"""The page on scale says what its data comes to; what it takes from other pages is theirs."""

from __future__ import annotations

import re

import pytest

from docs import cost, scale
from docs.scale_simulation import lag

PAGE = (scale.HERE / "scale.md").read_text(encoding="utf-8")


def test_the_tables_are_what_the_data_comes_to() -> None:
    assert scale.filled(PAGE, scale.load()) == PAGE


def test_another_quota_makes_another_page() -> None:
    data = scale.load()
    data["regions"]["ap-southeast-4"]["invocations"] *= 2
    assert scale.filled(PAGE, data) != PAGE


def test_every_quota_has_a_source() -> None:
    sources = set(re.findall(r"^(\[\d+\]) ", PAGE, re.MULTILINE))
    used = {each["source"] for each in scale.load()["quota"].values()}
    assert used <= sources


def test_an_order_is_the_one_of_the_costs() -> None:
    order, lines = scale.load()["order"], cost.load()["order"]
    by_start = {line["what"].split(":")[0]: line for line in lines}
    commits = order["events_table_write"]["value"] + order["commands_table_write"]["value"]
    assert commits == pytest.approx(by_start["commits"]["units"])
    assert order["events"]["value"] == by_start["events on the bus"]["units"]
    assert order["stock_level_write"]["value"] == by_start["stock_levels"]["units"]
    assert str(order["messages"]["value"]) in by_start["messages"]["what"]


def test_the_summary_names_what_stops_first() -> None:
    first = scale.stops(scale.load())[0]
    assert f"at {first.orders['ap-southeast-4']:.0f} orders a second in" in PAGE
    assert f"and {first.orders['ap-southeast-2']:.0f} in ap-southeast-2" in PAGE


def test_the_same_seed_gives_the_same_lag() -> None:
    data = scale.load()
    assert lag(data, "us-east-1", 10) == lag(data, "us-east-1", 10)


@pytest.mark.parametrize("region", ["ap-southeast-4", "ap-southeast-2", "us-east-1"])
def test_the_simulation_falls_behind_where_the_table_says_so(region: str) -> None:
    data = scale.load()
    data["lag"]["seconds"] = 20
    # The feed and the writes are in neither; what the simulation has are these two.
    ends = min(stop.orders[region] for stop in scale.stops(data) if _is_simulated(stop.what))
    assert not scale.falls_behind(lag(data, region, 0.7 * ends))
    assert scale.falls_behind(lag(data, region, 1.7 * ends))


def _is_simulated(what: str) -> bool:
    return "invocations" in what or "PutEvents" in what or "consumer" in what


def test_a_slower_bus_makes_a_longer_lag() -> None:
    data = scale.load()
    before = lag(data, "us-east-1", 10)
    data["lag"]["bus_median"] *= 4
    after = lag(data, "us-east-1", 10)
    assert after.p50 > before.p50


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no one place for the table limits"):
        scale.filled("# How far it goes\n", scale.load())
