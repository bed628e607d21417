"""A small simulation of delivery: from a commit to the row of a view, where a formula won't do.

::

    commits ─► shards ─► relay ─► PutEvents (quota) ─► bus (quota) ─► queue ─► consumer ─► row

Every stage is a pass over what the one before let go, in the order of time: nothing downstream
holds up what is upstream of it. A row shows an event once that event *or a later one of its
stream* was applied: the version gate. So what overtakes on the bus does not wait for what it
overtook. Times are seconds; the same seed gives the same figures.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any, NamedTuple

SKUS = 2_000
LINES = 3


class Event(NamedTuple):
    """An event of a position, and the moment it reached some stage."""

    at: float
    committed: float
    stream: int
    version: int


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from commit to visible row that a share of the events did not exceed."""

    p50: float
    p99: float
    p999: float
    growth: float
    """How much more the last events lag than the first: above a second, a stage can't keep up."""


def lag(scale: dict[str, Any], region: str, orders: float) -> Lag:
    """The lag of stock levels at a steady rate of orders a second in a Region."""
    times = scale["lag"]
    draw = Random(times["seed"])  # noqa: S311 - no secret: the same figures every time
    quotas = scale["regions"][region]
    entries = int(scale["quota"]["entries"]["value"])
    per_message = (
        scale["order"]["messages"]["value"] / scale["order"]["stock_level_messages"]["value"]
    )
    shards = _shards(scale, orders)
    events = _committed(draw, orders, times["seconds"])
    relayed = _relay(scale, events, shards, quotas["put_events"] * entries, draw)
    bus = (
        event._replace(
            at=event.at + draw.lognormvariate(math.log(times["bus_median"]), times["bus_sigma"])
        )
        for event in _paced(relayed, quotas["invocations"] / per_message)
    )
    applied = _consume(scale, sorted(bus))
    return _told(applied, times["warm_up"])


def _shards(scale: dict[str, Any], orders: float) -> int:
    """One shard a partition: as many as the writes need, and those a new table has."""
    units = float(orders * scale["order"]["events_table_write"]["value"])
    return max(4, math.ceil(units / float(scale["quota"]["partition_write"]["value"])))


def _committed(draw: Random, orders: float, seconds: float) -> list[Event]:
    """Orders at random moments; popular SKUs far more often than others. Two commits an order."""
    versions: dict[int, int] = defaultdict(int)
    events, now = [], 0.0
    while (now := now + draw.expovariate(2 * orders)) < seconds:
        for stream in {int(SKUS * draw.random() ** 2) for _ in range(LINES)}:
            versions[stream] += 1
            events.append(Event(now, now, stream, versions[stream]))
    return events


def _relay(
    scale: dict[str, Any], events: Sequence[Event], shards: int, entries: float, draw: Random
) -> list[Event]:
    """Batches of every shard, some at once; each is polled for, and publishes in tens."""
    design, times = scale["design"], scale["lag"]
    batch, at_once = int(design["relay_batch"]["value"]), int(design["parallelization"]["value"])
    published: list[Event] = []
    by_lane: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in events:
        by_lane[event.stream % shards, event.stream // shards % at_once].append(event)
    for lane in by_lane.values():
        free, start = draw.random() * times["poll"], 0
        while start < len(lane):
            if lane[start].at > free:
                # Nothing was there: the next look is at a multiple of the poll.
                free += math.ceil((lane[start].at - free) / times["poll"]) * times["poll"]
            end = start
            while end < len(lane) and end - start < batch and lane[end].at <= free:
                end += 1
            free += times["relay_start"]
            for ten in range(start, end, 10):
                free += times["put_events"]
                published += [event._replace(at=free) for event in lane[ten : min(ten + 10, end)]]
            start = end
    return list(_paced(sorted(published), entries))


def _paced(events: Iterable[Event], rate: float) -> Iterable[Event]:
    """A quota: a bucket that holds what a second brings; what finds it empty waits its turn."""
    clock = 0.0
    for event in events:
        clock = max(clock + 1 / rate, event.at - 1)
        yield event._replace(at=max(event.at, clock))


def _consume(scale: dict[str, Any], waiting: Sequence[Event]) -> list[Event]:
    """A queue's mapping: batches of what is there, so many functions at once."""
    design, times = scale["design"], scale["lag"]
    batch = int(design["consumer_batch"]["value"])
    free = [0.0] * int(design["consumer_concurrency"]["value"])
    applied, start = [], 0
    while start < len(waiting):
        now = max(heapq.heappop(free), waiting[start].at + times["pickup"])
        end = start
        while end < len(waiting) and end - start < batch and waiting[end].at <= now:
            end += 1
        done = now + times["consume_start"] + (end - start) * times["consume_event"]
        heapq.heappush(free, done)
        applied += [event._replace(at=done) for event in waiting[start:end]]
        start = end
    return applied


def _told(applied: Sequence[Event], warm_up: float) -> Lag:
    """Lags behind the version gate."""
    by_stream: dict[int, list[Event]] = defaultdict(list)
    for event in applied:
        by_stream[event.stream].append(event)
    lags: list[tuple[float, float]] = []
    for events in by_stream.values():
        visible = math.inf
        for event in sorted(events, key=lambda e: -e.version):
            visible = min(visible, event.at)
            if event.committed >= warm_up:
                lags.append((event.committed, visible - event.committed))
    sizes = sorted(size for _, size in lags)
    in_order, part = [size for _, size in sorted(lags)], max(1, len(lags) // 20)
    growth = median(in_order[-part:]) - median(in_order[:part])
    return Lag(_at(sizes, 0.5), _at(sizes, 0.99), _at(sizes, 0.999), growth)


def _at(sizes: Sequence[float], share: float) -> float:
    return sizes[min(len(sizes) - 1, int(share * len(sizes)))]
