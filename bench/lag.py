"""From commit to the row of a view, by `ledger pump`, beside a bare loop that reads the stream.

The bare loop asks the stream for records as often as the pump does, and notes when it sees the
order; it decodes nothing, queues nothing and writes nothing. Both wait for the same commits.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Final, NamedTuple

from bench.dynamodb import SKUS, context, on, open_ledger, order, stock_up
from bench.measured import Measured, Report
from bench.soak import quantile
from ledger.service import Ledger
from ledger.settings import Settings
from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_stream_access import stream_arn, streams_client_beside
from ledger.store.tables import full_name
from projections.bootstrap import open_from_settings
from projections.pump.pump import POLL_SECONDS
from projections.readers import Orders

ROUNDS: Final = 9
COMMITS: Final = 10
"""Of a round."""

LOOK_SECONDS: Final = 0.004
PATIENCE: Final = 60.0


class Lag(NamedTuple):
    """Milliseconds after the answer to a commit."""

    row: float
    """Until the view's row was there."""
    seen: float
    """Until the bare loop had the record."""


def run() -> Report:
    """Commits one at a time, at random moments of either loop."""
    with on("ministack") as (endpoint, prefix):
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        try:
            rounds = _rounds(endpoint, prefix)
        finally:
            del os.environ["AWS_ENDPOINT_URL"]
    told = [lag for each in rounds for lag in each]
    ours, bare = (
        " / ".join(f"{quantile([lag[side] for lag in told], q):.0f}" for q in (0.5, 0.99))
        for side in (0, 1)
    )
    row = Measured.of(
        "commit → row of a view visible, ledger pump on MiniStack",
        f"a bare GetRecords loop every {1000 * POLL_SECONDS:.0f} ms",
        None,
        [median(lag.row for lag in each) / median(lag.seen for lag in each) for each in rounds],
        f"p50 / p99: {ours} ms beside {bare} ms, {len(told)} commits",
    )
    return Report([row])


def _rounds(endpoint: str, prefix: str) -> list[list[Lag]]:
    ledger = open_ledger(endpoint, prefix)
    projections = open_from_settings(ledger.recorder, Settings(store=f"dynamodb:{prefix}"))
    draw = Random(1)
    with _pump(prefix), _Bare(endpoint, prefix) as bare:
        stock_up(ledger)
        for _ in range(COMMITS):
            _lag(ledger, projections.orders, bare, draw)
        return [
            [_lag(ledger, projections.orders, bare, draw) for _ in range(COMMITS)]
            for _ in range(ROUNDS)
        ]


def _lag(ledger: Ledger, orders: Orders, bare: _Bare, draw: Random) -> Lag:
    time.sleep(draw.random() * POLL_SECONDS)
    order_id = f"L-{uuid.uuid4().hex}"
    ledger.handle(order(draw.sample(range(SKUS), 3), order_id), context())
    began = time.perf_counter()
    while orders.get(order_id) is None:
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError(f"no row of {order_id} after {PATIENCE:g} s")
        time.sleep(LOOK_SECONDS)
    visible = time.perf_counter()
    # Seen before the answer to the commit was: as good as at once.
    return Lag(1000 * (visible - began), max(1.0, 1000 * (bare.wait(order_id) - began)))


@contextmanager
def _pump(prefix: str) -> Iterator[None]:
    command = [str(Path(sys.executable).with_name("ledger")), "pump", "--store"]
    with subprocess.Popen(
        [*command, f"dynamodb:{prefix}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()


class _Bare:
    """Reads a table's stream in a thread, and notes when it saw which order."""

    def __init__(self, endpoint: str, prefix: str) -> None:
        client = make_client(endpoint)
        self._client = streams_client_beside(client)
        self._arn = stream_arn(client, full_name(prefix, "events"))
        self._seen: dict[str, float] = {}
        self._came = threading.Condition()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> _Bare:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def wait(self, order_id: str) -> float:
        """When the order was seen."""
        with self._came:
            if not self._came.wait_for(lambda: order_id in self._seen, PATIENCE):
                raise RuntimeError(f"{order_id} is not in the stream")
            return self._seen[order_id]

    def _read(self) -> None:
        iterators = self._iterators()
        while not self._ended.wait(POLL_SECONDS):
            for shard, iterator in iterators.items():
                answer = self._client.get_records(ShardIterator=iterator)
                self._note([one["dynamodb"]["Keys"]["stream"]["S"] for one in answer["Records"]])
                iterators[shard] = answer["NextShardIterator"]

    def _iterators(self) -> dict[str, str]:
        shards = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        return {
            shard["ShardId"]: self._client.get_shard_iterator(
                StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
            )["ShardIterator"]
            for shard in shards
        }

    def _note(self, streams: Sequence[str]) -> None:
        now = time.perf_counter()
        with self._came:
            for stream in streams:
                self._seen.setdefault(stream.removeprefix("order:"), now)
            self._came.notify_all()
