"""Processes that buy at the same time: one warm client each, with one order under way.

Run as a program it is one of them: `python -m bench.hot_buyers STORE` reads what to do, line by
line (see `Buyers.buy`), until there is nothing more to read. A buyer goes through the service with
its own retries: what is `busy` would be a 503 of the API.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO, Any, Final, Self

from eventsourcing.persistence import StoredEvent

from bench.dynamodb import context
from ledger.bootstrap import open_event_store
from ledger.domain.order import OrderStatus
from ledger.errors import Contention
from ledger.service import Ledger, OrderRequestLine, PlaceOrder
from ledger.settings import Settings
from ledger.store.base import LedgerRecorder
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_items import item_size

PROCESSES: Final = 8


@dataclass
class Bought:
    """What one process came to.

    Parameters
    ----------
    sold
        Orders that got what they asked for, the first one included.
    busy
        Orders that were told to come back: every try met another commit.
    tries
        How often the store was asked to append.
    units, stood
        Write units of all transactions that were sent, and of those that stood. The answer to a
        cancelled one doesn't say what it consumed; a failed condition consumes what the write
        would have (developer guide, "read and write operations"), so they are counted alike.
    milliseconds
        Each order's time, without the first one's.
    """

    sold: int = 0
    busy: int = 0
    tries: int = 0
    units: int = 0
    stood: int = 0
    milliseconds: list[float] = field(default_factory=list)

    @classmethod
    def together(cls, told: Sequence[Self]) -> Self:
        """What several came to."""
        sums = {name: sum(getattr(one, name) for one in told) for name in COUNTED}
        return cls(**sums, milliseconds=[ms for one in told for ms in one.milliseconds])


COUNTED: Final = ("sold", "busy", "tries", "units", "stood")


class Buyers:
    """Processes that are running, and wait for what to buy."""

    def __init__(self, processes: Sequence[subprocess.Popen[str]]) -> None:
        self._processes = processes

    def buy(self, skus: Sequence[str], seconds: float) -> list[Bought]:
        """Let each order one of its SKU again and again for so long, or until one is refused.

        Each orders once before, and all begin when all have done that. Of fewer SKUs than there
        are processes, each has one, and the others wait.

        Raises
        ------
        RuntimeError
            A process ended.
        """
        processes = self._processes[: len(skus)]
        for process, sku in zip(processes, skus, strict=True):
            _tell(process, f"{sku} {seconds}")
        for process in processes:
            _hear(process)
        for process in processes:
            _tell(process, "go")
        return [Bought(**json.loads(_hear(process))) for process in processes]


@contextmanager
def buyers(
    store: str, environment: Mapping[str, str] | None = None, auto_lanes: int = 1
) -> Iterator[Buyers]:
    """Eight processes on the store that settings name so, ready to buy."""
    command = [sys.executable, "-m", "bench.hot_buyers", store, str(auto_lanes)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ExitStack() as running:
        processes = [
            running.enter_context(
                subprocess.Popen(command, env={**os.environ, **(environment or {})}, **pipes)
            )
            for _ in range(PROCESSES)
        ]
        for process in processes:
            _hear(process)
        yield Buyers(processes)


def _tell(process: subprocess.Popen[str], line: str) -> None:
    stdin: IO[str] | None = process.stdin
    assert stdin is not None, "it was started with a pipe"
    stdin.write(f"{line}\n")
    stdin.flush()


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None, "it was started with a pipe"
    line = process.stdout.readline()
    if not line:
        msg = "a buyer ended"
        raise RuntimeError(msg)
    return line


class _Counting:
    """Counts what a recorder is asked to append, and what that costs."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        self.bought = Bought()
        self._asked = 0
        insert = recorder.insert_events

        def counted(events: Sequence[StoredEvent], **more: Any) -> Sequence[int] | None:
            self.bought.tries += 1
            return insert(events, **more)

        recorder.insert_events = counted  # type: ignore[method-assign,assignment]
        if isinstance(recorder, DynamoDBLedgerRecorder):
            events = recorder.tables.client.meta.events
            events.register("provide-client-params.dynamodb.TransactWriteItems", self._sent)
            events.register("after-call.dynamodb.TransactWriteItems", self._answered)

    def _sent(self, params: Mapping[str, Any], **_: Any) -> None:
        self._asked = sum(map(_units, params["TransactItems"]))
        self.bought.units += self._asked

    def _answered(self, http_response: Any, **_: Any) -> None:
        if http_response.status_code == 200:
            self.bought.stood += self._asked


def _units(action: Mapping[str, Any]) -> int:
    """A transaction writes every item twice, by the KB; a condition is billed like a write."""
    put = action.get("Put")
    return 2 if put is None else 2 * math.ceil(item_size(put["Item"]) / 1024)


def main(store: str, auto_lanes: str) -> None:
    """Be one buyer."""
    recorder = open_event_store(Settings(store=store))
    ledger, counting = Ledger(recorder, auto_lanes=int(auto_lanes)), _Counting(recorder)
    print("ready", flush=True)
    for line in sys.stdin:
        sku, seconds = line.split()
        counting.bought = bought = Bought()
        _buy(ledger, sku, bought)
        print("warm", flush=True)
        sys.stdin.readline()
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until:
            began = time.perf_counter()
            if _buy(ledger, sku, bought) is OrderStatus.REJECTED:
                break
            bought.milliseconds.append(1000 * (time.perf_counter() - began))
        print(json.dumps(asdict(bought)), flush=True)
    recorder.close()


def _buy(ledger: Ledger, sku: str, bought: Bought) -> OrderStatus | None:
    """Order one; what became of it, or None if it was told to come back."""
    try:
        outcome = ledger.handle(PlaceOrder((OrderRequestLine(sku, 1),)), context())
    except Contention:
        bought.busy += 1
        return None
    assert outcome.order is not None, "the command was an order"
    bought.sold += outcome.order.status is OrderStatus.ALLOCATED
    return outcome.order.status


if __name__ == "__main__":
    main(*sys.argv[1:])
