"""Clients that buy one unit of a hot SKU, from threads and from whole processes.

Run as a program it is one such process: `python -m tests.support.buyers STORE NAME THREADS EACH`
waits for a line on its input, buys, and prints how many orders got which status.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from ledger.bootstrap import open_event_store
from ledger.errors import Contention
from ledger.service import Context, Idempotency, Ledger, OrderRequestLine, Outcome, PlaceOrder
from ledger.settings import Settings

T = TypeVar("T")
SKU = "hot"
BUY = PlaceOrder((OrderRequestLine(SKU, 1),))


def buy(ledger: Ledger, key: str) -> Outcome:
    """Buy one unit; a client that is told to come back does."""
    while True:
        try:
            return ledger.handle(BUY, Context("ann", Idempotency("orders", key)))
        except Contention:
            continue


def status(outcome: Outcome) -> str:
    """What became of the order."""
    assert outcome.order is not None
    return outcome.order.status.value


def at_once(deeds: Sequence[Callable[[], T]]) -> list[T]:
    """Do everything at the same moment, each in its own thread."""
    barrier = Barrier(len(deeds))

    def wait_and_do(deed: Callable[[], T]) -> T:
        barrier.wait()
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(wait_and_do, deeds))


def buy_many(ledger: Ledger, name: str, threads: int, each: int) -> Counter[str]:
    """Every thread buys `each` times; how many orders got which status."""

    def client(thread: int) -> list[str]:
        return [status(buy(ledger, f"{name}-{thread}-{n}")) for n in range(each)]

    deeds = [lambda thread=thread: client(thread) for thread in range(threads)]
    return Counter(found for client_found in at_once(deeds) for found in client_found)


def main(store: str, name: str, threads: str, each: str) -> None:
    """Be one process of buyers on the store that settings name so."""
    recorder = open_event_store(Settings(store=store))
    ledger = Ledger(recorder)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(buy_many(ledger, name, int(threads), int(each))), flush=True)
    recorder.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
