"""Orders of three lines through the service beside raw boto3 putting the same items.

The raw side knows what to put: no decision, no identity, no hash, no idempotency. It makes the same
requests under the same conditions, through the client anybody gets from `boto3.client`: only
endpoint and number of connections are set. (The service's client has its own settings, and writes
the bodies of transactions itself. That is a part of what is measured.)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from itertools import count, cycle
from statistics import median
from typing import Any

import boto3
from botocore.config import Config

from bench.dynamodb import ENGINES, Item, commits, on, open_ledger, order_rate, rate, stock_up
from bench.measured import Aim, Measured, Report, in_turns
from ledger.service import Ledger

ROUNDS = 11
SECONDS = 0.5
"""Of each side of a round."""
THREADS = (1, 8)


def run() -> Report:
    """One and eight threads, on both engines."""
    rows: list[Measured] = []
    for engine in ENGINES:
        with on(engine) as (endpoint, prefix):
            put = putting(endpoint, prefix, commits(endpoint, prefix))
            ledger = open_ledger(endpoint, prefix)
            stock_up(ledger)  # it knows every position from now on
            rows += [_row(engine, n, _rounds(ledger, put, n)) for n in THREADS]
    return Report(rows)


def _rounds(ledger: Ledger, put: Callable[[], object], threads: int) -> list[tuple[float, float]]:
    seeds = count(100 * threads)
    order_rate(ledger, threads, SECONDS, next(seeds))
    return in_turns(
        ROUNDS,
        lambda: order_rate(ledger, threads, SECONDS, next(seeds)),
        lambda: rate(threads, SECONDS, put),
    )


def putting(
    endpoint: str, prefix: str, transactions: Sequence[Sequence[Item]]
) -> Callable[[], object]:
    """Puts the items of one transaction after the other again, under other keys."""
    config = Config(max_pool_connections=max(THREADS))
    client = boto3.client("dynamodb", endpoint_url=endpoint, config=config)
    again = cycle(list(transactions))
    return lambda: client.transact_write_items(TransactItems=_request(prefix, next(again)))


def _row(engine: str, threads: int, pairs: Sequence[tuple[float, float]]) -> Measured:
    ours, raw = (median(pair[side] for pair in pairs) for side in (0, 1))
    what = f"order of 3 lines, {threads} thread{'s' * (threads > 1)}, {engine}"
    note = f"{ours:.0f} orders/s beside {raw:.0f}"
    ratios = [mine / other for mine, other in pairs]
    return Measured.of(
        what, "raw boto3, its defaults, putting the same 5 items", Aim("≥", 0.85), ratios, note
    )


def _request(prefix: str, items: Sequence[Item]) -> list[Any]:
    """The very items again, under other keys."""
    mark = uuid.uuid4().hex[:6]
    return [_put(prefix, item, mark) for item in items]


def _put(prefix: str, item: Item, mark: str) -> dict[str, Any]:
    key = "stream" if "stream" in item else "key"
    table = "events" if key == "stream" else "commands"
    return {
        "Put": {
            "TableName": f"{prefix}-{table}",
            "Item": {**item, key: {"S": f"{item[key]['S']}{mark}"}},
            "ConditionExpression": "attribute_not_exists(#k)",
            "ExpressionAttributeNames": {"#k": key},
        }
    }
