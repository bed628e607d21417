"""What a snapshot of the API's function would hold, and every process restored from it share."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api import lambda_handler

SNAPSHOT = """
import json, os, random, secrets, socket, sys, threading, uuid

state, drawn = random.getstate(), set()

def watched(function):
    def watching(*args, **kwargs):
        drawn.add(sys._getframe(1).f_globals["__name__"])
        return function(*args, **kwargs)
    return watching

import uuid_utils
for module, name in (
    (os, "urandom"), (secrets, "token_bytes"), (uuid, "uuid4"), (uuid_utils, "uuid7"),
    (uuid_utils, "uuid4"), (socket, "create_connection"), (socket.socket, "connect"),
):
    setattr(module, name, watched(getattr(module, name)))

before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
import api.lambda_handler as handler
after = set(os.listdir("/proc/self/fd")) if before else set()
print(json.dumps({
    # Keys that must differ within a process (uuid draws for it), and what a process would show
    # to those it starts, of which there are none.
    "drawn": sorted(drawn - {"opentelemetry.context", "uuid", "multiprocessing.process"}),
    "seeded": random.getstate() != state,
    "built": handler.built_app.cache_info().currsize,
    "threads": [one.name for one in threading.enumerate()],
    "files": len(after - before),
    "loaded": [name for name in handler.LATER if name in sys.modules],
}))
"""


@pytest.mark.parametrize("start", ["on-demand", "snap-start"])
def test_a_snapshot_holds_nothing_random_and_nothing_that_ages(start: str) -> None:
    """What is imported is all of it: no number drawn, no connection, no thread, no settings."""
    ran = subprocess.run(
        [sys.executable, "-c", SNAPSHOT],
        env={"AWS_LAMBDA_INITIALIZATION_TYPE": start, "PATH": ""},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ran.stdout)
    loaded = list(lambda_handler.LATER) if start == "snap-start" else []
    assert told.pop("loaded") == loaded
    assert told == {
        "drawn": [],
        "seeded": False,
        "built": 0,
        "threads": ["MainThread"],
        "files": 0,
    }
