"""`ledger serve` without tokens, as pages in a browser of the same machine could reach it."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.cli.test_cli_serve import ledger_process


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, int]]:
    """A server's address and port."""
    with ledger_process("serve", "--port", "0", *arguments) as process:
        assert process.stderr is not None
        try:
            announced = process.stderr.readline()
            ((host, port),) = re.findall(r"on http://(\S+):(\d+),", announced)
            yield host, int(port)
        finally:
            process.terminate()
            process.communicate(timeout=20)


def get(address: str, port: int, **headers: str) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection(address, port, timeout=20)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", "/v1/stock", headers=given)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.usefixtures("imported")
def test_a_page_whose_name_points_here_is_refused() -> None:
    with serving() as (host, port):
        assert host == "127.0.0.1"
        for name in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            assert get(host, port, Host=name)[0] == 200
        status, problem = get(host, port, Host=f"evil.example:{port}")
    assert (status, problem["status"], problem["title"]) == (400, 400, "Invalid parameter")
    assert "errors" in problem


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.usefixtures("imported")
def test_the_other_loopback_is_called_in_brackets() -> None:
    address = "::1" if has_ipv6() else "127.0.0.2"
    with serving("--host", address) as (host, port):
        assert host in {"[::1]", "127.0.0.2"}
        assert get(address, port, Host=f"{host}:{port}")[0] == 200
        assert get(address, port, Host="evil.example")[0] == 400


@pytest.mark.usefixtures("imported")
def test_nobody_escapes_the_limit_by_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_RATE_LIMIT", "3/hour")
    with serving() as (host, port):
        answers = [
            get(host, port, X_Forwarded_For=f"203.0.113.{n}", Forwarded=f"for=203.0.113.{n}")[0]
            for n in range(5)
        ]
    assert answers == [200, 200, 200, 429, 429]
