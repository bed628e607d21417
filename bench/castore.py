"""Orders of three lines through the service beside castore's `pushEventGroup` of as many items.

castore (TypeScript: it too commits to several aggregates on DynamoDB at once) is given what an
application would store with it of the same facts: three positions' events, the order's, and one
that remembers the idempotency key. Its version numbers are kept by the script, so that it reads
nothing. Its group knows no refusal, no decision, no idempotency and no hash chain. Each one in
flight has positions of its own, so that no two groups conflict.

Neither side's tables have an index, and this ledger's stream is turned off for it: castore's table
has none, and giving it one would be no fairer. With a stream a commit costs DynamoDB Local half as
much again, or twice as much if the table was made after others with streams.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from bench.append import putting
from bench.dynamodb import ENGINES, Item, commits, on, open_ledger, order_rate, rate, stock_up
from bench.measured import Aim, Measured, Report
from ledger.service import Ledger
from ledger.store.dynamodb_client import make_client
from ledger.store.tables import full_name

HERE: Final = Path(__file__).with_name("castore_rounds")
INSTALLED: Final = Path(__file__).parents[1] / ".cache" / "bench-castore"
ROUNDS = 11
SECONDS = 0.5
"""Of each side of a round."""
IN_FLIGHT = (1, 8)
AIM: Final = Aim("≥", 1.15)
BESIDE: Final = "castore 2.4.2 pushEventGroup of 5 items"

Rate = Callable[[int, float], float]
"""Groups a second: how many in flight, for how many seconds."""


class Rates(NamedTuple):
    """What one round measured, each a second."""

    orders: float
    groups: float
    raw: float
    """Transactions of the same items by raw boto3: what the language and its SDK cost."""


def run() -> Report:
    """One and eight in flight, on both engines.

    Raises
    ------
    RuntimeError
        castore can't be installed, or ended.
    """
    install()
    rows: list[Measured] = []
    for engine in ENGINES:
        with on(engine) as (endpoint, prefix):
            _turn_stream_off(endpoint, full_name(prefix, "events"))
            made = commits(endpoint, prefix)
            put = putting(endpoint, prefix, made)
            ledger = open_ledger(endpoint, prefix)
            stock_up(ledger)  # it knows every position from now on
            with castore(endpoint, facts(made[0])) as theirs:
                for flights in IN_FLIGHT:
                    rows += _rows(engine, flights, _rounds(ledger, theirs, put, flights))
    return Report(rows)


def _turn_stream_off(endpoint: str, table: str) -> None:
    client = make_client(endpoint)
    client.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


def _rounds(ledger: Ledger, theirs: Rate, put: Callable[[], object], flights: int) -> list[Rates]:
    seeds = count(100 * flights)
    sides: list[Callable[[], float]] = [
        lambda: order_rate(ledger, flights, SECONDS, next(seeds)),
        lambda: theirs(flights, SECONDS),
        lambda: rate(flights, SECONDS, put),
    ]
    for side in sides:
        side()
    rounds = []
    for number in range(ROUNDS):
        # Another one goes first each time.
        found = {turn % 3: sides[turn % 3]() for turn in range(number, number + 3)}
        rounds.append(Rates(found[0], found[1], found[2]))
    return rounds


def _rows(engine: str, flights: int, rounds: Sequence[Rates]) -> list[Measured]:
    orders, groups, raw = (median(rates) for rates in zip(*rounds, strict=True))
    where = f"{flights} in flight, {engine}"
    return [
        Measured.of(
            f"order of 3 lines, {where}",
            BESIDE,
            AIM,
            [each.orders / each.groups for each in rounds],
            f"{orders:.0f} orders/s beside {groups:.0f} groups/s",
        ),
        Measured.of(
            f"raw boto3, its defaults, putting the items, {where}",
            BESIDE,
            None,
            [each.raw / each.groups for each in rounds],
            f"{raw:.0f}/s beside {groups:.0f}/s: what Python and its SDK cost",
        ),
    ]


def install() -> None:
    """Have castore in `.cache/bench-castore`, as the lock file has it.

    Raises
    ------
    RuntimeError
        There is no Node.js, or npm fails; says what it said.
    """
    lock = INSTALLED / "package-lock.json"
    wanted = HERE / "package-lock.json"
    if lock.exists() and lock.read_bytes() == wanted.read_bytes():
        return
    if shutil.which("npm") is None:
        raise RuntimeError("castore needs Node.js 20 or newer, with npm, on the PATH")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "package.json", INSTALLED)
    # Written last: what is half installed has no lock file.
    lock.unlink(missing_ok=True)
    shutil.copy(wanted, INSTALLED / "npm-shrinkwrap.json")
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"],
        cwd=INSTALLED,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"npm could not install castore:\n{done.stderr}")
    shutil.copy(wanted, lock)


def facts(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The facts of one commit as castore's events: `type`, `payload` and `metadata`."""
    return [_fact(item) for item in items]


def _fact(item: Item) -> dict[str, Any]:
    if "state" not in item:
        record = {name: next(iter(value.values())) for name, value in item.items()}
        return {"kind": "command", "type": "CommandRecorded", "payload": json.loads(_json(record))}
    envelope = json.loads(item["state"]["B"])
    kind = "position" if item["stream"]["S"].startswith("stock:") else "order"
    names = ("id", "command", "actor", "region")
    metadata = {name: envelope[name] for name in names if name in envelope}
    type_ = envelope["type"]
    return {"kind": kind, "type": type_, "payload": envelope["data"], "metadata": metadata}


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, default=lambda value: value.decode("utf-8", "replace"))


@contextmanager
def castore(endpoint: str, group: Sequence[dict[str, Any]]) -> Iterator[Rate]:
    """A castore event store on a table of its own, which pushes groups when it is asked to."""
    table = f"castore-{uuid.uuid4().hex[:8]}"
    make_client(endpoint).create_table(
        TableName=table,
        KeySchema=[
            {"AttributeName": "aggregateId", "KeyType": "HASH"},
            {"AttributeName": "version", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "aggregateId", "AttributeType": "S"},
            {"AttributeName": "version", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    script = INSTALLED / "rounds.cjs"
    shutil.copy(HERE / "rounds.cjs", script)
    command = ["node", str(script), endpoint, table, json.dumps(list(group))]
    # The SDK for JavaScript reads no default Region, and warns that later versions want Node.js 22.
    environment = {**os.environ, "AWS_REGION": "eu-west-1", "NODE_NO_WARNINGS": "1"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asking, answers = process.stdin, process.stdout

        def rate(flights: int, seconds: float) -> float:
            asking.write(json.dumps({"flights": flights, "seconds": seconds}) + "\n")
            asking.flush()
            answer = answers.readline()
            if not answer:
                raise RuntimeError("castore ended; it wrote why to the standard error output")
            told = json.loads(answer)
            return float(told["groups"] / told["seconds"])

        try:
            yield rate
        finally:
            asking.close()
            process.wait(20)
