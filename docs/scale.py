"""Puts the tables of `scale.md` in place, computed from `scale.toml` and the prices of `cost.toml`.

Change a quota or an assumption in `scale.toml`, and run `python -m docs.scale`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from docs import cost
from docs.scale_simulation import Lag, lag

HERE: Final = Path(__file__).parent

Scale = dict[str, Any]
"""What `scale.toml` holds: quotas, what one order takes of them, and assumptions."""


class Stop(NamedTuple):
    """Something that ends at so many orders a second, by Region, and what is done about it."""

    what: str
    orders: dict[str, float]
    then: str


def load() -> Scale:
    """Quotas and assumptions as they are written down."""
    return tomllib.loads((HERE / "scale.toml").read_text(encoding="utf-8"))


def stops(scale: Scale) -> list[Stop]:
    """What stops where, the first one of the smallest Region first."""
    return sorted(_stops(scale), key=lambda stop: min(stop.orders.values()))


def _stops(scale: Scale) -> Iterator[Stop]:
    order, quota, design = ({k: v["value"] for k, v in scale[part].items()} for part in _PARTS)
    regions = scale["regions"]

    def everywhere(rate: float) -> dict[str, float]:
        return dict.fromkeys(regions, rate)

    yield Stop(
        "EventBridge invocations: an event that a rule sends to a queue",
        {name: each["invocations"] / order["messages"] for name, each in regions.items()},
        "deliveries are late, none is lost; raise the quota, or read the stream a second time",
    )
    yield Stop(
        "PutEvents, in tens",
        {
            name: each["put_events"] * quota["entries"] / order["events"]
            for name, each in regions.items()
        },
        "the relay tries again, the stream holds a day; raise the quota",
    )
    yield Stop(
        "requests at API Gateway, 500 a second",
        everywhere(design["api_requests"] / order["requests"]),
        "clients are told 429; raise `throttle` of the module `api_gateway`",
    )
    view_rate = design["consumer_concurrency"] * design["consumer_batch"]
    yield Stop(
        "the consumer of stock levels, ten functions at once",
        everywhere(view_rate / design["consumer_batch_seconds"] / order["stock_level_messages"]),
        "a queue grows; raise `maximum_concurrency`, up to 1,000",
    )
    yield Stop(
        "writes of the events' table while it is new",
        everywhere(quota["new_table_write"] / order["events_table_write"]),
        "doubles every half hour by itself; or set warm throughput before the day",
    )
    yield Stop(
        "the feed of all events",
        everywhere(design["feed_events"] / order["events"]),
        "lists of all events are late, nothing else waits for it; more feeds, by stream (ADR 12)",
    )
    functions = order["api_seconds"] + order["consumer_seconds"] + order["relay_seconds"]
    yield Stop(
        "functions at once, of an account",
        everywhere(quota["concurrency"] / functions),
        "clients are told 429 or 503; raise the quota",
    )
    yield Stop(
        "writes of the stock levels' table and its two indexes",
        everywhere(3 * quota["table_write"] / order["stock_level_write"]),
        "raise the quota of the table",
    )
    yield Stop(
        "writes of the events' table, fully grown",
        everywhere(quota["table_write"] / order["events_table_write"]),
        "raise the quota of the table; partitions follow by themselves",
    )


_PARTS: Final = ("order", "quota", "design")


def limits(scale: Scale) -> str:
    """What stops first."""
    rows = [
        [stop.what, *(f"{stop.orders[name]:,.0f}" for name in scale["regions"]), stop.then]
        for stop in stops(scale)
    ]
    return _rows(("orders a second", *scale["regions"], "then"), rows)


def positions(scale: Scale) -> str:
    """Commits a second on one position, by its lanes."""
    position, quota = scale["position"], scale["quota"]["partition_write"]["value"]
    one_after_other = 1 / position["commit_seconds"]["value"]
    partition = quota / position["write_units"]["value"]
    rows = [
        [
            str(lanes),
            f"{lanes * one_after_other:,.0f}",
            f"{partition:,.0f}",
            f"{lanes * partition:,.0f}",
        ]
        for lanes in position["lanes"]
    ]
    head = ("lanes", "one commit after the other", "all in one partition", "a partition each")
    return _rows(head, rows)


def shards(scale: Scale) -> str:
    """Partitions and shards by orders a second."""
    order, quota, design = ({k: v["value"] for k, v in scale[part].items()} for part in _PARTS)
    per_shard = quota["partition_write"] / 2
    relay = design["parallelization"] * design["relay_batch"] / design["relay_batch_seconds"]
    rows = []
    for rate in (1, 10, 100, 1_000, 10_000):
        units = rate * order["events_table_write"]
        least = max(1, -(-units // quota["partition_write"]))
        events = rate * order["events"]
        rows.append([f"{rate:,}", f"{units:,.0f}", f"{least:,.0f}", f"{events:,.0f}"])
    head = ("orders a second", "write units", "partitions and shards, at least", "events a second")
    told = (
        f"A shard brings {per_shard:,.0f} events a second at most (a transaction writes twice), "
        f"and a relay of {design['parallelization']} batches at once takes {relay:,.0f}."
    )
    return _rows(head, rows) + f"\n{told}\n"


def rebuilds(scale: Scale) -> str:
    """Time and cost of a rebuild of the stock levels."""
    rebuild, prices = scale["rebuild"], cost.load()["price"]
    read, write = (prices[kind]["usd"] / prices[kind]["per"] for kind in ("read", "write"))
    rows = []
    for events in rebuild["events"]:
        units = events * rebuild["read_units"]["value"]
        rows_written = events * rebuild["rows_share"]["value"] * rebuild["row_write"]["value"]
        gigabytes = events * rebuild["bytes"]["value"] / 1e9
        one = events / rebuild["events_a_second"]["value"]
        quota = max(
            units / scale["quota"]["table_read"]["value"],
            rows_written / scale["quota"]["table_write"]["value"],
        )
        many = max(one / rebuild["processes"], quota)
        rows.append(
            [
                f"{events:.0e}".replace("e+0", "e").replace("e+", "e"),
                _amount(gigabytes, "GB"),
                f"${gigabytes * prices['stored']['usd']:,.2f}",
                f"${units * read + rows_written * write:,.2f}",
                _span(max(one, quota)),
                _span(many),
                f"${gigabytes * rebuild['export_gb']['value']:,.2f}",
            ]
        )
    head = ("events", "size", "kept, a month", "a rebuild", "by one process")
    return _rows((*head, f"by {rebuild['processes']}", "an export to S3"), rows)


def lags(scale: Scale) -> str:
    """The simulated lag from commit to row."""
    rows = []
    for region in scale["regions"]:
        for rate in scale["lag"]["rates"]:
            found = lag(scale, region, rate)
            rows.append([region, f"{rate:,}", *map(_seconds, (found.p50, found.p99, found.p999))])
            rows[-1].append("falls behind" if falls_behind(found) else "keeps up")
    return _rows(("Region", "orders a second", "p50 s", "p99 s", "p99.9 s", ""), rows)


def falls_behind(found: Lag) -> bool:
    """Whether the lag grew while it was watched."""
    return found.growth > 1


def quotas(scale: Scale) -> str:
    """The quotas, and where each was found."""
    rows = [
        [each["unit"], f"{each['value']:,}", "yes" if each["adjustable"] else "no", each["source"]]
        for each in scale["quota"].values()
    ]
    for name, label in (
        ("put_events", "PutEvents a second"),
        ("invocations", "invocations a second"),
    ):
        for region, each in scale["regions"].items():
            rows.append([f"{label} in {region}", f"{each[name]:,}", "yes", "[4]"])
    return _rows(("quota", "value", "can be raised", "source"), rows)


TABLES: Final[dict[str, Callable[[Scale], str]]] = {
    "limits": limits,
    "positions": positions,
    "shards": shards,
    "rebuilds": rebuilds,
    "lags": lags,
    "quotas": quotas,
}


def filled(page: str, scale: Scale) -> str:
    """The page with each table between its marks."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended or begin in after:
            raise ValueError(f"scale.md has no one place for the table {name}")
        page = before + begin + table(scale) + end + after
    return page


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _amount(value: float, unit: str) -> str:
    return f"{value:,.1f} {unit}" if value < 100 else f"{value:,.0f} {unit}"


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


if __name__ == "__main__":
    PAGE = HERE / "scale.md"
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), load()), encoding="utf-8")
