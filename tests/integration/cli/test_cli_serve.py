"""`ledger serve` as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.integration.cli.support import error_of

ROOT = Path(__file__).parents[3]


def ledger_process(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from ledger.cli import main; main()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("imported")
def test_serve_answers_and_stops_in_order(stop: signal.Signals) -> None:
    with ledger_process("serve", "--port", "0") as process:
        assert process.stderr is not None
        try:
            announced = process.stderr.readline()
            (address,) = re.findall(r"on (http://127\.0\.0\.1:\d+),", announced)
            with urllib.request.urlopen(f"{address}/v1/stock?sku=83005") as response:
                (level,) = json.load(response)["items"]
        finally:
            process.send_signal(stop)
            _, errors = process.communicate(timeout=20)

    assert (level["location"], level["on_hand"]) == ("main", 1)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_serve_needs_a_free_address() -> None:
    assert "can't listen on 300.1.1.1 port 8000" in error_of("serve", "--host", "300.1.1.1")


def test_serve_needs_a_real_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_CURSOR_SECRET", "short")

    assert "LEDGER_CURSOR_SECRET is too short" in error_of("serve", "--port", "0")


@pytest.mark.usefixtures("imported")
def test_a_reader_may_stop_listening() -> None:
    with ledger_process("events", "--jsonl") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read()

    assert process.returncode == 0
    assert errors == ""
