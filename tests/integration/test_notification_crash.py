"""Processes that send are killed without notice: nothing is lost, and hardly anything repeated."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.notifications.reading import facts_between
from tests.support.notified import Shop

SENDER = """
import json, os, sys, time
from datetime import timedelta
from pathlib import Path
from ledger.service.history import History
from ledger.store.sqlite import open_recorder
from projections.notifications.follower import LogFollower
from projections.notifications.marks_file import MarksFile
from projections.notifications.notification import Kind
from projections.notifications.notifier import Notifier, Outcome
from projections.notifications.sqlite_marks import SQLiteMarks
from tests.support.histories import START

path, sent, lease = Path(sys.argv[1]), open(sys.argv[2], "ab", buffering=0), float(sys.argv[3])

class File:
    name = "file"
    def wants(self, kind):
        return True
    def send(self, notification):
        sent.write(notification.to_json() + b"\\n")
        os.fsync(sent.fileno())
        time.sleep(0.002)

recorder, file = open_recorder(path), MarksFile(path)
notifier = Notifier(File(), SQLiteMarks(file, "file", lease=lease), History(recorder),
                    clock=lambda: START + timedelta(hours=1))
follower = LogFollower(recorder, [notifier], file, page=7)
print("ready", flush=True)
while True:
    if not follower.step():
        time.sleep(0.02)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def test_a_follower_that_is_killed_again_and_again_tells_everything(
    shop: Shop, tmp_path: Path
) -> None:
    for number in range(80):
        shop.turn_over(f"S{number % 10}")
    history = shop.history
    expected = [
        fact.id
        for number in range(10)
        for told in facts_between(history, f"stock:S{number}@A", 0, 16)
        for fact in told.facts
    ]
    assert len(expected) == 10 * 15
    sent, kills = tmp_path / "sent", 0
    deadline = time.monotonic() + 120
    while len(ids := told_in(sent)) < len(expected):
        assert time.monotonic() < deadline, f"{len(ids)} of {len(expected)} after {kills} kills"
        arguments = [str(shop.world.path), str(sent), "0.2"]
        process = subprocess.Popen(
            [sys.executable, "-c", SENDER, *arguments],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 if kills < 6 else 8)
        process.stdout.close()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    assert set(ids) == set(expected)
    assert kills > 3
    assert sum(ids.values()) - len(expected) <= kills, "one crash, one event sent again"


def told_in(path: Path) -> dict[str, int]:
    """How often each notification was sent, in the order they were first."""
    if not path.exists():
        return {}
    lines = path.read_bytes().splitlines()
    return dict(Counter(json.loads(line)["id"] for line in lines))
