"""`ledger serve` as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.cli.support import error_of
from tests.support.issuer import AUDIENCE, ISSUER, Issuer

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


def test_serve_prints_what_there_is_to_tell(tmp_path: Path) -> None:
    store = ("--store", f"sqlite:{tmp_path}/ledger.db")
    with ledger_process("serve", "--port", "0", *store) as process:
        assert process.stderr is not None
        try:
            announced = process.stderr.readline()
            (address,) = re.findall(r"on (http://127\.0\.0\.1:\d+),", announced)
            post(f"{address}/v1/receipts", {"sku": "MUG", "location": "main", "quantity": 1})
            post(f"{address}/v1/orders", {"lines": [{"sku": "MUG", "quantity": 1}]})
            told = [process.stderr.readline() for _ in range(2)]
        finally:
            process.terminate()
            process.communicate(timeout=20)
    facts = [json.loads(line.removeprefix("Notification: ")) for line in told]
    assert {fact["kind"] for fact in facts} == {"order_confirmed", "out_of_stock"}


def post(url: str, body: object) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request) as response:
        assert response.status == 201


def test_serve_needs_a_free_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"can't listen on 127.0.0.1 port {port}" in error_of("serve", "--port", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", ""])
def test_serve_is_open_to_this_machine_only(host: str) -> None:
    told = error_of("serve", "--port", "0", "--host", host)
    assert f"--host {host} is open to others" in told
    assert "--auth jwt" in told


def test_an_option_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_AUTH", "jwt")
    told = error_of("serve", "--auth", "none", "--port", "0", "--host", "0.0.0.0")
    assert "is open to others" in told


def test_serve_asks_what_it_needs_to_know_for_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = ("serve", "--auth", "jwt", "--port", "0", "--host", "0.0.0.0")
    assert "LEDGER_JWT_ISSUER is not set" in error_of(*everywhere)
    monkeypatch.setenv("LEDGER_JWT_ISSUER", ISSUER)
    assert "LEDGER_JWT_AUDIENCE is not set" in error_of(*everywhere)
    assert "LEDGER_JWT_ISSUER is set, but LEDGER_AUTH isn't" in error_of("serve", "--port", "0")
    monkeypatch.setenv("LEDGER_AUTH", "yes")
    assert "LEDGER_AUTH can't be 'yes'" in error_of("serve", "--port", "0")


@pytest.mark.usefixtures("imported")
def test_serve_with_tokens_answers_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = Issuer()
    (tmp_path / "keys.json").write_text(json.dumps(issuer.jwks()))
    monkeypatch.setenv("LEDGER_JWT_ISSUER", ISSUER)
    monkeypatch.setenv("LEDGER_JWT_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("LEDGER_JWT_JWKS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("LEDGER_RATE_LIMIT", "600/minute")
    with ledger_process("serve", "--auth", "jwt", "--host", "0.0.0.0", "--port", "0") as process:
        assert process.stderr is not None
        try:
            (port,) = re.findall(r"on http://0\.0\.0\.0:(\d+),", process.stderr.readline())
            url = f"http://127.0.0.1:{port}/v1/stock?sku=83005"
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(url)
            request = urllib.request.Request(url)
            request.add_header("Authorization", f"Bearer {issuer.token()}")
            with urllib.request.urlopen(request) as response:
                (level,) = json.load(response)["items"]
                assert response.headers["RateLimit"].startswith('"default";r=599;')
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
    assert (level["on_hand"], process.returncode) == (1, 0)


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
